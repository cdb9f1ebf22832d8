/** The one place that writes to a terminal or a pipe. Answers go to stdout, everything else to stderr. */

/** What a command writes to. A closed pipe (`… | head -1`) is no error: the rest is not wanted. */
export interface Output {
  /** An answer. */
  print(text: string): void;
  /** A piece of an answer, without a line break. */
  write(text: string): void;
  /** The one JSON document of `--json`. */
  json(value: unknown): void;
  /** Progress, hints, errors. */
  note(text: string): void;
  readonly isTerminal: boolean;
  readonly colour: boolean;
}

export function createOutput(
  stdout: NodeJS.WriteStream,
  stderr: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
): Output {
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  const colour = stderr.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    print: (text) => void stdout.write(`${text}\n`),
    write: (text) => void stdout.write(text),
    json: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    isTerminal: stderr.isTTY === true,
    colour,
  };
}
