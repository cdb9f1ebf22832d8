/**
 * A model server in a process of its own, for benchmarks: says its address over IPC, and answers by what it is asked.
 *
 * `first`: after a pause one token that holds the time at which it was sent, in nanoseconds of the machine's monotonic
 * clock, with the head in the same packet. `tokens N`: so many tokens at 50 a second. Those of all answers leave at
 * once, as from a server that computes its streams in one batch: the hardest way to get them.
 */
import { type Asked, OpenAiStandIn } from '../../support/openai-stand-in.ts';

const TOKENS_PER_SECOND = 50;

/** How long a model thinks before its first token: its question has been dealt with by then. */
const THINKING_MS = 5;

interface Answering {
  readonly asked: Asked;
  left: number;
}

const answering = new Set<Answering>();

const server = await OpenAiStandIn.start();
server.answer = (asked) => {
  // Nothing is kept: the memory of this process is none of the bench's business, but its collections take time.
  server.asked.length = 0;
  const [, count] = /^tokens (\d+)$/.exec(asked.question) ?? [];
  if (count !== undefined) answering.add({ asked, left: Number(count) });
  else setTimeout(first, THINKING_MS, asked);
};

function first(asked: Asked): void {
  asked.response.socket?.cork();
  asked.say(`at ${process.hrtime.bigint()}.`);
  asked.response.socket?.uncork();
  setTimeout(() => asked.end(), THINKING_MS);
}

let from = performance.now();
let told = 0;
setInterval(() => {
  if (answering.size === 0) {
    from = performance.now();
    told = 0;
  }
  const due = Math.floor(((performance.now() - from) * TOKENS_PER_SECOND) / 1000);
  for (; told < due; told += 1) for (const one of answering) token(one);
}, 1);

function token(one: Answering): void {
  one.left -= 1;
  one.asked.say(' token');
  if (one.left > 0) return;
  one.asked.end();
  answering.delete(one);
}

process.once('disconnect', () => process.exit());
process.send?.(server.port);
