/**
 * A restart in place replaces the program in its process, and signals keep coming. Whatever the instant: a stop is
 * never lost, and what the gateway has accepted is never lost with it (docs/decisions/0015).
 */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';

/** Milliseconds after the old life's last word: its undoing, the exchange of programs, the new one's start, its work. */
const INSTANTS_MS = [0, 1, 2, 3, 5, 9, 15, 25, 45, 80, 150, 300];

const restarting = (gateway: TestGateway) =>
  gateway.log((line) => line.msg === 'restarting in place', 'the old life to leave');

const starts = (gateway: TestGateway) => gateway.lines.filter((line) => / starts in /.test(line.msg)).length;

/** How long a gateway may take to leave, by far; one that is still there then has not heard the signal. */
const LEAVES_MS_MAX = 10_000;

/**
 * Of all instants. A signal is lost in the tenth of a millisecond before the old life's handlers are given back, which the
 * instants after its last word come near to; then whoever asked asks once more.
 */
const LOST_MAX = 3;

/** True when it left by the first signal. */
async function leavesAtOnce(gateway: TestGateway, signal: 'SIGTERM' | 'SIGINT'): Promise<boolean> {
  gateway.signal(signal);
  const waited = Symbol();
  const first = await Promise.race([gateway.exited, systemClock.delay(LEAVES_MS_MAX).then(() => waited)]);
  if (first === waited) gateway.signal(signal);
  return first !== waited;
}

/** A gateway in the middle of a restart in place, with a message that the next life owes an answer. */
async function inTheMiddle(folder: TestFolder, id: string): Promise<TestGateway> {
  folder.fifo('busy');
  const gateway = await TestGateway.start({ folder });
  void gateway.send('wait busy', { conversation: 'busy' }).catch(() => {});
  // This one and not what an earlier life has left to be answered: it is what the drain waits for.
  await gateway.log((line) => line.msg === 'turn started' && line.conversation === 'local:busy', 'its turn');
  gateway.signal('SIGUSR1');
  await gateway.entered('draining.waiting');
  const kept = await gateway.post('after the restart', { id, whenBusy: 'queue' });
  expect(kept.json).toMatchObject({ admission: 'hold' });
  await folder.release('busy');
  await restarting(gateway);
  return gateway;
}

describe('a stop in the middle of a restart in place', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s is obeyed, and costs no message at any instant',
    async (signal) => {
      using folder = new TestFolder();
      folder.writeConfig(testConfig());
      const seen = new Set<string>();
      let lost = 0;
      for (const ms of INSTANTS_MS) {
        await using gateway = await inTheMiddle(folder, `kept-${ms}`);
        await systemClock.delay(ms);
        if (!(await leavesAtOnce(gateway, signal))) lost += 1;
        const left = await gateway.exited;
        // By the chart of one of the two lives, or between them by the signal itself.
        expect([
          { code: 0, signal: null },
          { code: null, signal },
        ]).toContainEqual(left);
        seen.add(left.signal === null ? `stopped in life ${starts(gateway)}` : 'between the lives');
        // Between them nothing is open: the old life's end is on disk, and a new one has not begun.
        if (left.signal !== null) {
          expect(storeRows(folder.home, 'SELECT id FROM lives WHERE ended_at IS NULL')).toEqual([]);
        }
      }
      expect(seen).toContain('between the lives');
      expect(lost).toBeLessThanOrEqual(LOST_MAX);
      await using next = await TestGateway.start({ folder });
      for (const ms of INSTANTS_MS) {
        expect(await next.outcome(`kept-${ms}`)).toMatchObject({
          outcome: 'answered',
          replies: ['echo: after the restart\n'],
        });
      }
      await next.stop();
    },
  );
});
