/**
 * The demo agent of the quickstart: reads one message from its standard input and streams an answer, word by word.
 * It is no language model and says so. "wait 20" makes a long turn, so that a drain or a restart can be watched.
 * It needs nothing but Node, and a request to end (SIGTERM) ends it at once, with a last line that says so.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** Longest turn a message can ask for. */
const SECONDS_MAX = 600;

/** Most of a message that is read and repeated; the gateway bounds it as well. */
const MESSAGE_LENGTH_MAX = 2_000;

const WORD_DELAY_MS = 25;

/** What an ended program returns to a shell that sent it SIGTERM. */
const EXIT_TERMINATED = 143;

const HELP = [
  'I am the built-in demo agent: a small program, not a language model.',
  'Write "wait 20" (or "count to 20") and I work for 20 seconds, one line each;',
  'run `sluice restart` meanwhile and see that I am allowed to finish.',
  'To talk to a real agent, put its command under `agent` in a sluice.yaml.',
].join('\n');

process.on('SIGTERM', () =>
  process.stdout.write('\nStopped: asked to end.\n', () => process.exit(EXIT_TERMINATED)),
);
// The reader has gone: nobody is left to answer.
process.stdout.on('error', () => process.exit(EXIT_TERMINATED));

await answer(await readMessage());

async function readMessage() {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    if (text.length < MESSAGE_LENGTH_MAX) text += chunk;
  }
  return text.slice(0, MESSAGE_LENGTH_MAX).trim();
}

async function answer(message) {
  const seconds = /\b(?:wait|sleep|count(?:\s+to)?)\s+(\d{1,6})\b/i.exec(message)?.[1];
  if (seconds !== undefined) return count(Math.min(Number(seconds), SECONDS_MAX));
  if (message === '' || /^(?:help|hi|hello|hey|who are you)\b/i.test(message)) return say(HELP);
  const words = message.split(/\s+/).length;
  return say(
    `I am the built-in demo agent and can only repeat. You wrote ${words} ${words === 1 ? 'word' : 'words'}:\n` +
      `${message}\nWrite "help" to see what else I do.`,
  );
}

/** One line a second, so that a person sees that the turn is alive. */
async function count(seconds) {
  await say(`The demo agent works for ${seconds} s.`);
  for (let second = 1; second <= seconds; second += 1) {
    await delay(1_000);
    process.stdout.write(`${second} of ${seconds}\n`);
  }
  await say('Done.');
}

async function say(text) {
  for (const piece of text.match(/\s*\S+/g) ?? []) {
    process.stdout.write(piece);
    await delay(WORD_DELAY_MS);
  }
  process.stdout.write('\n');
}
