/** What a caller is told whose gateway died: by what that had written into the store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { asRecorded, endUndecided } from '../../src/cli/exec-endings.ts';
import { Interrupts } from '../../src/cli/interrupts.ts';
import { systemClock } from '../../src/clock.ts';
import { homePaths } from '../../src/config/paths.ts';
import { SluiceError } from '../../src/errors.ts';
import { createSignals } from '../../src/process/signals.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import type { Write } from '../../src/store/write.ts';
import { commandRow, daemonStart, outboundRow, receive } from '../store/sample-rows.ts';

const COMMAND = { name: 'slow', text: '/slow', id: 'mine' };
const DIED = new SluiceError('GATEWAY_DIED', 'the gateway died, and none follows it for 10 s');

const BEGUN: readonly Write[] = [
  receive('m_1', { platformMessageId: 'mine', kind: 'exec', phase: 'started' }),
  { op: 'command.receive', command: commandRow('c_1', 'm_1') },
  { op: 'command.start', id: 'c_1', at: 1_100 },
];

const END = { at: 1_200, exitCode: 0, signal: null, durationMs: 100, output: 'all done' };

const ENDED: readonly Write[] = [
  { op: 'command.end', end: { ...END, id: 'c_1', outcome: 'ran' } },
  { op: 'settle', id: 'm_1', outcome: 'ran', reason: null, at: 1_200 },
  {
    op: 'reply',
    outbound: outboundRow('o_1', 'm_1', { text: 'all done', kind: 'reply' }),
    deliveredAt: 1_200,
  },
];

/** A caller in a home whose gateway has died after these units. */
async function callerAfter(...units: (readonly Write[])[]) {
  const home = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const paths = homePaths(home, {});
  const options = { path: paths.store, reservePath: paths.reserve, clock: systemClock, onProblem: () => {} };
  const store = await openSqliteStore({ ...options, migrate: true });
  await store.begin(daemonStart);
  for (const unit of units) expect(await store.commit(unit)).toBe('committed');
  await store.close();
  const printed: string[] = [];
  const notes: string[] = [];
  const output = {
    print: (text: string) => void printed.push(text),
    note: (text: string) => void notes.push(text),
  };
  const context = { output, paths, home, json: false, env: {}, cwd: '/', version: '0' };
  return { context: context as unknown as Context, printed, notes };
}

test('an end that was written down is told as if the gateway had said it', async () => {
  const { context, printed, notes } = await callerAfter(BEGUN, ENDED);
  expect(await asRecorded(context, COMMAND, undefined, DIED)).toMatchObject({
    admission: { admission: 'dispatch', duplicate: true },
    settled: { outcome: 'ran', replies: ['all done'], exitCode: 0 },
  });
  expect(printed).toEqual(['all done']);
  expect(notes).toEqual(['the gateway died, and none follows it for 10 s; it had recorded how /slow ended']);
});

test('what was printed already is not printed again', async () => {
  const { context, printed } = await callerAfter(BEGUN, ENDED);
  await asRecorded(context, COMMAND, 'all done', DIED);
  expect(printed).toEqual([]);
});

test('one that had begun has no known end, and the next step names the home', async () => {
  const { context } = await callerAfter(BEGUN);
  await expect(asRecorded(context, COMMAND, undefined, DIED)).rejects.toMatchObject({
    code: 'GATEWAY_DIED',
    message: expect.stringMatching(/^the gateway died, .* 10 s\. Its end is not known: .* it had begun\.$/),
    hint: expect.stringContaining(
      `sluice run --home ${context.home}\` ends what is left of it. How it ended, then: `,
    ),
  });
});

test('one that had not begun is begun by a start in time, and the next step says so', async () => {
  const { context } = await callerAfter([
    receive('m_1', { platformMessageId: 'mine', kind: 'exec', phase: 'received' }),
    { op: 'command.receive', command: commandRow('c_1', 'm_1') },
  ]);
  const shown = `sluice messages show mine --home ${context.home}`;
  await expect(asRecorded(context, COMMAND, undefined, DIED)).rejects.toMatchObject({
    message: expect.stringMatching(/ and by then it had not begun\.$/),
    hint: expect.stringMatching(
      new RegExp(
        `sluice run --home ${context.home}\` begins it within 60 s of its being sent, and not later\\. How it ended, then: .*${shown}$`,
      ),
    ),
  });
});

test('one of which nothing was recorded may be running still', async () => {
  const { context } = await callerAfter();
  await expect(asRecorded(context, COMMAND, undefined, DIED)).rejects.toMatchObject({
    message: 'the gateway died, and none follows it for 10 s. Nothing of /slow was recorded.',
    hint: 'See what it did before you send it again: it may be running still.',
  });
});

test('one that was interrupted undecided, and that the gateway had ended by then, is answered by its end', async () => {
  const { context, printed } = await callerAfter(BEGUN, ENDED);
  const host = { on: () => {}, removeAllListeners: () => {} };
  const interrupts = new Interrupts(
    createSignals(
      host,
      () => 0,
      () => false,
    ),
  );
  expect(await endUndecided(context, COMMAND, interrupts)).toMatchObject({ settled: { outcome: 'ran' } });
  expect(printed).toEqual(['all done']);
});
