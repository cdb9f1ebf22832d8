/**
 * The one place that writes to a terminal or a pipe. Answers go to stdout, everything else to stderr.
 * A terminal gets text only; a pipe gets every byte.
 */
import { textOnly } from '../telemetry/terminal-text.ts';
import { type Terminal, terminalOf } from './terminal.ts';

/** How much of the log may wait for a reader of stderr. */
export const LOG_BEHIND_BYTES_MAX = 4 * 1024 * 1024;

/** What a command writes to. A closed pipe (`… | head -1`) is no error: the rest is not wanted. */
export interface Output {
  /** An answer. */
  print(text: string): void;
  /** A piece of an answer, without a line break. */
  write(text: string): void;
  /** A whole line of an answer, with its line break, that has been made for what reads it: it may have colours. */
  line(text: string): void;
  /** The one JSON document of `--json`. */
  json(value: unknown): void;
  /** One of several: a line each, so that a reader can tell where one ends. */
  jsonLine(value: unknown): void;
  /** Progress, hints, errors. */
  note(text: string): void;
  /** A whole line of the log, which has been made for what reads it. */
  log(line: string): void;
  /** Resolves when all of it has been taken by whoever reads, or never will be. */
  flushed(): Promise<void>;
  /** Nobody reads the answers any more. */
  readonly closed: boolean;
  /** Why an answer could not be written, though somebody wants it: a full disk. Undefined for a closed pipe. */
  readonly failure: Error | undefined;
  /** How wide the terminal is that the answers go to; undefined where they go elsewhere. */
  readonly columns: number | undefined;
  /** Of what is written to stderr. */
  readonly isTerminal: boolean;
  readonly colour: boolean;
  /** Of the answers on stdout. */
  readonly answers: { readonly isTerminal: boolean; readonly colour: boolean };
  /** For a command that draws on stdout; undefined where it cannot. */
  readonly terminal: Terminal | undefined;
}

export function createOutput(
  stdout: NodeJS.WriteStream,
  stderr: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
): Output {
  let closed = false;
  // Kept, for a standard stream forgets its error a tick later and seems well again.
  let failed: NodeJS.ErrnoException | null = null;
  stdout.on('error', (error) => {
    closed = true;
    failed ??= error;
  });
  stderr.on('error', () => {});
  const isColoured = (stream: NodeJS.WriteStream) =>
    stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  const shown = (stream: NodeJS.WriteStream, text: string) => (stream.isTTY ? textOnly(text) : text);
  return {
    print: (text) => void stdout.write(`${shown(stdout, text)}\n`),
    write: (text) => void stdout.write(shown(stdout, text)),
    line: (text) => void stdout.write(text),
    json: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    jsonLine: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    note: (text) => void stderr.write(`${shown(stderr, text)}\n`),
    log: boundedLog(stderr),
    flushed: async () => void (await Promise.all([drained(stdout), drained(stderr)])),
    get closed() {
      return closed;
    },
    get failure() {
      // Known at once, while the event comes a tick later: too late for a command that is done.
      const error: NodeJS.ErrnoException | null = failed ?? stdout.errored;
      return error === null || error.code === 'EPIPE' ? undefined : error;
    },
    get columns() {
      return stdout.isTTY === true ? stdout.columns : undefined;
    },
    isTerminal: stderr.isTTY === true,
    colour: isColoured(stderr),
    answers: { isTerminal: stdout.isTTY === true, colour: isColoured(stdout) },
    terminal: terminalOf(stdout, env),
  };
}

/** The same output, whose documents are a line each: for a command that gives many. */
export const inLines = (output: Output): Output =>
  Object.create(output, { json: { value: (value: unknown) => output.jsonLine(value) } });

/** A log that nobody reads for a while must not fill the memory; what was left out is counted. */
function boundedLog(stream: NodeJS.WriteStream): (line: string) => void {
  let leftOut = 0;
  return (line) => {
    if (stream.writableLength > LOG_BEHIND_BYTES_MAX) {
      leftOut += 1;
      return;
    }
    if (leftOut > 0) stream.write(`${JSON.stringify({ level: 40, leftOut, msg: 'log lines left out' })}\n`);
    leftOut = 0;
    stream.write(line);
  };
}

/** `process.exit` forgets what a full pipe has not taken yet. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
