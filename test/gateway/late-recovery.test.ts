/** What earlier lives left, found only after the gateway has run for a while: its store could not be written at the start. */
import { expect, test } from 'vitest';
import { recover } from '../../src/gateway/recovery.ts';
import type { MessageRow } from '../../src/store/records.ts';
import { commandRow, messageRow, outboundRow } from '../store/sample-rows.ts';
import { settled } from '../support/fake-clock.ts';
import { bootCore, NOTHING_RECOVERED } from '../support/gateway-core.ts';

const CONFIG = `access: { owners: ["chat:1", "chat:2"] }
quick_commands: { up: { type: exec, command: "up" } }`;

const person = (n: number) => ({ platform: 'chat', conversation: `chat:${n}`, sender: `chat:${n}` });
const NOTE = '(not recorded: the gateway could not write to its disk)';

/** A gateway that began without a store it could write. */
async function begunLate() {
  const core = bootCore(CONFIG);
  core.store.fail();
  core.gateway.recoveryIsLate();
  core.gateway.storeIsDown();
  await core.gateway.connections.start(new AbortController().signal);
  core.gateway.lifecycle.send({ type: 'started' });
  await settled();
  let count = 0;
  const say = async (n: number, text: string) => {
    count += 1;
    await core.receive(text, { ...person(n), platformMessageId: `m${count}` });
    await settled();
  };
  const left = ['first', 'second'].map((text, at) =>
    outboundRow(`o_${at}`, null, { ...person(1), text, createdAt: core.clock.wallMs() }),
  );
  const recovered = { ...NOTHING_RECOVERED, outbound: left };
  return { ...core, say, recovered };
}

test('the reply of a command that no row can be made for leaves at once, before what an earlier life left', async () => {
  const { say, chat, store, gateway, recovered } = await begunLate();
  await say(1, '/sttaus');
  expect(chat.sent).toEqual([expect.stringContaining(NOTE)]);
  store.writable = true;
  gateway.resume(recovered, null);
  await gateway.storeIsBack();
  await settled();
  expect(chat.sent.slice(1)).toEqual(['first', 'second']);
});

test('a reply that has its row leaves after what an earlier life left', async () => {
  const { say, chat, store, gateway, recovered } = await begunLate();
  // It can be written again, and what was left is just being looked for.
  store.writable = true;
  await say(1, '/sttaus');
  expect(chat.sent).toEqual([]);
  gateway.resume(recovered, null);
  await gateway.storeIsBack();
  await settled();
  expect(chat.sent).toEqual(['first', 'second', expect.stringContaining('sttaus')]);
  expect(chat.sent[2]).not.toContain(NOTE);
});

test('what ran before this life had a number is written once it has one', async () => {
  const { say, processes, store, clock, gateway, recovered } = await begunLate();
  gateway.begin({ id: 0, kind: 'daemon', epoch: 1, pid: 1, startTime: '', bootId: '' });
  await say(1, '/up');
  processes.started.at(-1)?.finish({ stdout: 'up' });
  await settled();
  // A life of no number would be a dead one's for the recovery.
  store.writable = true;
  await gateway.storeIsBack();
  expect(store.units).toEqual([]);
  gateway.begin({ id: 7, kind: 'daemon', epoch: 2, pid: 1, startTime: '', bootId: '' });
  gateway.resume(recovered, null);
  await gateway.storeIsBack();
  await clock.advance(0);
  const [unit = []] = store.units;
  expect(unit.flatMap((write) => (write.op === 'receive' ? write.message.life : []))).toEqual([7]);
});

test('what this life works on is not taken for a dead one’s, although its row came before its life had a number', async () => {
  const { store, clock, log, processes } = bootCore(CONFIG);
  const row = (id: string): MessageRow => messageRow(id, { life: 0, kind: 'exec', phase: 'started' });
  for (const id of ['m_ours', 'm_theirs']) {
    await store.commit([
      { op: 'receive', message: row(id) },
      { op: 'command.receive', command: commandRow(`c_${id}`, id, { life: 0 }) },
      { op: 'command.start', id: `c_${id}`, at: clock.wallMs() },
    ]);
  }
  await recover({
    ...{ store, processes, clock, log, safeMode: null, textCharsMax: () => undefined },
    life: { id: 9, kind: 'daemon', epoch: 5, pid: 1, startTime: '', bootId: '' },
    isLiving: () => false,
    isInHand: (id) => id === 'm_ours',
    resume: { resume: 'auto', maxAgeMs: 86_400_000, onExpired: 'ask' },
  });
  expect(processes.swept).toEqual([new Set(['c_m_theirs'])]);
  expect(await store.message('m_ours')).toMatchObject({ phase: 'started', outcome: null });
  expect(await store.message('m_theirs')).toMatchObject({ outcome: 'interrupted' });
});
