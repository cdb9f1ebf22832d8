/** Lines from a pipe, however it cuts them, and what comes of very many. */
import { expect, test } from 'vitest';
import { chatByLines, LINE_CHARS_MAX, linesOf, RESULTS_MAX } from '../../../src/cli/chat/lines.ts';
import type { Context } from '../../../src/cli/context.ts';
import type { StreamOptions } from '../../../src/control/client.ts';

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

/** A chat with a gateway that answers each message with its text; gives the document that `--json` prints. */
async function documentOf(
  lines: readonly string[],
): Promise<{ messages: { sent: string }[]; leftOut: number }> {
  const printed: unknown[] = [];
  const context = {
    json: true,
    paths: { pid: '/nowhere/pid', status: '/nowhere/status' },
    output: { closed: false, json: (value: unknown) => printed.push(value) },
    control: {
      request: async () => ({ status: 200, json: { state: 'running.healthy' } }),
      stream: async (_path: string, body: { text: string }, { onEvent }: StreamOptions) => {
        onEvent({ event: 'admission', id: undefined, data: { kind: 'turn', admission: 'dispatch' } });
        onEvent({ event: 'settled', id: undefined, data: { outcome: 'answered', replies: [body.text] } });
      },
    },
  };
  const input = async function* () {
    yield lines.join('\n');
  };
  expect(await chatByLines(context as unknown as Context, input(), 'default')).toBe(0);
  expect(printed).toHaveLength(1);
  return printed[0] as Awaited<ReturnType<typeof documentOf>>;
}

test('of more than a document holds the newest stand in it, and how many came before them', async () => {
  const few = await documentOf(['one', 'two']);
  expect(few).toMatchObject({ messages: [{ sent: 'one', replies: ['one'] }, { sent: 'two' }], leftOut: 0 });
  const many = await documentOf(Array.from({ length: RESULTS_MAX + 3 }, (_, n) => `line ${n}`));
  expect(many.messages).toHaveLength(RESULTS_MAX);
  expect(many.messages[0]?.sent).toBe('line 3');
  expect(many.leftOut).toBe(3);
});
