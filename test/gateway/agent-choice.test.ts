/** Which agent a message is for. The order is written here by hand: message, choice, configuration, default. */
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { AgentChoice, CHOICES_KEPT_MAX } from '../../src/gateway/agent-choice.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { FakeAgent, type GatewayCore, keptLog, startCore } from '../support/gateway-core.ts';

const CONFIG = `
agents: { coder: { command: ./c }, critic: { command: ./d } }
conversations: { "local:work": { agent: coder } }
access: { owners: ["chat:1"], users: ["chat:2"] }
`;

let count = 0;

/** A core whose agents say their names. */
async function start(more: Parameters<typeof startCore>[1] = {}): Promise<GatewayCore> {
  const named = (name: string) =>
    Object.assign(new FakeAgent(), {
      async *runTurn() {
        yield { type: 'text', text: name } as const;
      },
    });
  return startCore(CONFIG, { agent: named, ...more });
}

async function say(core: GatewayCore, text: string, conversation = 'local:talk', more = {}) {
  count += 1;
  const receipt = await core.receive(text, { platformMessageId: `m-${count}`, conversation, ...more });
  await settled();
  return receipt.settled;
}

const answerOf = async (...of: Parameters<typeof say>) => (await say(...of)).replies[0];

describe('a message is for', () => {
  test.each([
    ['the default agent', 'local:talk', null, {}, 'default'],
    ['the agent that the configuration gives its conversation', 'local:work', null, {}, 'coder'],
    ['the agent that was chosen, before that of the configuration', 'local:work', 'critic', {}, 'critic'],
    ['the agent that was chosen, where nothing is configured', 'local:talk', 'coder', {}, 'coder'],
    ['the default agent, chosen over the configured one', 'local:work', 'default', {}, 'default'],
    ['the agent that it names, before all', 'local:work', 'critic', { agent: 'default' }, 'default'],
  ])('%s', async (_, conversation, chosen, more, agent) => {
    const core = await start();
    if (chosen !== null) await say(core, `/agent ${chosen}`, conversation);
    expect(await answerOf(core, 'hello', conversation, more)).toBe(agent);
  });

  test('nobody, when it names an agent that there is not: the nearest are named', async () => {
    const core = await start();
    expect(await say(core, 'hello', 'local:talk', { agent: 'codr' })).toMatchObject({
      outcome: 'refused',
      reason: 'arguments',
      replies: ['There is no agent named codr. Did you mean coder? /agent lists them.'],
    });
  });
});

describe('/agent', () => {
  test.each([
    ['local:talk', null, 'This conversation talks to the agent default (nothing else is chosen).'],
    ['local:work', null, 'This conversation talks to the agent coder (by the configuration).'],
    ['local:work', 'critic', 'This conversation talks to the agent critic (chosen here).'],
  ])('shows whom %s talks to, and why', async (conversation, chosen, first) => {
    const core = await start();
    if (chosen !== null) await say(core, `/agent ${chosen}`, conversation);
    expect(await answerOf(core, '/agent', conversation)).toBe(
      `${first} /agent NAME chooses another one:\ndefault\ncoder\ncritic`,
    );
  });

  test('chooses for its own conversation alone, whatever the case, and a user may', async () => {
    const core = await start();
    const uma = { platform: 'chat', sender: 'chat:2' };
    expect(await answerOf(core, '/agent CODER', 'chat:a', uma)).toBe(
      'From the next message on this conversation talks to the agent coder.',
    );
    expect(await answerOf(core, 'hello', 'chat:a', uma)).toBe('coder');
    expect(await answerOf(core, 'hello', 'chat:b', uma)).toBe('default');
  });

  test('refuses a name that no agent has, names the nearest, and changes nothing', async () => {
    const core = await start();
    expect(await answerOf(core, '/agent critc')).toBe(
      'There is no agent named critc. Did you mean critic? /agent lists them.',
    );
    expect(await answerOf(core, 'hello')).toBe('default');
  });

  test('takes one name at most', async () => {
    const core = await start();
    expect(await say(core, '/agent coder critic')).toMatchObject({ outcome: 'refused', reason: 'arguments' });
  });

  test('keeps the choice with its outcome; choosing what is there anyway keeps none', async () => {
    const core = await start();
    const kept = () => core.store.units.flat().filter((write) => write.op === 'session.agent');
    await say(core, '/agent critic', 'local:work');
    await say(core, '/agent coder', 'local:work');
    expect(kept()).toMatchObject([
      { conversation: 'local:work', agent: 'critic' },
      { conversation: 'local:work', agent: null },
    ]);
    const [unit] = core.store.units.filter((one) => one.some((write) => write.op === 'session.agent'));
    expect(unit?.map(({ op }) => op)).toEqual(['session.agent', 'settle', 'reply']);
  });

  test('works while nothing can be written, and the choice is written afterwards', async () => {
    const core = await start();
    core.store.fail();
    core.gateway.storeIsDown();
    expect(await say(core, '/agent coder')).toMatchObject({ outcome: 'done', recorded: false });
    core.store.writable = true;
    await core.gateway.storeIsBack();
    expect(core.store.units.flat()).toContainEqual(
      expect.objectContaining({ op: 'session.agent', conversation: 'local:talk', agent: 'coder' }),
    );
    expect(await answerOf(core, 'hello')).toBe('coder');
  });
});

describe('a choice', () => {
  test('is read once, when its conversation speaks; messages that come meanwhile keep their order', async () => {
    const core = await start();
    let reads = 0;
    const read = Promise.withResolvers<string | null>();
    core.store.chosenAgent = () => {
      reads += 1;
      return read.promise;
    };
    const receipts = ['one', 'two', 'three'].map((text) => core.receive(text));
    await settled();
    expect(core.gateway.lifecycle.view.turns).toBe(0);
    read.resolve('critic');
    await Promise.all(receipts);
    const texts = core.store.units.flat().flatMap((w) => (w.op === 'receive' ? [w.message.text] : []));
    expect(texts).toEqual(['one', 'two', 'three']);
    for (const receipt of receipts) expect((await (await receipt).settled).replies).toEqual(['critic']);
    expect(reads).toBe(1);
  });

  test('that is made while an older one is read is not overwritten by it', async () => {
    const core = await start();
    const read = Promise.withResolvers<string | null>();
    core.store.chosenAgent = () => read.promise;
    void core.receive('early');
    await say(core, '/agent coder', 'local:default');
    read.resolve('critic');
    await settled();
    expect(await answerOf(core, 'hello', 'local:default')).toBe('coder');
  });

  test('is read again once more conversations have spoken than are kept', async () => {
    const read: string[] = [];
    const chosenAgent = async (conversation: string) => {
      read.push(conversation);
      return null;
    };
    const { config } = parseConfig('', { path: '/s.yaml', origin: 'flag', env: {}, builtinNames: [] });
    const choice = new AgentChoice({
      config: () => config,
      store: { chosenAgent },
      clock: new FakeClock(),
      log: keptLog().log,
    });
    for (let at = 0; at <= CHOICES_KEPT_MAX; at += 1) await choice.agentFor({ conversation: `local:${at}` });
    await choice.agentFor({ conversation: 'local:1' });
    await choice.agentFor({ conversation: 'local:0' });
    expect(read.slice(-2)).toEqual([`local:${CHOICES_KEPT_MAX}`, 'local:0']);
  });
});
