import { describe, expect, test } from 'vitest';
import { startCommand } from '../support/line-process.ts';
import { StoreHome } from './store-home.ts';

const ROUNDS = 10;
/** The kill comes after this many acknowledgements, and one more each round, so that it falls at different points. */
const ACKNOWLEDGED_MIN = 40;

const writer = (path: string, round: number) =>
  startCommand(process.execPath, [
    new URL('./writing-process.ts', import.meta.url).pathname,
    path,
    `${round}`,
  ]);

describe('a process that is killed while it writes', () => {
  test('has on disk whatever it had acknowledged, whole, in every of ten rounds', async () => {
    await using home = new StoreHome();
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await using child = writer(home.path, round);
      for (let count = 0; count < ACKNOWLEDGED_MIN + round; count += 1) {
        acknowledged.push(await child.nextLine());
      }
      process.kill(child.pid, 'SIGKILL');
      expect((await child.ended).signal).toBe('SIGKILL');
      acknowledged.push(...(await child.restOfLines()));
    }

    const store = await home.open();
    expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS * ACKNOWLEDGED_MIN);
    const found = new Set(home.query('SELECT id FROM inbox').map(({ id }) => id));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    // A unit is there whole or not at all, acknowledged or not.
    const replies = home.query('SELECT message_id AS id FROM outbox').map(({ id }) => id);
    expect(new Set(replies)).toEqual(found);
    expect(home.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    expect(store.writable).toBe(true);
    expect(home.problems).toEqual([]);
  });
});
