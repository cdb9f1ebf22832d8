/** Replies that are longer than their platform takes: rows of their own, in order, whole where the platform takes any. */
import { expect, test } from 'vitest';
import { settled } from '../support/fake-clock.ts';
import { FakePlatform, type GatewayCore, startCore } from '../support/gateway-core.ts';

const NOTE = '(not recorded: the gateway could not write to its disk)';

class NarrowPlatform extends FakePlatform {
  readonly capabilities = { textCharsMax: 300 };
}

async function narrow() {
  const chat = new NarrowPlatform();
  const core = await startCore('access: { users: ["chat:ann"] }', { platforms: [chat] });
  return { core, chat };
}

/** The agent answers this to a message from the chat. */
async function answered(core: GatewayCore, answer: string) {
  const from = { platform: 'chat', conversation: 'chat:ann', sender: 'chat:ann' };
  const receipt = await core.receive('tell me', from);
  await settled();
  core.agent.say(0, answer);
  core.agent.end(0);
  return receipt;
}

const rows = ({ store }: GatewayCore) =>
  store.units.flat().flatMap((write) => (write.op === 'reply' ? [write.outbound] : []));

const LONG = Array.from({ length: 60 }, (_, line) => `This is line ${line}.`).join('\n');

test('each part is a row, in the commit of the outcome, and the whole answer is what is told', async () => {
  const { core, chat } = await narrow();
  const receipt = await answered(core, LONG);
  expect((await receipt.settled).replies).toEqual([LONG]);
  await settled();
  const parts = rows(core);
  expect(parts.length).toBeGreaterThan(3);
  expect(parts.map(({ part }) => part)).toEqual(parts.map((_, at) => at));
  expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length);
  expect(parts.map(({ text }) => text).join('\n')).toBe(LONG);
  const unit = core.store.units.find((writes) => writes.some(({ op }) => op === 'settle'));
  expect(unit?.filter(({ op }) => op === 'reply')).toHaveLength(parts.length);
  expect(chat.sent).toEqual(parts.map(({ text }) => text));
  expect(chat.sent.every((text) => text.length <= 300)).toBe(true);
});

test('an answer that fits is one row without a part', async () => {
  const { core, chat } = await narrow();
  await (await answered(core, 'short')).settled;
  await settled();
  expect(rows(core)).toMatchObject([{ text: 'short' }]);
  expect(rows(core)[0]).not.toHaveProperty('part');
  expect(chat.sent).toEqual(['short']);
});

test('one that could not be recorded says so once, at its end', async () => {
  const chat = new NarrowPlatform();
  const config = 'quick_commands: { tell: { type: exec, command: "tell" } }';
  const core = await startCore(config, { platforms: [chat] });
  core.store.fail();
  const receipt = await core.receive('/tell', { platform: 'chat', conversation: 'chat:ann' });
  await settled();
  core.processes.started[0]?.finish({ stdout: LONG });
  expect((await receipt.settled).recorded).toBe(false);
  await settled();
  expect(chat.sent.length).toBeGreaterThan(3);
  expect(chat.sent.filter((text) => text.includes(NOTE))).toEqual([chat.sent.at(-1)]);
  expect(chat.sent.every((text) => text.length <= 300)).toBe(true);
});
