/** The last lines in memory: bounded, numbered, and handed to whoever listens. */
import { describe, expect, test } from 'vitest';
import { LogTail, TAIL_CHARS_MAX, TAIL_LINES_MAX } from '../../src/telemetry/log-tail.ts';

const numbersOf = (lines: readonly { number: number }[]) => lines.map(({ number }) => number);

describe('the tail of a log', () => {
  test('keeps the newest lines, and no more than its bounds', () => {
    const tail = new LogTail('life');
    for (let i = 0; i < TAIL_LINES_MAX + 10; i += 1) tail.add(`${i}\n`);
    expect(numbersOf(tail.after(0))).toEqual(Array.from({ length: TAIL_LINES_MAX }, (_, i) => i + 11));
    for (let i = 0; i < 20; i += 1) tail.add(`${'x'.repeat(TAIL_CHARS_MAX / 10)}\n`);
    expect(tail.after(0)).toHaveLength(10);
    expect(tail.number).toBe(TAIL_LINES_MAX + 30);
  });

  test('gives what came after a line, the newest of it, or nothing', () => {
    const tail = new LogTail('life');
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
    const tail = new LogTail('life');
    const heard: string[] = [];
    tail.add('before\n');
    const listening = tail.listen(({ number, line }) => heard.push(`${number} ${line}`));
    tail.add('now\n');
    listening[Symbol.dispose]();
    tail.add('later\n');
    expect(heard).toEqual(['2 now']);
  });
});
