import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoundedOutput } from '../../src/process/bounded-output.ts';

const bytes = (...values: number[]) => Buffer.from(values);

function keep(bytesMax: number, ...chunks: (string | Buffer)[]) {
  const output = new BoundedOutput(bytesMax);
  for (const chunk of chunks) output.push(Buffer.from(chunk));
  return output.finish();
}

test('output within the limit is kept whole', () => {
  expect(keep(10, 'hello', 'world')).toEqual({ text: 'helloworld', cutBytes: 0 });
  expect(keep(10)).toEqual({ text: '', cutBytes: 0 });
});

test('output past the limit keeps its beginning and its end, and says how much is missing between', () => {
  expect(keep(6, 'abcdefghij')).toEqual({ text: 'abc\n[… 4 bytes cut …]\nhij', cutBytes: 4 });
  expect(keep(6, 'abcde', 'f', 'g', 'hi', 'j')).toEqual({
    text: 'abc\n[… 4 bytes cut …]\nhij',
    cutBytes: 4,
  });
});

test('what is kept may be given in part, as if the limit had been smaller', () => {
  const all = 'abcdefghij';
  for (const [bytesMax, given] of [
    [10, 6],
    [8, 6],
    [6, 6],
    [8, 0],
  ] as const) {
    const output = new BoundedOutput(bytesMax);
    output.push(Buffer.from(all));
    expect(output.keptBytes).toBe(bytesMax);
    expect(output.finish(given)).toEqual(keep(given, all));
  }
});

test('a limit of nothing, or of one byte, still counts', () => {
  expect(keep(0, 'abc')).toEqual({ text: '\n[… 3 bytes cut …]\n', cutBytes: 3 });
  expect(keep(3, 'abcd')).toEqual({ text: 'ab\n[… 1 byte cut …]\nd', cutBytes: 1 });
  expect(keep(1, 'abc', 'd')).toEqual({ text: 'a\n[… 3 bytes cut …]\n', cutBytes: 3 });
});

test('a cut never halves a code point', () => {
  // Six bytes of room: the head would end inside the second "ä", the tail begin inside the last but one.
  expect(keep(6, 'ääääää')).toEqual({ text: 'ä\n[… 8 bytes cut …]\nä', cutBytes: 8 });
  expect(keep(10, '🦀🦀🦀🦀')).toEqual({ text: '🦀\n[… 8 bytes cut …]\n🦀', cutBytes: 8 });
});

test('however the output is chunked, the same is kept: the first and the last bytes', () => {
  const ascii = fc.string({ unit: fc.constantFrom(...'abcdefghij'), maxLength: 40 });
  fc.assert(
    fc.property(fc.array(ascii, { maxLength: 12 }), fc.integer({ min: 2, max: 60 }), (chunks, bytesMax) => {
      const all = chunks.join('');
      const { text, cutBytes } = keep(bytesMax, ...chunks);
      const headBytes = Math.ceil(bytesMax / 2);
      const parts = [all.slice(0, headBytes), all.slice(headBytes - bytesMax)];
      expect(text.split(/\n.*\n/)).toEqual(all.length <= bytesMax ? [all] : parts);
      expect(cutBytes).toBe(Math.max(0, all.length - bytesMax));
    }),
  );
});

test('the listener gets a code point that two chunks share whole, with the second', () => {
  const heard: string[] = [];
  const output = new BoundedOutput(100, (text) => heard.push(text));
  output.push(bytes(0x61, 0xf0, 0x9f));
  output.push(bytes(0xa6));
  output.push(bytes(0x80, 0x62));
  expect(heard).toEqual(['a', '🦀b']);
  expect(output.finish().text).toBe('a🦀b');
});

test('invalid bytes and a code point that never ends are replaced', () => {
  const heard: string[] = [];
  const output = new BoundedOutput(100, (text) => heard.push(text));
  output.push(bytes(0x61, 0xff, 0x62, 0xc3));
  expect(output.finish().text).toBe('a\ufffdb\ufffd');
  expect(heard).toEqual(['a\ufffdb', '\ufffd']);
});

test('the listener gets all of the output, also what is not kept', () => {
  let heard = '';
  const output = new BoundedOutput(4, (text) => {
    heard += text;
  });
  for (let line = 0; line < 100; line += 1) output.push(Buffer.from(`line ${line}\n`));
  expect(heard.split('\n')).toHaveLength(101);
  expect(output.finish().text).toMatch(/^li\n\[… \d+ bytes cut …\]\n9\n$/);
});
