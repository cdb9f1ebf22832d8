/**
 * A chat without a terminal: each line of the input is a message, sent when the one before has its answer. Leaves
 * with 0 at the end of the input, with 3 when a message was refused, with 1 when one failed; the worst counts. Where
 * no gateway runs it says so before it reads anything.
 */
import { systemClock as clock } from '../../clock.ts';
import { SluiceError } from '../../errors.ts';
import { newId } from '../../messages/ids.ts';
import { readOwner } from '../../process/runtime-status.ts';
import { type Context, EXIT, reportReply } from '../context.ts';
import { standing } from '../departure.ts';
import { followText } from '../follow-text.ts';

/** How long until the outcome: a turn may be kept over a restart. */
const OUTCOME_MS_MAX = 3_600_000;

/** More of a line is not kept; the gateway refuses half of that, and says why. */
export const LINE_CHARS_MAX = 512 * 1024;

/** Results that `--json` prints at most, the newest; it says how many came before them. */
export const RESULTS_MAX = 10_000;

export async function chatByLines(
  context: Context,
  input: AsyncIterable<Buffer | string>,
  conversation: string,
): Promise<number> {
  await present(context);
  const codes = new Set<number>();
  const results: unknown[] = [];
  let leftOut = 0;
  for await (const line of linesOf(input)) {
    if (context.output.closed) break;
    if (line.trim() === '') continue;
    const { code, result } = await exchange(context, line, conversation);
    codes.add(code);
    if (!context.json) continue;
    results.push({ sent: line, ...result });
    if (results.length <= RESULTS_MAX) continue;
    results.shift();
    leftOut += 1;
  }
  if (context.json) context.output.json({ messages: results, leftOut });
  if (codes.has(EXIT.refused)) return EXIT.refused;
  return codes.has(EXIT.failed) ? EXIT.failed : EXIT.done;
}

/** Waits for a gateway that has no socket just now. Throws NO_GATEWAY where there is none. */
async function present(context: Context): Promise<void> {
  const status = await standing(context, readOwner(context.paths));
  if (status === undefined) throw new SluiceError('NO_GATEWAY', 'the gateway has left');
}

/** Sends one line and prints its answer. */
async function exchange(context: Context, text: string, conversation: string) {
  const id = newId('m', clock.wallMs());
  const body = { text, id, conversation };
  const followed = await followText(context, body, { clock, wait: true, timeoutMs: OUTCOME_MS_MAX });
  const { admission, settled, refusal } = followed;
  if (refusal !== undefined) {
    return { code: reportReply({ output: context.output, json: false }, refusal.json), result: refusal.json };
  }
  const result = { ...admission, ...settled };
  if (admission?.admission === 'refuse') return { code: EXIT.refused, result };
  const isWell = settled?.outcome !== 'failed' && settled?.outcome !== 'interrupted';
  return { code: isWell ? EXIT.done : EXIT.failed, result };
}

/** Lines without their ends, the last one also where none ends it; of one that is too long the beginning. */
export async function* linesOf(input: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const [first = '', ...others] = text.split('\n');
    rest = joined(rest, first);
    for (const next of others) {
      yield rest.replace(/\r$/, '');
      rest = joined('', next);
    }
  }
  rest = joined(rest, decoder.decode());
  if (rest !== '') yield rest.replace(/\r$/, '');
}

const joined = (line: string, more: string): string =>
  line.length >= LINE_CHARS_MAX ? line : (line + more).slice(0, LINE_CHARS_MAX);
