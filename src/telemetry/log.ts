/**
 * The one owner of pino. One line a thing that happened, as JSON, or for eyes when a terminal reads it. Every line goes
 * through one outlet, where secrets are taken out of it, and leaves it as whole JSON.
 */
import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Secrets } from './secrets.ts';
import { textOnly } from './terminal-text.ts';

export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'flush'>;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The level of this name. One that does not exist is `info` and a problem to be said. */
export function logLevel(name: string | undefined): { level: string; problem?: string } {
  const level = LOG_LEVELS.find((known) => known === (name || 'info').toLowerCase());
  if (level !== undefined) return { level };
  const known = LOG_LEVELS.join(', ');
  return {
    level: 'info',
    problem: `SLUICE_LOG_LEVEL=${name} is no level, so it is info; known are ${known}`,
  };
}

export interface LogOptions {
  readonly level: string;
  /** For a person's terminal rather than a file or a supervisor. */
  readonly pretty: boolean;
  readonly colour: boolean;
  /** Takes whole lines, each with its line break. */
  readonly write: (line: string) => void;
  /** Takes the same lines as JSON, whatever `write` gets. */
  readonly keep?: (line: string) => void;
}

/** The log of one process: JSON lines, or lines for a terminal; every known secret is taken out of each. */
export function createLog(options: LogOptions, secrets: Secrets): Log {
  const shown = options.pretty ? prettyLine(options.colour) : undefined;
  const stream = {
    write(line: string) {
      const redacted = secrets.redactLine(line);
      options.write(shown?.(redacted) ?? redacted);
      options.keep?.(redacted);
    },
  };
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    stream,
  );
}

/** Makes a JSON line of the log one for a person's terminal; a line that is no JSON becomes plain text. */
export function prettyLine(colour: boolean): (line: string) => string {
  const prettify = prettyFactory({
    colorize: colour,
    ignore: 'pid,hostname,event,from,to',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return (line) => {
    try {
      return String(prettify(JSON.parse(line, textOnlyIn)));
    } catch {
      return `${textOnly(line.trimEnd())}\n`;
    }
  };
}

/** For `JSON.parse`: an escape sequence in a value would reach the terminal. */
function textOnlyIn(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? textOnly(value) : value;
}
