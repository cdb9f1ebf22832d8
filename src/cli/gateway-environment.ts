/**
 * By which environment a configuration is judged. `${NAME}` and the names of keys mean what the gateway has, and that was
 * started elsewhere: by a supervisor, in another shell, last month. So a file of a running gateway is judged by what that
 * gateway tells, and where it cannot be asked, it is said which variables may be different there.
 */
import { realpathSync } from 'node:fs';
import { packagedFile } from '../config/paths.ts';
import { dependedOn, environmentOf, namedBy, type ToldVariables } from '../config/variables.ts';
import { isSluiceError, messageOf } from '../errors.ts';
import { readLivingRecord } from '../process/runtime-status.ts';
import type { Context } from './context.ts';

/** An environment, and whose it is. */
export interface JudgedBy {
  readonly env: NodeJS.ProcessEnv;
  readonly environment: 'gateway' | 'shell';
}

/** True when a gateway that runs in this home has this file as its own. */
export function isGatewaysFile({ paths }: Context, path: string): boolean {
  const record = readLivingRecord(paths.pid);
  if (record === undefined) return false;
  return realPath(record.config ?? packagedFile('quickstart.yaml')) === realPath(path);
}

/** The environment of the gateway of this home, as far as these texts depend on it; else that of the caller, said so. */
export async function gatewayEnvironment(context: Context, texts: readonly string[]): Promise<JudgedBy> {
  const told = await askGateway(context, texts);
  if (typeof told !== 'string') return { env: environmentOf(told), environment: 'gateway' };
  return shellEnvironment(context, texts, told);
}

/** The environment of the caller, with a note on what may be different in the gateway's. `why`: why not that one's. */
export function shellEnvironment(
  { env, output }: Pick<Context, 'env' | 'output'>,
  texts: readonly string[],
  why: string,
): JudgedBy {
  const names = [...new Set(texts.map(namedBy).flatMap(({ values, set }) => [...values, ...set]))];
  if (names.length > 0) {
    const which = names.slice(0, NAMES_SHOWN_MAX).join(', ');
    const more = names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : '';
    output.note(`${why}: ${which}${more} taken as in this shell; the gateway's environment may differ`);
  }
  return { env, environment: 'shell' };
}

/** Variables that a note names; the rest is counted. */
const NAMES_SHOWN_MAX = 20;

/** What the gateway has, or why it cannot say. */
async function askGateway({ control }: Context, texts: readonly string[]): Promise<ToldVariables | string> {
  try {
    const { status, json } = await control.request('POST', '/v1/configuration/variables', dependedOn(texts));
    return status === 200
      ? (json as unknown as ToldVariables)
      : 'the running gateway does not tell its variables';
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return messageOf(error);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
