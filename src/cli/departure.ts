/**
 * Follows a gateway that is to leave, and tells how that came out: the old process gone, a later epoch ready,
 * or why neither will be. Polls, because what it waits for is the end of whoever could tell.
 */
import { RESTART_CODE } from '../../machines/exit.ts';
import { systemClock as clock } from '../clock.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { StatusReport } from '../gateway/status.ts';
import { isAlive, isVisible } from '../process/identity.ts';
import { type PidRecord, readStatusFile } from '../process/runtime-status.ts';
import type { Context } from './context.ts';

/** How often it is looked how far it is. */
const POLL_MS = 50;

/** How long one look may take. */
const LOOK_MS_MAX = 2000;

/** How long a gateway that lives may be without its socket: it starts, closes, or becomes its next life. */
const UNREACHABLE_MS_MAX = 10_000;

/** How an exit on SIGTERM asks a supervisor for another start. */
const REVIVE_CODE = 1;

/** A gateway before it leaves. */
export interface Departing {
  readonly before: StatusReport;
  readonly owner: PidRecord | undefined;
  readonly limitMs: number;
}

/** Nobody at the socket, or it was closed on us: the gateway starts, leaves, or is not there. */
export const isAbsence = (error: unknown): error is SluiceError =>
  isSluiceError(error, 'NO_GATEWAY') || (isSluiceError(error, 'NO_ANSWER') && error.cause !== undefined);

/** One look at the status. Throws NO_GATEWAY or NO_ANSWER. */
export async function look(context: Context): Promise<StatusReport> {
  const { json } = await context.control.request('GET', '/v1/status', undefined, LOOK_MS_MAX);
  return json as unknown as StatusReport;
}

/**
 * The status of the gateway that runs here, waiting for one that lives and has no socket just now; undefined
 * when it has gone while we waited. Throws NO_GATEWAY where none was, and NO_ANSWER.
 */
export async function standing(
  context: Context,
  owner: PidRecord | undefined,
): Promise<StatusReport | undefined> {
  const endsAt = clock.monotonicMs() + UNREACHABLE_MS_MAX;
  for (let waited = false; ; waited = true) {
    try {
      return await look(context);
    } catch (error) {
      if (!isAbsence(error) || clock.monotonicMs() >= endsAt) throw error;
      if (owner === undefined || !isAlive(owner)) {
        if (waited) return undefined;
        throw error;
      }
    }
    await clock.delay(POLL_MS);
  }
}

/**
 * Resolves with the later gateway's status once that is ready, or for a stop with undefined once the old one is
 * gone. Throws NO_ANSWER past the limit, and as soon as it is plain that it will not come to that.
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
      if (ended === 'for-good') throw new SluiceError('NO_ANSWER', notRestarted(context, before));
    } else if (status.epoch > before.epoch) {
      if (intent === 'stop') return undefined;
      if (status.state.startsWith('running.')) return status;
    } else if (status.intent === null && status.state.startsWith('running.')) {
      throw new SluiceError('NO_ANSWER', `the ${intent} was cancelled: the gateway goes on`);
    } else {
      progress.show(status);
    }
    await clock.delay(POLL_MS);
  }
  throw new SluiceError('NO_ANSWER', `${intent} is not done after ${Math.round(limitMs / 1000)} s`);
}

/** Whether the process is gone, and if so whether anybody will start the next one; undefined while it lives. */
function endOf(context: Context, { before, owner }: Departing): 'for-good' | 'supervisor-next' | undefined {
  const left = exitOf(context, before);
  // A gateway in a container is known by what it leaves behind, and may become its next life unseen.
  const visible = owner !== undefined && isVisible(owner);
  if (visible ? isAlive(owner) : left === undefined) return undefined;
  const revives = !visible || (before.supervisor !== 'none' && before.supervisor !== 'container');
  const asks = left === undefined || left.code === RESTART_CODE || left.code === REVIVE_CODE;
  return revives && asks ? 'supervisor-next' : 'for-good';
}

function notRestarted(context: Context, before: StatusReport): string {
  const left = exitOf(context, before);
  if (left === undefined) return 'the gateway died before it could restart';
  return left.code === RESTART_CODE
    ? 'the gateway left to restart, and the next start failed; its log says why'
    : `it ended instead of restarting: exit ${left.code} (${left.cause})`;
}

/** How the gateway that was here ended, once it has said so. */
function exitOf({ paths }: Context, before: StatusReport): { code: number; cause: string } | undefined {
  const status = readStatusFile(paths.status, clock)?.status;
  if (status === undefined || Number(status.epoch) < before.epoch) return undefined;
  return status.exit as { code: number; cause: string } | undefined;
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
    const key = [state, ...work].join(' ');
    if (key === this.#last) return;
    this.#last = key;
    const left =
      deadlineAt === null ? '' : `, ${Math.max(0, Math.round((deadlineAt - clock.wallMs()) / 1000))} s left`;
    this.#context.output.note(`${state}${work.length === 0 ? '' : `: waits for ${work.join(', ')}${left}`}`);
  }
}
