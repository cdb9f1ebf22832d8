/** When the circuit of an agent opens and closes, what turns meet meanwhile, and who is told. Time is given. */
import { beforeEach, describe, expect, test } from 'vitest';
import { AgentFailure, type ProbeEvidence } from '../../src/agents/agent.ts';
import { BackNotices, REFUSED_KEPT_MAX } from '../../src/gateway/back-notices.ts';
import { Circuits, PROBE_WAIT_MS_MAX } from '../../src/gateway/circuits.ts';
import { settled } from '../support/fake-clock.ts';
import { FakeAgent, type GatewayCore, startCore } from '../support/gateway-core.ts';

const CONFIG = `
agent: { command: ./a, failure_threshold: 3 }
agents: { other: { command: ./b } }
access: { owners: ["chat:1"] }
quick_commands: { up: { type: exec, command: "up" } }
`;

const DOWN = new AgentFailure('the model server cannot be reached', 'Start it.');
const WRONG = new AgentFailure('the request was too long', 'Send less.', { backend: false });

/** Fails each turn, and each probe, as it is told to; else it answers. */
class Patient extends FakeAgent {
  failing: AgentFailure | undefined;
  probing: unknown;
  /** What a probe that fails with nothing shows. */
  shows: ProbeEvidence = 'answers';
  /** Monotonic milliseconds of each probe. */
  readonly probedAt: number[] = [];
  now: () => number = () => 0;

  override async *runTurn(input: { text: string }) {
    this.asked.push(input.text);
    if (this.failing !== undefined) throw this.failing;
    yield { type: 'text', text: 'fine' } as const;
  }

  override async probe(): Promise<ProbeEvidence> {
    this.probedAt.push(this.now());
    if (this.probing !== undefined) throw this.probing;
    return this.shows;
  }
}

let patient: Patient;
let other: Patient;
let core: GatewayCore;
let agents: Record<string, Patient | undefined>;
let count = 0;

beforeEach(async () => {
  patient = new Patient();
  other = new Patient();
  agents = { default: patient, other };
  core = await startCore(CONFIG, { agent: (name) => agents[name] });
  patient.now = () => core.clock.monotonicMs();
});

/** One message to its outcome. */
async function turn(more: Readonly<Record<string, unknown>> = {}) {
  count += 1;
  const receipt = await core.receive('hello', { platformMessageId: `turn-${count}`, ...more });
  await settled();
  return receipt.settled;
}

const fromChat = (conversation: string) => ({ platform: 'chat', conversation, sender: 'chat:1' });

async function fail(times: number, failure = DOWN): Promise<void> {
  patient.failing = failure;
  for (let at = 0; at < times; at += 1) await turn();
}

const degraded = () => core.gateway.status.degraded;
const health = (name: string) => core.gateway.status.agents.find((agent) => agent.name === name);

describe('a circuit opens', () => {
  test('at the failure that completes the row, and at none before', async () => {
    await fail(2);
    expect([degraded(), core.gateway.status.state]).toEqual([[], 'running.healthy']);
    await fail(1);
    expect([degraded(), core.gateway.status.state]).toEqual([['agent:default'], 'running.degraded']);
  });

  test('not when an answer stands between the failures', async () => {
    await fail(2);
    patient.failing = undefined;
    await turn();
    await fail(2);
    expect(degraded()).toEqual([]);
  });

  test('not for what is wrong with single requests, which neither counts nor ends the row', async () => {
    await fail(10, WRONG);
    expect(degraded()).toEqual([]);
    await fail(2);
    await fail(1, WRONG);
    await fail(1);
    expect(degraded()).toEqual(['agent:default']);
  });

  describe('by turns that ran into their timeout', () => {
    const SLOW = CONFIG.replace('./a,', './a, turn_timeout: 60,').replace(
      './b',
      './b, turn_timeout: 60, failure_threshold: 3',
    );

    /** Three turns to their timeout; `saying`: what the agent says in each before. */
    async function timeOut(saying: string, more: Readonly<Record<string, unknown>> = {}) {
      const hanging = new FakeAgent();
      core = await startCore(SLOW, { agent: () => hanging });
      const outcomes = [];
      for (let at = 0; at < 3; at += 1) {
        const receipt = await core.receive('hello', { platformMessageId: `hanging-${at}`, ...more });
        await settled();
        if (saying !== '') hanging.say(at, saying);
        await core.clock.advance(60_000);
        outcomes.push(await receipt.settled);
      }
      return outcomes;
    }

    test('without a word: as good as down', async () => {
      const [first] = await timeOut('');
      expect(first).toMatchObject({
        outcome: 'failed',
        reason: 'timeout',
        replies: [
          'No answer: the agent default said nothing within 60 s. See whether what is behind it is stuck, or raise agent.turn_timeout.',
        ],
      });
      expect(degraded()).toEqual(['agent:default']);
      expect(health('default')?.reason).toBe('the agent default said nothing within 60 s');
    });

    test('without a word, under the name of whom they were for', async () => {
      const [first] = await timeOut('', { agent: 'other' });
      expect(first?.replies[0]).toMatch(
        /the agent other said nothing .* raise agents\.other\.turn_timeout\.$/,
      );
      expect(degraded()).toEqual(['agent:other']);
    });

    test('after a few words: what is behind it is stuck, and less to do would not help', async () => {
      const [first] = await timeOut('so far');
      expect(first?.replies[1]).toBe(
        'No answer: the agent default took longer than 60 s, and said nothing in the last 60 s. See whether what is behind it is stuck, or raise agent.turn_timeout.',
      );
    });

    test('while it still answers: less at once would have been done', async () => {
      const busy = new FakeAgent();
      core = await startCore(SLOW, { agent: () => busy });
      const receipt = await core.receive('hello');
      await settled();
      for (let at = 0; at < 6; at += 1) {
        busy.say(0, 'more ');
        await core.clock.advance(10_000);
      }
      expect((await receipt.settled)?.replies[1]).toBe(
        'No answer: the agent default took longer than 60 s. Ask for less at once, or raise agent.turn_timeout.',
      );
    });

    test('not when each had begun to answer', async () => {
      const [first] = await timeOut('so far');
      expect(first?.replies[1]).toMatch(/^No answer: the agent default took longer than 60 s/);
      expect(degraded()).toEqual([]);
    });
  });

  test('not for turns that a person ended', async () => {
    const hanging = new FakeAgent();
    core = await startCore(CONFIG, { agent: () => hanging });
    for (let at = 0; at < 5; at += 1) {
      const receipt = await core.receive('hello', { platformMessageId: `hanging-${at}` });
      await settled();
      await core.receive('/interrupt', { platformMessageId: `interrupt-${at}` });
      expect(await receipt.settled).toMatchObject({ outcome: 'interrupted' });
    }
    expect(degraded()).toEqual([]);
  });
});

describe('while it is open', () => {
  beforeEach(() => fail(3));

  test('a turn is refused with cause and next step, and the agent is not asked', async () => {
    const asked = patient.asked.length;
    expect(await turn()).toMatchObject({
      outcome: 'refused',
      reason: 'state',
      replies: [
        'Not taken: the model server cannot be reached. Start it. The gateway looks by itself whether the agent is back; commands still run.',
      ],
    });
    expect(patient.asked).toHaveLength(asked);
  });

  test('other agents answer and commands run', async () => {
    expect(await turn({ agent: 'other' })).toMatchObject({ outcome: 'answered', replies: ['fine'] });
    await core.receive('/up', { platformMessageId: 'up' });
    expect(core.processes.started).toHaveLength(1);
  });

  test('the status names the one that is down, why, and what each takes', () => {
    expect(core.gateway.status.agents).toEqual([
      {
        name: 'default',
        type: 'command',
        health: 'circuit-open',
        reason: 'the model server cannot be reached',
        accepts: 'refuse',
      },
      { name: 'other', type: 'command', health: 'usable', reason: null, accepts: 'dispatch' },
    ]);
  });

  test('it is probed after 1, 2, 4 … s, and at least once a minute', async () => {
    patient.probing = DOWN;
    await core.clock.advance(240_000);
    expect(patient.probedAt).toEqual([1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000, 183_000]);
    expect(PROBE_WAIT_MS_MAX).toBe(60_000);
    expect(degraded()).toEqual(['agent:default']);
  });

  test('what the last probe failed with is what a refusal says', async () => {
    patient.probing = new AgentFailure('its model is still loading', 'Wait.');
    await core.clock.advance(1000);
    expect(health('default')?.reason).toBe('its model is still loading');
    patient.probing = new Error('a defect');
    await core.clock.advance(2000);
    expect(health('default')).toMatchObject({ health: 'circuit-open', reason: 'its model is still loading' });
  });

  test('the answer to a turn that began before does not close it', async () => {
    const slow = new FakeAgent();
    core = await startCore(CONFIG, { agent: () => slow });
    const early = await core.receive('early', { conversation: 'local:early' });
    await settled();
    for (let at = 1; at <= 3; at += 1) {
      await core.receive(`bad ${at}`);
      await settled();
      slow.end(at, DOWN);
      await settled();
    }
    expect(degraded()).toEqual(['agent:default']);
    slow.say(0, 'late');
    slow.end(0);
    expect(await early.settled).toMatchObject({ outcome: 'answered' });
    expect(degraded()).toEqual(['agent:default']);
    expect(health('default')?.health).toBe('circuit-open');
    await core.clock.advance(1000);
    expect(degraded()).toEqual([]);
  });
});

describe('it closes', () => {
  beforeEach(() => fail(3));

  test.each([
    ['a probe that the agent answers', undefined],
    ['a probe that only its request failed: the server is there', WRONG],
  ])('by %s', async (_, probing) => {
    patient.probing = probing;
    patient.failing = undefined;
    await core.clock.advance(999);
    expect(degraded()).toEqual(['agent:default']);
    await core.clock.advance(1);
    expect([degraded(), core.gateway.status.state]).toEqual([[], 'running.healthy']);
    expect(await turn()).toMatchObject({ outcome: 'answered' });
  });

  test('and opens after a whole row again; without an answer between it is probed ever more rarely', async () => {
    await core.clock.advance(1000);
    expect(degraded()).toEqual([]);
    await fail(2);
    expect(degraded()).toEqual([]);
    await fail(1);
    expect(degraded()).toEqual(['agent:default']);
    await core.clock.advance(1999);
    expect(patient.probedAt).toHaveLength(1);
    await core.clock.advance(1);
    expect(patient.probedAt).toHaveLength(2);
    patient.failing = undefined;
    await turn();
    await fail(3);
    await core.clock.advance(1000);
    expect(patient.probedAt).toHaveLength(3);
  });

  test('when its agent is removed by a reload; nobody is told that it is back', async () => {
    await turn(fromChat('chat:a'));
    agents.default = undefined;
    core.gateway.reconfigured();
    expect(degraded()).toEqual([]);
    await core.clock.advance(PROBE_WAIT_MS_MAX * 2);
    expect(patient.probedAt).toEqual([]);
    expect(core.chat.sent.filter((text) => text.includes('is back.'))).toEqual([]);
  });

  test('at once when a reload replaces its agent by one that answers', async () => {
    agents.default = new Patient();
    core.gateway.reconfigured();
    await settled();
    expect(degraded()).toEqual([]);
    expect(patient.probedAt).toEqual([]);
  });

  test('not by a reload that leaves its agent as it was', async () => {
    core.gateway.reconfigured();
    await settled();
    expect([degraded(), patient.probedAt]).toEqual([['agent:default'], []]);
  });
});

describe('those who were refused', () => {
  const told = () =>
    core.chat.sent.filter((text) => text === 'The agent default is back. Send again what was not taken.');

  beforeEach(async () => {
    await core.gateway.connections.start(new AbortController().signal);
    await fail(3);
  });

  test('are told once each conversation when it is back, and not again', async () => {
    for (const conversation of ['chat:a', 'chat:a', 'chat:b']) await turn(fromChat(conversation));
    expect(told()).toEqual([]);
    await core.clock.advance(1000);
    expect(told()).toHaveLength(2);
    await fail(3);
    await core.clock.advance(PROBE_WAIT_MS_MAX);
    expect(told()).toHaveLength(2);
  });

  test('are told of an agent that can be started only when it has answered a turn', async () => {
    patient.shows = 'can-start';
    await turn(fromChat('chat:a'));
    await core.clock.advance(1000);
    expect([degraded(), told()]).toEqual([[], []]);
    patient.failing = undefined;
    await turn({ conversation: 'local:other' });
    expect(told()).toHaveLength(1);
  });

  test('are never told of one that can be started and fails: its first failure opens the circuit again', async () => {
    patient.shows = 'can-start';
    await turn(fromChat('chat:a'));
    for (const waitMs of [1000, 2000, 4000]) {
      await core.clock.advance(waitMs);
      expect(degraded()).toEqual([]);
      await fail(1);
      expect(degraded()).toEqual(['agent:default']);
    }
    expect([patient.probedAt, told()]).toEqual([[1000, 3000, 7000], []]);
  });

  test('of one on trial that a reload replaces are told with the first answer of the other', async () => {
    patient.shows = 'can-start';
    await turn(fromChat('chat:a'));
    await core.clock.advance(1000);
    agents.default = new Patient();
    core.gateway.reconfigured();
    expect(told()).toEqual([]);
    await turn();
    expect(told()).toHaveLength(1);
  });

  test('for another reason are not told', async () => {
    core.gateway.storeIsDown();
    await turn({ ...fromChat('chat:a'), agent: 'other' });
    core.gateway.lifecycle.send({ type: 'degraded.cleared', reason: 'store' });
    await core.clock.advance(1000);
    expect([degraded(), told()]).toEqual([[], []]);
  });

  test('at this machine are told while they watch their conversation, once, and nobody else', async () => {
    const heard: Record<string, string[]> = { watched: [], late: [], other: [] };
    const watch = (name: string) =>
      core.gateway.conversations.watch(`local:${name}`, (one) => {
        if (one.type === 'notice') heard[name]?.push(one.text);
      });
    watch('watched');
    watch('other');
    for (const name of ['watched', 'watched', 'late', 'gone']) await turn({ conversation: `local:${name}` });
    // A stream that broke and came back is as good as one that stayed.
    watch('late');
    await core.clock.advance(1000);
    const back = 'The agent default is back. Send again what was not taken.';
    expect(heard).toEqual({ watched: [back], late: [back], other: [] });
    expect(told()).toEqual([]);
    await fail(3);
    await core.clock.advance(PROBE_WAIT_MS_MAX);
    expect(heard.watched).toEqual([back]);
  });

  test('on a platform are told there, and whoever watches their conversation from here hears it too', async () => {
    const heard: unknown[] = [];
    core.gateway.conversations.watch('chat:a', (one) => one.type === 'notice' && heard.push(one.text));
    await turn(fromChat('chat:a'));
    await core.clock.advance(1000);
    expect([told().length, heard.length]).toEqual([1, 1]);
  });

  test('are told only when turns are taken again', async () => {
    await turn(fromChat('chat:a'));
    core.gateway.requests.ask({ intent: 'drain', cause: 'drain', actor: 'local:owner' });
    await core.clock.advance(1000);
    expect([degraded(), told()]).toEqual([[], []]);
    core.gateway.requests.ask({ intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' });
    await settled();
    expect(told()).toHaveLength(1);
  });

  test('at this machine are remembered up to a limit, the last ones', () => {
    const said: string[] = [];
    const notices = new BackNotices({
      ...unpromised,
      turnAdmission: () => 'dispatch',
      say: ({ conversation }) => said.push(conversation),
    });
    notices.down('default');
    for (let at = 0; at <= REFUSED_KEPT_MAX; at += 1) {
      notices.refused('default', { platform: 'local', conversation: `local:${at}` });
    }
    notices.back('default');
    expect([said.length, said[0], said.at(-1)]).toEqual([
      REFUSED_KEPT_MAX,
      'local:1',
      `local:${REFUSED_KEPT_MAX}`,
    ]);
  });

  test('on a platform are promised it once each, whatever becomes of this life', () => {
    const promised: string[] = [];
    const notices = new BackNotices({
      ...unpromised,
      turnAdmission: () => 'dispatch',
      say: () => {},
      promise: ({ conversation }, agent, since) => promised.push(`${conversation} ${agent} ${since}`),
    });
    notices.down('default');
    for (const conversation of ['chat:a', 'chat:a', 'chat:b'])
      notices.refused('default', { platform: 'chat', conversation });
    expect(promised).toEqual(['chat:a default 7', 'chat:b default 7']);
  });
});

/** For those whose promises are not looked at. */
const unpromised = { promise: () => {}, keepPromises: () => {}, forget: () => {}, wallMs: () => 7 };

describe('watching that has ended, or that fails', () => {
  test('opens no circuit for a turn that fails after it, and starts no probe', async () => {
    const hanging = new FakeAgent();
    core = await startCore(CONFIG.replace('failure_threshold: 3', 'failure_threshold: 1'), {
      agent: () => hanging,
    });
    const receipt = await core.receive('hello');
    await settled();
    await core.gateway.stop();
    hanging.end(0, DOWN);
    expect(await receipt.settled).toMatchObject({ outcome: 'failed' });
    await settled();
    expect([degraded(), core.clock.pending]).toEqual([[], 0]);
  });

  test('gives up a probe that heeds no signal, and probes again', async () => {
    await fail(3);
    let probes = 0;
    patient.probe = () => {
      probes += 1;
      return probes === 1 ? new Promise(() => {}) : Promise.resolve('answers');
    };
    await core.clock.advance(1000 + 15_000);
    expect([probes, degraded()]).toEqual([1, ['agent:default']]);
    await core.clock.advance(2000);
    expect([probes, degraded()]).toEqual([2, []]);
  });

  test('goes on after a probe that throws at once, and after a defect of those who are told', async () => {
    const closed: string[] = [];
    let defects = 1;
    const circuits = new Circuits({
      clock: core.clock,
      log: core.log,
      agent: () => ({ agent: patient, failureThreshold: 1 }),
      opened: () => {},
      proven: () => {},
      closed: (name) => {
        if (defects > 0) {
          defects -= 1;
          throw new Error('a defect of the test');
        }
        closed.push(name);
      },
    });
    let probes = 0;
    patient.probe = () => {
      probes += 1;
      if (probes === 1) throw new Error('no promise at all');
      return Promise.resolve('answers');
    };
    circuits.failed('default', patient, DOWN);
    await core.clock.advance(PROBE_WAIT_MS_MAX);
    expect([probes, closed]).toEqual([3, ['default']]);
    expect(core.lines).toContainEqual(expect.objectContaining({ error: 'a defect of the test' }));
    expect(circuits.outage('default')).toBeUndefined();
    circuits[Symbol.dispose]();
  });
});
