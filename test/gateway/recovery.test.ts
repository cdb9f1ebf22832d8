/** What a start decides about each message of a dead life. The expectations are written by hand, row by row. */
import { describe, expect, test } from 'vitest';
import { COMMAND_AGE_MS_MAX, planOf, recover } from '../../src/gateway/recovery.ts';
import type { Life, MessageRow, OpenWork, StoredMessage } from '../../src/store/store.ts';
import { commandRow, messageRow, turnRow } from '../store/sample-rows.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProcesses, keptLog } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';

const life: Life = { id: 9, kind: 'daemon', epoch: 5, pid: 1, startTime: '', bootId: '' };
const NOW = 1_000_000;

const stored = (id: string, more: Partial<MessageRow> = {}): StoredMessage => ({
  ...messageRow(id, more),
  outcome: null,
  settledAt: null,
  recorded: true,
});

const work = (more: Partial<OpenWork>): OpenWork => ({
  messages: [],
  turns: [],
  commands: [],
  outbound: [],
  ...more,
});

const command = (phase: MessageRow['phase'], startedAt: number | null, ageMs: number) =>
  work({
    messages: [stored('m_1', { kind: 'exec', phase, receivedAt: NOW - ageMs })],
    commands: [{ ...commandRow('c_1', 'm_1', { name: 'up' }), startedAt }],
  });

describe('of a dead life', () => {
  test.each(['held', 'waiting'] as const)('a message that was %s is held again', (phase) => {
    const plan = planOf(work({ messages: [stored('m_1', { phase })] }), life, NOW);
    expect(plan.held.map(({ id }) => id)).toEqual(['m_1']);
    expect(plan.writes).toEqual([{ op: 'adopt', id: 'm_1', phase: 'held', life: 9 }]);
    expect(plan.settled).toEqual([]);
  });

  test('a turn that ran is interrupted, and its sender is told that the answer is lost', () => {
    const open = work({
      messages: [stored('m_1', { phase: 'started' })],
      turns: [{ ...turnRow('t_1'), messageIds: ['m_1'] }],
    });
    const plan = planOf(open, life, NOW);
    expect(plan.writes).toMatchObject([
      { op: 'turn.end', id: 't_1', outcome: 'interrupted', reason: 'gateway-died' },
      { op: 'settle', id: 'm_1', outcome: 'interrupted', reason: 'gateway-died', at: NOW },
      { op: 'reply', outbound: { messageId: 'm_1', life: 9 } },
    ]);
    expect(plan.settled[0]?.text).toMatch(
      /^The gateway went down while this was being answered, and the answer was not kept/,
    );
    expect(plan.held).toEqual([]);
  });

  test('a command that ran is interrupted and never run again by itself', () => {
    const plan = planOf(command('started', NOW - 10, 20), life, NOW);
    expect(plan.commands).toEqual([]);
    expect(plan.writes).toMatchObject([
      { op: 'command.end', end: { id: 'c_1', outcome: 'interrupted' } },
      { op: 'settle', outcome: 'interrupted' },
      { op: 'reply' },
    ]);
    expect(plan.settled[0]?.text).toMatch(/while \/up ran\. It is not run again by itself/);
  });

  test('a command that had not begun runs while it is young, and expires after a minute', () => {
    expect(planOf(command('received', null, COMMAND_AGE_MS_MAX - 1), life, NOW).commands).toMatchObject([
      { id: 'm_1' },
    ]);
    const old = planOf(command('received', null, COMMAND_AGE_MS_MAX), life, NOW);
    expect(old.commands).toEqual([]);
    expect(old.writes[0]).toMatchObject({ op: 'settle', outcome: 'expired', reason: 'too-old' });
    expect(old.settled[0]?.text).toMatch(/^\/up was not run: .*Send it again/);
  });

  test('a control command that was cut off is interrupted', () => {
    const plan = planOf(
      work({ messages: [stored('m_1', { kind: 'control', phase: 'received' })] }),
      life,
      NOW,
    );
    expect(plan.writes[0]).toMatchObject({ op: 'settle', outcome: 'interrupted' });
  });

  test('messages are held in the order in which they arrived', () => {
    const messages = ['m_1', 'm_2', 'm_3'].map((id) => stored(id, { phase: 'waiting' }));
    expect(planOf(work({ messages }), life, NOW).held.map(({ id }) => id)).toEqual(['m_1', 'm_2', 'm_3']);
  });
});

describe('a recovery', () => {
  const messages = [stored('m_1', { phase: 'started' }), stored('m_2', { phase: 'waiting' })];
  const turns = [{ ...turnRow('t_1'), messageIds: ['m_1'] }];

  const recovery = () => {
    const store = new MemoryStore();
    // Their rows, as the dead life wrote them.
    for (const message of messages) store.tables.applyUnit([{ op: 'receive', message }]);
    store.openWork = async () => work({ messages, turns });
    store.openLives = async () => [
      { ...life, id: 7 },
      { ...life, id: 8 },
    ];
    const processes = new FakeProcesses();
    const { log, lines } = keptLog();
    const run = () =>
      recover({ store, processes, clock: new FakeClock(NOW), log, life, isLiving: ({ id }) => id === 8 });
    return { store, processes, lines, run };
  };

  test('is one commit, so that one which failed can be made again', async () => {
    const { store, run } = recovery();
    store.fail();
    await expect(run()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(store.units).toEqual([]);
    store.writable = true;
    expect((await run()).held).toHaveLength(1);
    expect(store.units.map((unit) => unit.map(({ op }) => op))).toEqual([
      ['turn.end', 'settle', 'reply', 'adopt', 'life.end'],
    ]);
  });

  test('ends the processes of the dead before anything else, and leaves a living life alone', async () => {
    const { store, processes, lines, run } = recovery();
    await run();
    expect(processes.swept).toEqual([new Set(['t_1'])]);
    expect(store.units.flat()).toContainEqual({ op: 'life.end', id: 7, at: NOW, code: null, cause: 'died' });
    expect(store.units.flat()).not.toContainEqual(expect.objectContaining({ op: 'life.end', id: 8 }));
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'recovered', interrupted: 1, held: 1, deadLives: 1 }),
    );
  });
});
