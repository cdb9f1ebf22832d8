/** What a running turn has streamed is on disk about a second later, and costs a small multiple of its length. */
import { describe, expect, test } from 'vitest';
import { settled } from '../support/fake-clock.ts';
import { type GatewayCore, startCore } from '../support/gateway-core.ts';

/** A gateway with one running turn. */
async function withTurn(): Promise<GatewayCore> {
  const core = await startCore();
  await core.receive('hello');
  await settled();
  return core;
}

const streamedOf = async ({ store }: GatewayCore) => (await store.openWork([])).turns[0]?.streamed;

const written = ({ store }: GatewayCore) =>
  store.units.flat().flatMap((write) => (write.op === 'turn.progress' ? [write.streamed.length] : []));

describe('what a turn has streamed', () => {
  test('is on disk a second later, all of it in one go', async () => {
    const core = await withTurn();
    core.agent.say(0, 'one ');
    await core.clock.advance(500);
    core.agent.say(0, 'two');
    await core.clock.advance(499);
    expect(await streamedOf(core)).toBe('');
    await core.clock.advance(1);
    expect(await streamedOf(core)).toBe('one two');
    expect(written(core)).toEqual([7]);
  });

  test('is not written again while nothing is said', async () => {
    const core = await withTurn();
    core.agent.say(0, 'one');
    await core.clock.advance(60_000);
    expect(written(core)).toEqual([3]);
  });

  test('is written for all turns in one commit', async () => {
    const core = await withTurn();
    await core.receive('there', { conversation: 'local:other' });
    core.agent.say(0, 'one');
    core.agent.say(1, 'two');
    await core.clock.advance(1000);
    const units = core.store.units.filter((unit) => unit.some(({ op }) => op === 'turn.progress'));
    expect(units).toMatchObject([[{ streamed: 'one' }, { streamed: 'two' }]]);
  });

  test('costs no more than nine times its length, however long it gets', async () => {
    const core = await withTurn();
    for (let second = 0; second < 600; second += 1) {
      core.agent.say(0, 'x'.repeat(100));
      await core.clock.advance(1000);
    }
    const bytes = written(core).reduce((sum, length) => sum + length, 0);
    expect(bytes).toBeLessThanOrEqual(9 * 60_000 + 1000);
    // And an eighth of it at most is missing.
    expect((await streamedOf(core))?.length).toBeGreaterThanOrEqual((60_000 * 8) / 9 - 100);
  });

  test('during an outage is written after it, also when the turn says nothing more', async () => {
    const core = await withTurn();
    core.store.fail();
    core.agent.say(0, 'one');
    await core.clock.advance(5000);
    expect(await streamedOf(core)).toBe('');
    core.store.writable = true;
    await core.clock.advance(1000);
    expect(await streamedOf(core)).toBe('one');
  });

  test('is not looked at any more once its turn has ended', async () => {
    const core = await startCore();
    const { pending } = core.clock;
    await core.receive('hello');
    core.store.fail();
    core.agent.say(0, 'one');
    await core.clock.advance(1500);
    core.agent.end(0);
    await core.clock.advance(5000);
    expect(core.clock.pending).toBe(pending);
    expect(written(core)).toEqual([]);
  });
});
