/**
 * Follows a gateway that is to leave, and tells how that came out: the old process gone, a later epoch ready,
 * or why neither will be. Polls, because what it waits for is the end of whoever could tell.
 */
import { asksForNext, RESTART_CODE } from '../../machines/exit.ts';
import { systemClock as clock } from '../clock.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { StatusReport } from '../gateway/status-report.ts';
import { firstFew } from '../messages/in-flight.ts';
import { isAlive, isVisible } from '../process/identity.ts';
import { type FinalExit, type Owner, readOwner, readStatusFile } from '../process/runtime-status.ts';
import { lineAt } from './command-line.ts';
import type { Context } from './context.ts';
import { tellLastLines } from './log-lines.ts';

/** How often it is looked how far it is. */
const POLL_MS = 50;

/** How long one look may take. */
const LOOK_MS_MAX = 2000;

/** How long a gateway that lives may be without its socket: it starts, closes, or becomes its next life. */
export const UNREACHABLE_MS_MAX = 10_000;

/** A gateway before it leaves. */
export interface Departing {
  readonly before: StatusReport;
  readonly owner: Owner | undefined;
  readonly limitMs: number;
}

/** Nobody at the socket, or it was closed on us: the gateway starts, leaves, or is not there. */
export const isAbsence = (error: unknown): error is SluiceError =>
  isSluiceError(error, 'NO_GATEWAY') || (isSluiceError(error, 'NO_ANSWER') && error.cause !== undefined);

/** Looks which gateway has the home now; the answer tells, whenever asked, whether that one still lives, reachable or not. */
export function ownerOf({ paths }: Context): () => boolean {
  const owner = readOwner(paths);
  return () => owner !== undefined && isAlive(owner);
}

/** True while the gateway lives that the home's files tell of, whether it can be reached or not. */
export const hasLivingOwner = (context: Context): boolean => ownerOf(context)();

/**
 * The same of any gateway of the home, also of one to come: one of another container cannot be seen, and may come back as
 * it likes; one that left to be restarted is started again when its supervisor says.
 */
export function isOwned(context: Context): boolean {
  const owner = readOwner(context.paths);
  return (owner !== undefined && (isAlive(owner) || !isVisible(owner))) || isBetweenLives(context);
}

/** The last one left for its supervisor to start the next, and none of those has failed. */
function isBetweenLives({ paths }: Context): boolean {
  const status = readStatusFile(paths.status, clock)?.status;
  const exit = status?.exit as FinalExit | undefined;
  return exit?.code === RESTART_CODE && isRevivedBy(status?.supervisor);
}

/** Whoever looks after it starts the next one; nobody does without a supervisor, and a container becomes it in place. */
const isRevivedBy = (supervisor: unknown): boolean =>
  supervisor !== undefined && supervisor !== 'none' && supervisor !== 'container';

/** One look at the status. Throws NO_GATEWAY or NO_ANSWER. */
export async function look(context: Context): Promise<StatusReport> {
  const { json } = await context.control.request('GET', '/v1/status', undefined, LOOK_MS_MAX);
  return json as unknown as StatusReport;
}

/**
 * The status of the gateway that runs here, waiting for one that lives and has no socket just now; undefined
 * when it has gone while we waited. Throws NO_GATEWAY where none was, and NO_ANSWER for one that lives and is silent.
 */
export async function standing(
  context: Context,
  owner: Owner | undefined,
): Promise<StatusReport | undefined> {
  const endsAt = clock.monotonicMs() + UNREACHABLE_MS_MAX;
  for (let waited = false; ; waited = true) {
    try {
      return await look(context);
    } catch (error) {
      if (!isAbsence(error)) throw error;
      if (owner === undefined || !isAlive(owner)) {
        if (waited) return undefined;
        throw error;
      }
      if (clock.monotonicMs() >= endsAt) throw silence(context, owner);
    }
    await clock.delay(POLL_MS);
  }
}

/** It lives and cannot be reached. */
function silence({ paths }: Context, { pid }: Owner): SluiceError {
  const ageMs = readStatusFile(paths.status, clock)?.heartbeatAgeMs ?? 0;
  const text = `the gateway (pid ${pid}) is not answering for ${Math.round(ageMs / 1000)} s`;
  return new SluiceError('NO_ANSWER', text);
}

/**
 * Resolves with the later gateway's status once that is ready, or for a stop with undefined once the old one is
 * gone. Throws NOT_DONE past the limit or when it was cancelled, and NO_ANSWER when it is plain that none will come.
 */
export async function follow(
  context: Context,
  intent: 'stop' | 'restart',
  departing: Departing,
): Promise<StatusReport | undefined> {
  const { before, limitMs } = departing;
  const endsAt = clock.monotonicMs() + limitMs;
  const progress = new Progress(context);
  while (clock.monotonicMs() < endsAt) {
    const status = await look(context).catch(onlyAbsence);
    if (status === undefined) {
      const ended = endOf(context, departing);
      if (ended !== undefined && intent === 'stop') return undefined;
      if (ended === 'for-good') {
        await tellLastLines(context);
        const hint = `What it said: ${lineAt(context, ['logs'])}\nStart it: ${lineAt(context, ['run'])}`;
        throw new SluiceError('NO_ANSWER', notRestarted(context, before), { hint });
      }
    } else if (status.epoch > before.epoch) {
      if (intent === 'stop') return undefined;
      if (status.state.startsWith('running.')) return status;
    } else if (status.intent === null && status.state.startsWith('running.')) {
      throw new SluiceError('NOT_DONE', `the ${intent} was cancelled: the gateway goes on`, {
        hint: `Ask for the ${intent} again if it is still wanted.`,
      });
    } else {
      progress.show(status);
    }
    await clock.delay(POLL_MS);
  }
  await tellLastLines(context);
  throw new SluiceError('NOT_DONE', `${intent} is not done after ${Math.round(limitMs / 1000)} s`);
}

/** Whether the process is gone, and if so whether anybody will start the next one; undefined while it lives. */
function endOf(context: Context, { before, owner }: Departing): 'for-good' | 'supervisor-next' | undefined {
  const left = exitOf(context, before);
  // A gateway in a container is known by what it leaves behind, and may become its next life unseen.
  const visible = owner !== undefined && isVisible(owner);
  if (visible ? isAlive(owner) : left === undefined) return undefined;
  const revives = !visible || isRevivedBy(before.supervisor);
  const asks = left === undefined || left.code === null || asksForNext(left.code);
  return revives && asks ? 'supervisor-next' : 'for-good';
}

/** Why there will be no next gateway: what the next start left with, where it could still say so. */
function notRestarted(context: Context, before: StatusReport): string {
  const left = exitOf(context, before);
  if (left === undefined) return 'the gateway died before it could restart';
  const wasRestart = left.code === null || asksForNext(left.code);
  if (wasRestart) return 'the gateway left to restart, and the next start failed; its log says why';
  const { code, cause, message } = left;
  return message === undefined
    ? `it ended instead of restarting: exit ${code} (${cause})`
    : `the gateway left to restart, and the next start failed: exit ${code} (${cause}): ${message}`;
}

/** How the gateway that was here ended, or the next start after it, once either has said so. */
function exitOf({ paths }: Context, before: StatusReport): FinalExit | undefined {
  const status = readStatusFile(paths.status, clock)?.status;
  if (status === undefined || Number(status.epoch) < before.epoch) return undefined;
  return status.exit as FinalExit | undefined;
}

/** Nobody there, or nobody who answers, is what is waited for; any other failure is one. */
function onlyAbsence(error: unknown): undefined {
  if (!isSluiceError(error)) throw error;
}

/** Says what holds the gateway up, only when it has changed. */
export class Progress {
  readonly #context: Context;
  #last = '';

  constructor(context: Context) {
    this.#context = context;
  }

  show({ state, inFlight, deadlineAt }: StatusReport): void {
    const work = [
      ...inFlight.turns.map((turn) => `turn ${turn.id} (${turn.conversation})`),
      ...inFlight.commands.map((command) => `command ${command.id} (/${command.name})`),
    ];
    const holding = work.length === 0 ? '' : `: waits for ${firstFew(work)}`;
    if (state + holding === this.#last) return;
    this.#last = state + holding;
    const left =
      deadlineAt === null ? '' : `, ${Math.max(0, Math.round((deadlineAt - clock.wallMs()) / 1000))} s left`;
    this.#context.output.note(`${state}${holding}${holding === '' ? '' : left}`);
  }
}
