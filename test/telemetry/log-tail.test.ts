/** The last lines in memory: bounded, numbered, and handed to whoever listens. */
import { describe, expect, test } from 'vitest';
import { LogTail, TAIL_CHARS_MAX, TAIL_LINES_MAX } from '../../src/telemetry/log-tail.ts';

const noProblem = (message: string) => expect.unreachable(message);
const notDropped = () => expect.unreachable('dropped');

const numbersOf = (lines: readonly { number: number }[]) => lines.map(({ number }) => number);

describe('the tail of a log', () => {
  test('keeps the newest lines, and no more than its bounds', () => {
    const tail = new LogTail('life', noProblem);
    for (let i = 0; i < TAIL_LINES_MAX + 10; i += 1) tail.add(`${i}\n`);
    expect(numbersOf(tail.after(0))).toEqual(Array.from({ length: TAIL_LINES_MAX }, (_, i) => i + 11));
    for (let i = 0; i < 20; i += 1) tail.add(`${'x'.repeat(TAIL_CHARS_MAX / 10)}\n`);
    expect(tail.after(0)).toHaveLength(10);
    expect(tail.number).toBe(TAIL_LINES_MAX + 30);
  });

  test('gives what came after a line, the newest of it, or nothing', () => {
    const tail = new LogTail('life', noProblem);
    for (const line of ['a', 'b', 'c']) tail.add(`${line}\n`);
    expect(tail.after(1)).toEqual([
      { number: 2, line: 'b' },
      { number: 3, line: 'c' },
    ]);
    expect(numbersOf(tail.after(0, 2))).toEqual([2, 3]);
    expect(tail.after(0, 0)).toEqual([]);
    expect(tail.after(3)).toEqual([]);
  });

  test('tells who listens, until they have heard enough', () => {
    const tail = new LogTail('life', noProblem);
    const heard: string[] = [];
    tail.add('before\n');
    const listening = tail.listen(({ number, line }) => heard.push(`${number} ${line}`), notDropped);
    tail.add('now\n');
    listening[Symbol.dispose]();
    tail.add('later\n');
    expect(heard).toEqual(['2 now']);
  });

  test('goes on without a listener that throws, says so, and tells the others each line in order', () => {
    const problems: string[] = [];
    // As the log does: what is said of the problem is its next line.
    const tail: LogTail = new LogTail('life', (message) => {
      problems.push(message);
      tail.add(`${message}\n`);
    });
    const heard: number[] = [];
    const dropped: string[] = [];
    const broken = () => {
      throw new Error('planted');
    };
    tail.listen(broken, () => dropped.push('first'));
    tail.listen(
      ({ number }) => heard.push(number),
      () => dropped.push('good'),
    );
    tail.listen(broken, () => dropped.push('last'));
    tail.add('a\n');
    tail.add('b\n');
    expect(dropped).toEqual(['first', 'last']);
    expect(problems).toEqual(Array(2).fill('a follower of the log was dropped: planted'));
    expect(heard).toEqual([1, 2, 3, 4]);
    expect(tail.after(3)).toEqual([{ number: 4, line: 'b' }]);
  });
});
