/** Requests to stop, restart or drain: each has one answer, and only what was taken changes anything. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Supervisor } from '../../machines/exit.ts';
import { type Ask, askBySignal } from '../../src/gateway/requests.ts';
import { settled } from '../support/fake-clock.ts';
import { bootCore, type GatewayCore, startCore } from '../support/gateway-core.ts';

const COMMANDS = 'quick_commands: { up: { type: exec, command: "up", timeout: 600 } }';

const stop: Ask = { intent: 'stop', cause: 'stop', actor: 'local:owner' };
const restart: Ask = { intent: 'restart', cause: 'restart', actor: 'local:owner' };
const drain: Ask = { intent: 'drain', cause: 'drain', actor: 'local:owner' };
const cancel: Ask = { intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' };
const sigterm: Ask = { intent: 'stop', cause: 'SIGTERM', actor: 'signal' };
const sigint: Ask = { intent: 'stop', cause: 'SIGINT', actor: 'signal' };
const sigusr1: Ask = { intent: 'restart', cause: 'SIGUSR1', actor: 'signal' };
const hangup: Ask = { intent: 'stop', cause: 'hangup', actor: 'signal' };

const state = ({ gateway }: GatewayCore) => gateway.status.state;
const ask = ({ gateway }: GatewayCore, request: Ask) => gateway.requests.ask(request);

/** A gateway in whose conversation a turn is running. */
async function busy(config = ''): Promise<GatewayCore> {
  const core = await startCore(config);
  await core.receive('hello');
  await settled();
  return core;
}

async function endTurn(core: GatewayCore, index = 0): Promise<void> {
  core.agent.say(index, 'answer');
  core.agent.end(index);
  await settled();
}

describe('two requests for the same', () => {
  test('are one restart: the second learns that it is under way, and nobody is interrupted', async () => {
    const core = await busy();
    expect(ask(core, restart)).toEqual({
      verdict: 'taken',
      text: 'Restarting when 1 turn is done, in 60 s at most. Commands still run.',
    });
    await core.clock.advance(20_000);
    expect(ask(core, { ...restart, actor: 'chat:2' })).toEqual({
      verdict: 'joined',
      text: 'Already restarting: 1 turn to finish, in 40 s at most.',
    });
    expect(state(core)).toBe('draining.waiting');
    expect(core.gateway.status).toMatchObject({ intent: 'restart', actor: 'local:owner' });
    await endTurn(core);
    expect(await core.gateway.exited).toMatchObject({ reexecute: true, cause: 'restart' });
  });

  test('by signals join without a word of their own', async () => {
    const core = await busy();
    expect([ask(core, sigusr1).verdict, ask(core, sigusr1).verdict]).toEqual(['taken', 'joined']);
    expect(state(core)).toBe('draining.waiting');
  });
});

describe('of two requests', () => {
  test('a stop beats a restart, whichever came first', async () => {
    const raised = await busy();
    expect([ask(raised, restart).verdict, ask(raised, stop).verdict]).toEqual(['taken', 'raised']);
    await endTurn(raised);
    expect(await raised.gateway.exited).toMatchObject({ code: 0, reexecute: false, cause: 'stop' });

    const joined = await busy();
    expect([ask(joined, stop).verdict, ask(joined, restart).verdict]).toEqual(['taken', 'joined']);
    await endTurn(joined);
    expect(await joined.gateway.exited).toMatchObject({ code: 0, reexecute: false, cause: 'stop' });
  });

  test('a hurried one ends the waiting of the other, and says whom it interrupted', async () => {
    const core = await busy();
    ask(core, restart);
    expect(ask(core, { ...restart, hurry: true })).toEqual({
      verdict: 'hurried',
      text: 'Restarting now: 1 turn interrupted.',
    });
    await settled();
    expect(await core.gateway.exited).toMatchObject({ cause: 'restart' });
  });
});

describe('what a request waits for', () => {
  /** A turn runs, and two more of its conversation have not begun. */
  async function queued(): Promise<GatewayCore> {
    const core = await busy('display: { busy_input_mode: queue }');
    await core.receive('behind');
    await core.receive('behind2');
    await settled();
    expect(core.gateway.status).toMatchObject({ inFlight: { turns: [{}] }, waiting: 2 });
    return core;
  }

  test.each<[string, Ask, string]>([
    [
      'a restart',
      restart,
      'Restarting when 1 turn is done, in 60 s at most. 2 messages are kept for afterwards. Commands still run.',
    ],
    [
      'a stop',
      stop,
      'Stopping when 1 turn is done, in 60 s at most. 2 messages are kept for the next start. Commands still run.',
    ],
    [
      'a drain',
      drain,
      'Draining: no new turns, 1 turn to finish. 2 messages are kept for afterwards. Commands still run; /drain cancel takes turns again.',
    ],
    [
      'a hurried restart',
      { ...restart, hurry: true },
      'Restarting now: 1 turn interrupted. 2 messages are kept for afterwards.',
    ],
  ])('is, of %s, the turn that has begun; what waits behind it is kept', async (_, request, text) => {
    const core = await queued();
    expect(ask(core, request).text).toBe(text);
    expect(core.gateway.status.held).toBe(2);
  });

  test('is the same for who asks again before the held ones are on disk, and nothing is kept anew', async () => {
    const core = await queued();
    ask(core, drain);
    expect(ask(core, drain).text).toBe('Already draining: it takes no new turns: 1 turn to finish.');
    expect(ask(core, { ...restart, hurry: true }).text).toBe('Restarting now: 1 turn interrupted.');
  });
});

describe('a drain', () => {
  test('that a person asked for can be cancelled, and turns are taken again', async () => {
    const core = await busy();
    expect(ask(core, drain).verdict).toBe('taken');
    expect(ask(core, cancel)).toEqual({
      verdict: 'cancelled',
      text: 'Cancelled: the gateway takes turns again.',
    });
    expect(state(core)).toBe('running.healthy');
  });

  test.each([
    ['SIGTERM', sigterm, 'stopping (SIGTERM)'],
    ['SIGUSR1', sigusr1, 'restarting (SIGUSR1)'],
    ['a lost terminal', hangup, 'stopping (SIGHUP)'],
  ])('that %s caused cannot, whoever asks', async (_, request, doing) => {
    const core = await busy();
    ask(core, request);
    expect(ask(core, cancel)).toEqual({
      verdict: 'too-late',
      text: `Too late to cancel: the gateway is ${doing}.`,
    });
    expect(state(core)).toBe('draining.waiting');
  });

  test.each<[string, Ask, Ask, string]>([
    [
      'a stop that SIGINT joined',
      stop,
      sigint,
      'stopping (stop), and SIGINT asked it to leave as well, which nobody can take back',
    ],
    [
      'a stop that SIGTERM joined',
      stop,
      sigterm,
      'stopping (stop), and SIGTERM asked it to leave as well, which nobody can take back',
    ],
    [
      'a stop that a lost terminal joined',
      stop,
      hangup,
      'stopping (stop), and SIGHUP asked it to leave as well, which nobody can take back',
    ],
    [
      'a hurried SIGTERM after a stop',
      stop,
      { ...sigterm, hurry: true },
      'stopping (stop), and SIGTERM asked it to leave as well, which nobody can take back',
    ],
    [
      'a restart that SIGUSR1 joined',
      restart,
      sigusr1,
      'restarting (restart), and SIGUSR1 asked it to leave as well, which nobody can take back',
    ],
    [
      'SIGUSR1 that a stop outranked',
      sigusr1,
      stop,
      'stopping (stop), and SIGUSR1 asked it to leave as well, which nobody can take back',
    ],
    [
      'SIGTERM that a stop outranked',
      sigterm,
      stop,
      'stopping (stop), and SIGTERM asked it to leave as well, which nobody can take back',
    ],
    ['a restart that SIGTERM took over', restart, sigterm, 'stopping (SIGTERM)'],
    ['SIGUSR1 that SIGTERM took over', sigusr1, sigterm, 'stopping (SIGTERM)'],
    ['SIGINT that SIGTERM joined', sigint, sigterm, 'stopping (SIGINT)'],
  ])('cannot be called back once a signal asked as well: %s', async (_, first, second, doing) => {
    const core = await busy();
    ask(core, first);
    ask(core, second);
    const { status } = core.gateway;
    expect(ask(core, cancel)).toEqual({
      verdict: 'too-late',
      text: `Too late to cancel: the gateway is ${doing}.`,
    });
    expect(core.gateway.status).toEqual(status);
    await endTurn(core);
    expect(await core.gateway.exited).toMatchObject({ cause: status.cause });
  });

  test('that a person asked for twice can be cancelled, and what signals asked before counts no more', async () => {
    const core = await busy();
    for (const request of [drain, restart, { ...stop, actor: 'chat:2' }, restart]) ask(core, request);
    expect(ask(core, cancel).verdict).toBe('cancelled');
  });

  test('with a time of its own ends by itself', async () => {
    const core = await startCore();
    ask(core, { ...drain, forMs: 600_000 });
    await core.clock.advance(599_999);
    expect(state(core)).toBe('draining.drained');
    await core.clock.advance(1);
    expect(state(core)).toBe('running.healthy');
  });

  test('that was a restart and was cancelled does not cut a later one by its deadline', async () => {
    const core = await busy();
    ask(core, restart);
    await core.clock.advance(30_000);
    ask(core, cancel);
    ask(core, restart);
    await core.clock.advance(59_999);
    expect(state(core)).toBe('draining.waiting');
    await core.clock.advance(1);
    expect(state(core)).not.toBe('draining.waiting');
  });

  test('is not ended by the time of one before it, nor is a restart', async () => {
    const core = await busy();
    ask(core, { ...drain, forMs: 30_000 });
    ask(core, cancel);
    ask(core, drain);
    await core.clock.advance(30_000);
    expect(state(core)).toBe('draining.waiting');
    ask(core, cancel);
    ask(core, { ...drain, forMs: 10_000 });
    ask(core, restart);
    await core.clock.advance(10_000);
    expect(core.gateway.status).toMatchObject({ state: 'draining.waiting', intent: 'restart' });
  });
});

describe('the time of a drain', () => {
  test('keeps one timer at most, whatever comes after, and none once it is over', async () => {
    const core = await startCore();
    const idle = core.clock.pending;
    for (let drains = 0; drains < 3; drains += 1) {
      ask(core, { ...drain, forMs: 600_000 });
      expect(core.clock.pending).toBe(idle + 1);
      ask(core, cancel);
      expect(core.clock.pending).toBe(idle);
    }
    ask(core, { ...drain, forMs: 600_000 });
    ask(core, stop);
    await core.gateway.exited;
    await core.gateway.stop();
    expect(core.clock.pending).toBe(0);
  });
});

describe('a request from inside a command', () => {
  async function runningCommand(options: Parameters<typeof startCore>[1] = {}) {
    const core = await startCore(COMMANDS, options);
    const receipt = await core.receive('/up');
    await settled();
    const [program] = core.processes.started;
    if (program === undefined) throw new Error('the command was not started');
    return { core, receipt, program, from: program.spec.workId };
  }

  test('has its answer at once, and is carried out when the command has settled', async () => {
    const { core, receipt, program, from } = await runningCommand();
    expect(ask(core, { ...restart, from })).toEqual({
      verdict: 'deferred',
      text: 'Asked; it happens when this work has settled.',
    });
    await core.clock.advance(5000);
    expect(core.gateway.status).toMatchObject({ state: 'running.healthy', intent: null });
    program.finish({ stdout: 'up again' });
    expect(await receipt.settled).toMatchObject({ outcome: 'ran', replies: ['up again'] });
    expect(await core.gateway.exited).toMatchObject({ cause: 'restart', actor: 'local:owner' });
    const outcome = core.store.units.flat().find((write) => write.op === 'settle');
    expect(outcome).toMatchObject({ outcome: 'ran' });
  });

  test('waits for its own command and for no other', async () => {
    const { core, program, from } = await runningCommand();
    const turn = await core.receive('hello');
    ask(core, { ...restart, from });
    await endTurn(core);
    await turn.settled;
    expect(state(core)).toBe('running.healthy');
    program.finish();
    await settled();
    expect(core.gateway.status.intent).toBe('restart');
  });

  test('that has settled already is an ordinary one', async () => {
    const { core, program, from } = await runningCommand();
    program.finish();
    await settled();
    expect(ask(core, { ...restart, from }).verdict).toBe('taken');
  });

  test('is left undone, and logged, when the command broke the configuration', async () => {
    let problem: string | null = null;
    const configProblem = ({ withLines }: { withLines: boolean }) =>
      withLines ? `${problem}\n     3 | agent:` : problem;
    const { core, program, from } = await runningCommand({
      configProblem: (options) => (problem === null ? null : configProblem(options)),
    });
    // Asked at the control socket, whose answer may show lines; a log may not.
    expect(ask(core, { ...restart, from, withLines: true }).verdict).toBe('deferred');
    problem = 'sluice.yaml:3: agent.type is missing';
    program.finish();
    await settled();
    expect(state(core)).toBe('running.healthy');
    expect(core.lines.at(-1)).toMatchObject({
      ...{ level: 40, actor: 'local:owner', work: from },
      msg: 'Not restarted: the configuration is invalid.\nsluice.yaml:3: agent.type is missing',
    });
  });

  test('is one of a hundred that may wait; the next is asked for at once', async () => {
    const { core, from } = await runningCommand();
    for (let count = 0; count < 100; count += 1) {
      expect(ask(core, { ...stop, from }).verdict).toBe('deferred');
    }
    expect(ask(core, { ...stop, from }).verdict).toBe('taken');
  });
});

describe('while the configuration on disk is invalid', () => {
  const broken = { configProblem: () => 'sluice.yaml:3: agent.type is missing' };

  test('a person’s restart is refused with the problem, and nothing is drained', async () => {
    const core = await startCore('', broken);
    await core.receive('hello');
    expect(ask(core, restart)).toEqual({
      verdict: 'refused',
      text: 'Not restarted: the configuration is invalid.\nsluice.yaml:3: agent.type is missing',
    });
    expect(core.gateway.status).toMatchObject({ state: 'running.healthy', intent: null });
  });

  test.each([
    ['a restart by signal', sigusr1],
    ['a stop', stop],
    ['a drain', drain],
  ])('%s is taken all the same', async (_, request) => {
    const core = await startCore('', broken);
    expect(ask(core, request).verdict).toBe('taken');
  });
});

describe('a gateway that failed', () => {
  async function failed() {
    const closing = Promise.withResolvers<void>();
    const core = await startCore('', { closeFaces: () => closing.promise });
    core.gateway.lifecycle.send({ type: 'fatal', failure: { kind: 'fault', message: 'it broke' } });
    await settled();
    expect(state(core)).toBe('stopped.closing');
    return { core, closing };
  }

  test.each([
    ['a restart', restart],
    ['a stop', stop],
    ['a hurried stop by signal', { ...sigterm, hurry: true }],
    ['a drain', drain],
  ])('is leaving already: %s joins that, and is told so', async (_, request) => {
    const { core, closing } = await failed();
    expect(ask(core, request)).toEqual({ verdict: 'joined', text: 'Already stopping after a fault.' });
    expect(core.gateway.status.intent).toBeNull();
    closing.resolve();
    expect(await core.gateway.exited).toMatchObject({ code: 70, reexecute: false });
  });

  test('has nothing that could be cancelled', async () => {
    const { core } = await failed();
    expect(ask(core, cancel)).toEqual({
      verdict: 'too-late',
      text: 'Too late to cancel: the gateway is stopping after a fault.',
    });
  });
});

describe('every request has one answer', () => {
  const verdicts = (core: GatewayCore, requests: readonly Ask[]) =>
    requests.map((request) => ask(core, request).verdict);

  test('while starting: leaving ends the start, a drain comes too early', async () => {
    expect(verdicts(bootCore(), [drain, cancel, restart, restart, stop, sigterm])).toEqual([
      'still-starting',
      'nothing-to-cancel',
      'taken',
      'joined',
      'raised',
      'joined',
    ]);
  });

  test('while running there is nothing to cancel', async () => {
    expect(verdicts(await startCore(), [cancel, drain])).toEqual(['nothing-to-cancel', 'taken']);
  });

  test('while turns are interrupted, a stop still counts and nothing hurries twice', async () => {
    const core = await startCore(COMMANDS);
    await core.receive('/up');
    await settled();
    ask(core, { ...restart, hurry: true });
    expect(state(core)).toBe('draining.interrupting');
    expect(verdicts(core, [{ ...restart, hurry: true }, drain, cancel, stop, stop])).toEqual([
      'joined',
      'joined',
      'too-late',
      'raised',
      'joined',
    ]);
  });

  test('until its end: then there is nobody left to answer', async () => {
    const core = await startCore();
    ask(core, stop);
    await core.gateway.exited;
    const lines = core.lines.length;
    for (const request of [stop, restart, drain, cancel]) {
      expect(ask(core, request)).toEqual({
        verdict: 'left',
        text: 'The gateway has left. Ask again when it is back.',
      });
    }
    expect(core.lines).toHaveLength(lines);
  });

  test('and each is logged once, with who asked and what it came to', async () => {
    const core = await busy();
    ask(core, { ...restart, reason: 'a new version' });
    ask(core, { ...stop, actor: 'chat:1' });
    const logged = core.lines.filter((line) => 'verdict' in line);
    expect(logged).toMatchObject([
      { intent: 'restart', actor: 'local:owner', verdict: 'taken', reason: 'a new version' },
      { intent: 'stop', actor: 'chat:1', verdict: 'raised' },
    ]);
  });
});

describe('a signal', () => {
  const reloads: unknown[] = [];
  afterEach(() => void reloads.splice(0));
  const signal = (
    core: GatewayCore,
    request: Parameters<typeof askBySignal>[0],
    supervisor: Supervisor = 'none',
  ) => {
    const { requests } = core.gateway;
    askBySignal(request, { requests, reload: (ask) => void reloads.push(ask), supervisor, log: core.log });
    return core.gateway.status;
  };
  const sent = { hurry: false, terminalGone: false };

  test.each([
    ['SIGINT', false, { intent: 'stop', cause: 'SIGINT' }],
    ['SIGTERM', false, { intent: 'stop', cause: 'SIGTERM' }],
    ['SIGUSR1', false, { intent: 'restart', cause: 'SIGUSR1' }],
    ['SIGHUP', true, { intent: 'stop', cause: 'hangup' }],
    ['SIGHUP', false, { intent: null, cause: null }],
  ] as const)('%s (terminal gone: %s) asks for %o', async (name, terminalGone, expected) => {
    const core = await busy();
    expect(signal(core, { ...sent, signal: name, terminalGone })).toMatchObject(expected);
  });

  test.each([
    ['none', false],
    ['container', true],
    ['systemd', true],
    ['launchd', true],
    ['supervise', true],
  ] as const)(
    'SIGHUP under %s asks for a reload, also when a terminal has gone: %s',
    async (supervisor, also) => {
      const core = await busy();
      const hangup = { ...sent, signal: 'SIGHUP' } as const;
      expect(signal(core, hangup, supervisor)).toMatchObject({ intent: null });
      expect(reloads).toEqual([{ cause: 'SIGHUP', actor: 'signal' }]);
      const { cause } = signal(core, { ...hangup, terminalGone: true }, supervisor);
      expect({ cause, reloads: reloads.length }).toEqual(
        also ? { cause: null, reloads: 2 } : { cause: 'hangup', reloads: 1 },
      );
    },
  );

  test('SIGINT says what the next one does', async () => {
    const core = await busy();
    signal(core, { ...sent, signal: 'SIGINT' });
    expect(core.lines.at(-1)?.msg).toMatch(/^Stopping when 1 turn is done.* A second Ctrl-C hurries\.$/);
    signal(core, { ...sent, signal: 'SIGINT', hurry: true });
    expect(core.lines.at(-1)?.msg).toMatch(/^Stopping now: 1 turn interrupted\. A third Ctrl-C leaves/);
  });
});
