/** Lines from a pipe, however it cuts them. */
import { expect, test } from 'vitest';
import { LINE_CHARS_MAX, linesOf } from '../../../src/cli/chat/lines.ts';

async function read(...chunks: (string | Buffer)[]): Promise<string[]> {
  const pipe = async function* () {
    yield* chunks;
  };
  const lines: string[] = [];
  for await (const line of linesOf(pipe())) lines.push(line);
  return lines;
}

test('are the same wherever the pieces end, in the middle of a character too', async () => {
  const bytes = Buffer.from('größe\r\n\n日本\nlast');
  const expected = ['größe', '', '日本', 'last'];
  expect(await read(bytes)).toEqual(expected);
  expect(await read(...Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(expected);
  expect(await read('a\n', 'b\n')).toEqual(['a', 'b']);
  expect(await read()).toEqual([]);
});

test('that never end are not kept whole', async () => {
  const [line = ''] = await read(...Array.from({ length: 20 }, () => 'x'.repeat(LINE_CHARS_MAX / 4)));
  expect(line.length).toBe(LINE_CHARS_MAX);
});
