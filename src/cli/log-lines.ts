/** Lines of the gateway's log as a command shows them: for eyes on a terminal, as they are for anything else. */
import { type LogLife, readLogLines } from '../telemetry/log-files.ts';
import type { Context } from './context.ts';

/** How many lines tell why a restart failed. */
export const LAST_LINES_MAX = 10;

/** Makes what shows a line on stdout. What makes it pretty is loaded only for a terminal. */
export async function linePrinter({
  output,
  json,
}: Pick<Context, 'output' | 'json'>): Promise<(line: string) => void> {
  const { isTerminal, colour } = output.answers;
  if (!isTerminal || json) return (line) => output.line(`${line}\n`);
  const { prettyLine } = await import('../telemetry/log.ts');
  const pretty = prettyLine(colour);
  return (line) => output.line(pretty(line));
}

/** What a line says, for a program; a line that is no JSON as it is. */
export function lineDocument(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** Shows how the log of this home ends, beside the error that it explains. Nothing where there is none. */
export async function tellLastLines({ output, paths }: Context): Promise<void> {
  const lines = linesOr(paths.logs, 'current').slice(-LAST_LINES_MAX);
  if (lines.length === 0) return;
  const { prettyLine } = await import('../telemetry/log.ts');
  const pretty = prettyLine(false);
  output.note(`The log ends with:\n${lines.map((line) => `  ${pretty(line)}`).join('')}`.trimEnd());
}

/** A log that cannot be read explains nothing; the error that is to be explained is what counts. */
function linesOr(folder: string, life: LogLife): string[] {
  try {
    return readLogLines(folder, life);
  } catch {
    return [];
  }
}
