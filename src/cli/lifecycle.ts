/**
 * `sluice stop`, `restart` and `drain`: ask, show who holds it up, and return only when it is so: the old
 * process gone, a higher epoch ready, the drain entered or over.
 */
import { systemClock as clock } from '../clock.ts';
import type { ControlReply } from '../control/client.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { StatusReport } from '../gateway/status-report.ts';
import { readOwner } from '../process/runtime-status.ts';
import { type Context, EXIT, reportReply } from './context.ts';
import { type Departing, follow, isAbsence, Progress, standing } from './departure.ts';

export interface LeaveOptions {
  readonly now?: boolean;
  readonly wait: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

export interface DrainOptions {
  /** Milliseconds. */
  readonly for?: number;
  readonly reason?: string;
  readonly wait?: boolean;
  readonly cancel?: boolean;
}

/** How often it is looked whether the last turn has ended. */
const POLL_MS = 50;

/** What a restart may take beyond the gateway's own three limits: the next start. */
const START_MS_MAX = 60_000;

export async function leave(
  context: Context,
  intent: 'stop' | 'restart',
  options: LeaveOptions,
): Promise<number> {
  const from = context.env.SLUICE_WORK_ID;
  if (from !== undefined) return leaveFromInside(context, intent, options, from);
  const owner = readOwner(context.paths);
  const before = await standing(context, owner);
  if (before === undefined) return gone(context, intent);
  const reply = await ask(context, { intent, hurry: options.now === true }).catch(orLeft);
  if (reply !== undefined && reply.status !== 202) return reportReply(context, reply.json);
  context.output.note(String(reply?.json.text ?? 'It is leaving already.'));
  if (!options.wait) {
    if (context.json) context.output.json(reply?.json ?? {});
    return EXIT.done;
  }
  const { drainMs, killMs, exitMs } = before.deadlines;
  const limitMs =
    options.timeout === undefined ? drainMs + killMs + exitMs + START_MS_MAX : options.timeout * 1000;
  const after = await follow(context, intent, { before, owner, limitMs });
  if (after === undefined) return gone(context, intent, reply);
  if (context.json) context.output.json({ ...reply?.json, epoch: after.epoch, pid: after.pid });
  context.output.note(`Restarted: epoch ${after.epoch}, pid ${after.pid}.`);
  return EXIT.done;
}

/** From inside a command's or a turn's own tree: to wait would be to wait for oneself. */
async function leaveFromInside(
  context: Context,
  intent: 'stop' | 'restart',
  options: LeaveOptions,
  from: string,
): Promise<number> {
  const { status, json } = await ask(context, { intent, hurry: options.now === true, from });
  if (status !== 202) return reportReply(context, json);
  if (context.json) context.output.json(json);
  else context.output.print('asked; it happens when this work has settled');
  return EXIT.done;
}

/** Inside a command or a turn, `--wait` would wait for itself: it is asked, and that is all. */
export async function drain(context: Context, options: DrainOptions): Promise<number> {
  const body = options.cancel
    ? { intent: 'cancel-drain' }
    : {
        intent: 'drain',
        ...(options.for === undefined ? {} : { forMs: options.for }),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      };
  const owner = readOwner(context.paths);
  const before = await standing(context, owner);
  if (before === undefined) throw stoppedMeanwhile();
  const { status, json } = await ask(context, body);
  if (status !== 202) return reportReply(context, json);
  context.output.note(String(json.text));
  const fromInside = context.env.SLUICE_WORK_ID !== undefined;
  const waits = options.wait === true && !fromInside;
  const rest = waits ? await drained(context, { before, owner }) : undefined;
  if (context.json) context.output.json({ ...json, ...rest });
  if (rest === undefined || rest.came === null) return EXIT.done;
  context.output.note(`The drain did not come to rest: ${rest.came}.`);
  return EXIT.failed;
}

const ask = (context: Context, body: Record<string, unknown>): Promise<ControlReply> =>
  context.control.request('POST', '/v1/lifecycle', body);

/** It closed its socket between our look and our asking, so it leaves already. */
function orLeft(error: unknown): undefined {
  if (!isAbsence(error)) throw error;
}

/** It is gone: what a stop is for, and no restart. */
function gone(context: Context, intent: 'stop' | 'restart', reply?: ControlReply): number {
  if (intent === 'restart') throw stoppedMeanwhile();
  if (context.json) context.output.json({ ...reply?.json, gone: true });
  context.output.note('Stopped.');
  return EXIT.done;
}

const stoppedMeanwhile = () => new SluiceError('NO_GATEWAY', 'the gateway has stopped meanwhile');

/** Where a drain ended: at rest, or with what came instead of its rest. */
interface Rest {
  /** The state then; null when the gateway is gone. */
  readonly state: string | null;
  readonly came: string | null;
}

/**
 * Waits until no turn runs any more, or something else came: the drain was cancelled, or a stop or a restart took it
 * over. As long as a turn may take. A gateway without its socket that lives is between two lives; one that lives and
 * does not answer ends it with NO_ANSWER.
 */
async function drained(
  context: Context,
  { before, owner }: Pick<Departing, 'before' | 'owner'>,
): Promise<Rest> {
  const progress = new Progress(context);
  for (;;) {
    const status = await standing(context, owner).catch(goneBy);
    const state = status?.state ?? null;
    if (status === undefined) return { state, came: 'the gateway has left' };
    if (status.epoch > before.epoch) return { state, came: `the gateway restarted (epoch ${status.epoch})` };
    if (state === 'draining.drained') return { state, came: null };
    if (!status.state.startsWith('draining.')) return { state, came: whatCame(status) };
    progress.show(status);
    await clock.delay(POLL_MS);
  }
}

/** Its process is gone, which is an end, too. */
function goneBy(error: unknown): undefined {
  if (!isSluiceError(error, 'NO_GATEWAY')) throw error;
}

function whatCame({ state, intent }: StatusReport): string {
  return state.startsWith('running.') ? 'it was cancelled' : `a ${intent} came (${state})`;
}
