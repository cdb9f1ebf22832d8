/** What a run undoes at its end: in reverse, each piece whatever became of the others, and not for ever. */
import { describe, expect, test } from 'vitest';
import { Acquired, LEAVING_MS_MAX } from '../src/daemon/acquired.ts';
import { FakeClock } from './support/fake-clock.ts';

const EXIT = { code: 1, reexecute: false, cause: 'SIGTERM', actor: 'signal' } as const;

function acquiring() {
  const clock = new FakeClock();
  const logged: unknown[] = [];
  const left: number[] = [];
  const log = (facts: object, text: string) => logged.push({ ...facts, text });
  const acquired = new Acquired({
    clock,
    log: { error: log, fatal: log } as unknown as ConstructorParameters<typeof Acquired>[0]['log'],
    leaveNow: (code) => left.push(code),
    activeResources: () => ['PipeWrap', 'Timeout', 'PipeWrap'],
  });
  return { acquired, clock, logged, left };
}

describe('leaving', () => {
  test('undoes in reverse, and a piece that fails is logged and skips no other', async () => {
    const { acquired, logged } = acquiring();
    const undone: string[] = [];
    acquired.defer('the lock', () => undone.push('lock'));
    acquired.defer('the store', async () => {
      throw new Error('read-only');
    });
    acquired.defer('HTTP', () => {
      undone.push('HTTP');
      throw new Error('busy');
    });
    await acquired[Symbol.asyncDispose]();
    expect(undone).toEqual(['HTTP', 'lock']);
    expect(logged).toEqual([
      { error: 'busy', text: 'could not end HTTP' },
      { error: 'read-only', text: 'could not end the store' },
    ]);
  });

  test('past its limit leaves with the exit that was decided, and names what held it', async () => {
    const { acquired, clock, logged, left } = acquiring();
    const held = Promise.withResolvers<void>();
    acquired.defer('the lock', () => {});
    acquired.defer('the store', () => held.promise);
    acquired.limit(EXIT);
    const undone = acquired[Symbol.asyncDispose]();
    await clock.advance(LEAVING_MS_MAX - 1);
    expect(left).toEqual([]);
    await clock.advance(1);
    expect(left).toEqual([1]);
    expect(logged).toEqual([
      {
        code: 1,
        held: 'the store',
        active: ['PipeWrap', 'Timeout'],
        text: 'left without waiting any longer for the store',
      },
    ]);
    held.resolve();
    await undone;
  });

  test('within its limit leaves no timer behind', async () => {
    const { acquired, clock, left } = acquiring();
    acquired.limit(EXIT);
    await acquired[Symbol.asyncDispose]();
    await clock.advance(LEAVING_MS_MAX);
    expect(left).toEqual([]);
  });
});
