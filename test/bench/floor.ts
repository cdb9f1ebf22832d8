/**
 * What the intake cannot be faster than here: the rows of a message in a bare loop of the store's own statements,
 * and its two events in a bare actor of the chart. Nothing is decided, looked for or waited for in between.
 */
import { DatabaseSync } from 'node:sqlite';
import { createActor } from 'xstate';
import { gatewayMachine } from '../../machines/gateway.ts';
import { newId } from '../../src/messages/ids.ts';
import { MIGRATIONS } from '../../src/store/migrations/migrations.ts';
import { prepareWrites, type Writes } from '../../src/store/writes.ts';

const TEXT = 'what changed in the ingest service since monday?';
const CONTEXT = '{"request":null,"failure":null,"degraded":[],"turns":1,"commands":0}';

/** Milliseconds for the rows of `count` messages, so many in a FULL commit. */
export function bareRows(path: string, count: number, inCommit: number): number {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  for (const { sql } of MIGRATIONS) db.exec(sql);
  const writes = prepareWrites(db);
  const [begin, commit] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')];
  const from = performance.now();
  for (let n = 0; n < count; ) {
    begin.run();
    for (const end = n + inCommit; n < end; n += 1) writeMessage(writes, n);
    commit.run();
  }
  const tookMs = performance.now() - from;
  db.close();
  return tookMs;
}

/** Milliseconds for the two events of `count` messages, `inHand` of them at a time. */
export function bareEvents(count: number, inHand: number): number {
  const actor = createActor(gatewayMachine, { input: { supervisor: 'none' } }).start();
  actor.send({ type: 'started' });
  const from = performance.now();
  for (let n = 0; n < count; n += 1) {
    actor.send({ type: 'message.turn', id: `m_${n}`, agent: 'default', whenBusy: 'queue' });
    if (n >= inHand) actor.send({ type: 'work.settled', id: `m_${n - inHand}` });
  }
  return performance.now() - from;
}

function writeMessage(writes: Writes, n: number): void {
  const at = Date.now();
  const id = newId('m', at);
  const conversation = `local:${n % 64}`;
  const shared = { conversation, agent: 'default', life: 1 };
  writes.apply({
    op: 'receive',
    message: {
      ...{ id, platform: 'local', platformMessageId: `bare-${n}`, sender: 'local:owner', text: TEXT },
      ...{ kind: 'turn', whenBusy: 'interrupt', receivedAt: at, epoch: 1 },
      ...{ admission: 'dispatch', reason: null, phase: 'started' },
      ...shared,
    },
  });
  writes.apply({
    op: 'turn.start',
    turn: { id: newId('t', at), startedAt: at, effects: true, ...shared },
    messages: [id],
  });
  const events = [
    { type: 'message.turn', id, agent: 'default', whenBusy: 'interrupt' },
    { type: 'work.settled', id },
  ];
  for (const [index, event] of events.entries()) {
    const row = { epoch: 1, number: 2 * n + index, at, state: 'running.healthy', context: CONTEXT };
    writes.addJournalRow({ ...row, event: JSON.stringify(event) }, 0);
  }
}
