/** What every command of the CLI starts from: where the home is, how to reach its gateway, where to write. */
import { dirname } from 'node:path';
import { systemClock } from '../clock.ts';
import {
  type HomePaths,
  homeDenial,
  homePaths,
  isInHome,
  requireOwnFolder,
  resolveHome,
  type WorkingFolder,
} from '../config/paths.ts';
import { ControlClient } from '../control/client.ts';
import { ERRORS, isSluiceError, messageOf, type SluiceError } from '../errors.ts';
import { readLivingRecord } from '../process/runtime-status.ts';
import type { Output } from './output.ts';

/** Exit codes of the CLI. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, noGateway: 4 } as const;

/** Options that every command takes. */
export interface CommonOptions {
  readonly home?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export interface Cli {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: WorkingFolder;
  readonly argv: readonly string[];
  readonly version: string;
  readonly output: Output;
  /** Opened when it is asked for: most commands read nothing. */
  readonly input: () => NodeJS.ReadStream;
}

export interface Context extends Cli {
  readonly home: string;
  readonly paths: HomePaths;
  readonly control: ControlClient;
  readonly json: boolean;
}

export function contextOf(cli: Cli, options: CommonOptions): Context {
  const home = resolveHome({ flag: options.home, env: cli.env, cwd: cli.cwd });
  const paths = homePaths(home, cli.env);
  // The running gateway says itself where its socket is: a home spelt in another way has the same one.
  const named = readLivingRecord(paths.pid)?.socket;
  const socket = named ?? paths.socket;
  const requireAccess = () => {
    const denied = homeDenial(home);
    if (denied !== undefined) throw denied;
    if (named === undefined && !isInHome(socket)) requireOwnFolder(dirname(socket));
  };
  return {
    ...cli,
    home,
    paths,
    control: new ControlClient(socket, systemClock, requireAccess),
    json: options.json === true,
  };
}

/** An error as a document says it. What is in no catalogue is a defect. */
export function errorJson(error: unknown): { error: { code: string; message: string; hint: string } } {
  if (!isSluiceError(error)) {
    return { error: { code: 'INTERNAL', message: messageOf(error), hint: ERRORS.INTERNAL.hint } };
  }
  const { code, message, hint } = error;
  return { error: { code, message, hint } };
}

/** Reports an error and gives the exit code it stands for. */
export function report(context: Pick<Context, 'output' | 'json' | 'home'>, error: SluiceError): number {
  const { code, message, hint } = error;
  const where = code === 'NO_GATEWAY' ? ` (home ${context.home})` : '';
  if (context.json) context.output.json(errorJson(error));
  context.output.note(`sluice: ${message}${where}\n${hint}`);
  return exitOf(code);
}

/** The next step at a shell, for errors whose own is for whoever writes a program for the interface. */
const SHELL_HINTS: Partial<Readonly<Record<string, string>>> = {
  MESSAGE_INVALID: 'Correct what you gave; with --help the command shows how it is written.',
  NOT_FOUND: 'The gateway may be of another version: `sluice status` names both.',
  METHOD_NOT_ALLOWED: 'The gateway may be of another version: `sluice status` names both.',
};

/** The error of a reply as a shell is told it. */
function atShell(json: Record<string, unknown>): Record<string, unknown> {
  const error = json.error as { code: string; hint: string } | undefined;
  const hint = SHELL_HINTS[error?.code ?? ''];
  if (hint === undefined || hasOwnHint(error)) return json;
  return { ...json, error: { ...error, hint } };
}

/** Whoever threw it had more to say than the catalogue. */
const hasOwnHint = (error: { code: string; hint: string } | undefined): boolean =>
  error !== undefined && error.hint !== (ERRORS as Record<string, { hint: string }>)[error.code]?.hint;

/** Reports a reply that is an error, as the gateway worded it, with a hint for a shell. */
export function reportReply(
  context: Pick<Context, 'output' | 'json'>,
  reply: Record<string, unknown>,
): number {
  const json = atShell(reply);
  const error = json.error as { code: string; message: string; hint: string } | undefined;
  if (context.json) context.output.json(json);
  context.output.note(`sluice: ${error?.message ?? json.text ?? 'refused'}${error ? `\n${error.hint}` : ''}`);
  if (error === undefined || error.code === 'STORE_UNAVAILABLE') return EXIT.refused;
  return exitOf(error.code);
}

/** What cannot be done as things stand is refused, whether a gateway says so or its store. */
function exitOf(code: string): number {
  if (code === 'NOTHING_TO_DO') return EXIT.refused;
  if (code === 'NO_WORKING_FOLDER') return EXIT.usage;
  return code === 'NO_GATEWAY' ? EXIT.noGateway : EXIT.failed;
}
