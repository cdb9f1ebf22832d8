/**
 * What a start makes of lives that were ended in the middle of their leaving: no deaths, and their work is recovered as
 * after one. The expectations are written by hand, end by end.
 */
import { expect, test } from 'vitest';
import { type LastWord, recover } from '../../src/gateway/recovery.ts';
import type { LifeStart } from '../../src/store/store.ts';
import { commandRow, messageRow, turnRow } from '../store/sample-rows.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProcesses, keptLog } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';

const AT = 1_700_000_000_000;
const daemon: LifeStart = {
  ...{ kind: 'daemon', pid: 1, startTime: '', bootId: '', version: '1', startedAt: AT, epochAbove: 0 },
};
/** One death is too many. */
const safeMode = { deaths: 1, withinMs: 60_000, slowDeaths: 1, slowWithinMs: 60_000, quietMs: 120_000 };

/** A start after a life that worked on a turn and a command and whose end was this one; undefined: it said nothing. */
async function startAfter(end: Omit<LastWord, 'at'> | undefined) {
  const store = new MemoryStore();
  const clock = new FakeClock();
  const dead = await store.begin(daemon);
  const receivedAt = clock.wallMs() - 1000;
  const message = (id: string, kind: 'turn' | 'exec') =>
    messageRow(id, { life: dead.id, kind, phase: 'started', receivedAt });
  await store.commit([
    { op: 'receive', message: message('m_1', 'turn') },
    { op: 'turn.start', turn: { ...turnRow('t_1'), life: dead.id, effects: true }, messages: ['m_1'] },
    { op: 'receive', message: message('m_2', 'exec') },
    { op: 'command.receive', command: commandRow('c_2', 'm_2', { name: 'up', life: dead.id }) },
    { op: 'command.start', id: 'c_2', at: receivedAt },
  ]);
  const life = await store.begin(daemon);
  const recovered = await recover({
    ...{ store, clock, life, safeMode, processes: new FakeProcesses(), log: keptLog().log },
    isLiving: () => false,
    resume: { resume: 'auto', maxAgeMs: 86_400_000, onExpired: 'ask' },
    textCharsMax: () => undefined,
    ...(end === undefined ? {} : { lastWordOf: () => ({ ...end, at: AT }) }),
  });
  const written = store.units.flat();
  return {
    isCrashLoop: recovered.crashLoop,
    counted: written.filter(({ op }) => op === 'session.crashed').length,
    turn: written.find((write) => write.op === 'turn.end')?.reason,
    ends: written.filter((write) => write.op === 'life.end').map(({ code, cause }) => ({ code, cause })),
    texts: recovered.outbound.map(({ text }) => text),
  };
}

const WENT_DOWN = expect.stringMatching(/went down while this was being answered/);
const RAN_MEANWHILE = expect.stringMatching(/^The gateway went down while \/up ran\. It is not run again/);
const UNRECORDED = expect.stringMatching(/^What came of \/up could not be recorded/);

test.each([
  ['nothing', undefined, { code: null, cause: 'died' }],
  ['a defect', { code: 70, cause: 'fault' }, { code: 70, cause: 'fault' }],
  ['a defect, and a person who would not wait', { code: 130, cause: 'fault' }, { code: 130, cause: 'fault' }],
])('a life that says %s has died', async (_, end, written) => {
  expect(await startAfter(end)).toEqual({
    ...{ isCrashLoop: true, counted: 1, turn: 'gateway-died', ends: [written] },
    // What a life in safe mode has to tell is promised for later.
    texts: [RAN_MEANWHILE],
  });
});

test.each([
  ['that it was cut off', { code: null, cause: 'cut-off' }],
  ['that a person pressed Ctrl-C three times', { code: 130, cause: 'SIGINT' }],
])('a life that says %s has not, and its work was interrupted all the same', async (_, end) => {
  expect(await startAfter(end)).toEqual({
    ...{ isCrashLoop: false, counted: 0, turn: 'gateway-died', ends: [end] },
    texts: [WENT_DOWN, RAN_MEANWHILE],
  });
});

test('a life that came to its end has let its command end, whose end nobody knows', async () => {
  expect(await startAfter({ code: 0, cause: 'SIGINT' })).toMatchObject({
    ...{ isCrashLoop: false, counted: 0, turn: 'gateway-left' },
    texts: [expect.any(String), UNRECORDED],
  });
});

test('a life that was cut off counts towards no quarantine, also beside one that died without having begun anything', async () => {
  const store = new MemoryStore();
  const clock = new FakeClock();
  const asked = await store.begin(daemon);
  await store.commit([
    { op: 'session.crashed', conversation: 'local:cli', at: AT },
    { op: 'session.crashed', conversation: 'local:cli', at: AT },
    {
      op: 'receive',
      message: messageRow('m_1', {
        ...{ life: asked.id, kind: 'turn', phase: 'started', receivedAt: clock.wallMs() - 1000 },
      }),
    },
    { op: 'turn.start', turn: { ...turnRow('t_1'), life: asked.id, effects: false }, messages: ['m_1'] },
  ]);
  await store.begin(daemon);
  const life = await store.begin(daemon);
  const before = store.units.length;
  const { quarantined, held } = await recover({
    ...{ store, clock, life, safeMode: null, processes: new FakeProcesses(), log: keptLog().log },
    isLiving: () => false,
    resume: { resume: 'auto', maxAgeMs: 86_400_000, onExpired: 'ask' },
    textCharsMax: () => undefined,
    lastWordOf: ({ id }) => (id === asked.id ? { code: null, cause: 'cut-off', at: AT } : undefined),
  });
  expect(quarantined).toEqual([]);
  expect(held).toMatchObject([{ id: 'm_1' }]);
  const written = store.units.slice(before).flat();
  // The one that died found the conversation idle.
  expect(written.flatMap((write) => (write.op.startsWith('session.') ? [write.op] : []))).toEqual([
    'session.calm',
  ]);
  expect(written).toContainEqual(expect.objectContaining({ op: 'turn.end', reason: 'gateway-died' }));
});
