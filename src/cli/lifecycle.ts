/**
 * `sluice stop`, `restart` and `drain`: ask, show who holds it up, and return only when it is so: the old
 * process gone, a higher epoch ready, the drain entered or over.
 */
import { systemClock as clock } from '../clock.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { StatusReport } from '../gateway/status.ts';
import { isAlive } from '../process/identity.ts';
import { type PidRecord, readPidFile, readStatusFile } from '../process/runtime-status.ts';
import { type Context, EXIT, reportReply } from './context.ts';

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

/** How often it is looked how far it is. */
const POLL_MS = 50;

/** What a restart may take beyond the gateway's own three limits: the next start. */
const START_MS_MAX = 60_000;

/** How long one look may take. */
const LOOK_MS_MAX = 2000;

export async function leave(
  context: Context,
  intent: 'stop' | 'restart',
  options: LeaveOptions,
): Promise<number> {
  const from = context.env.SLUICE_WORK_ID;
  const owner = readPidFile(context.paths.pid);
  const before = from === undefined ? await look(context, true) : undefined;
  const body = { intent, hurry: options.now === true, ...(from === undefined ? {} : { from }) };
  const { status, json } = await context.control.request('POST', '/v1/lifecycle', body);
  if (status !== 202) return reportReply(context, json);
  if (from !== undefined) context.output.note('asked; it happens when this work has settled');
  else context.output.note(String(json.text));
  if (from !== undefined || !options.wait || before === undefined) {
    if (context.json) context.output.json(json);
    return EXIT.done;
  }
  const { drainMs, killMs, exitMs } = before.deadlines;
  const limitMs =
    options.timeout === undefined ? drainMs + killMs + exitMs + START_MS_MAX : options.timeout * 1000;
  const after = await follow(context, intent, before, owner, limitMs);
  if (context.json)
    context.output.json({
      ...json,
      ...(after === undefined ? { gone: true } : { epoch: after.epoch, pid: after.pid }),
    });
  if (after !== undefined) context.output.note(`Restarted: epoch ${after.epoch}, pid ${after.pid}.`);
  else context.output.note('Stopped.');
  return EXIT.done;
}

export async function drain(context: Context, options: DrainOptions): Promise<number> {
  const body = options.cancel
    ? { intent: 'cancel-drain' }
    : {
        intent: 'drain',
        ...(options.for === undefined ? {} : { forMs: options.for }),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      };
  const { status, json } = await context.control.request('POST', '/v1/lifecycle', body);
  if (status !== 202) return reportReply(context, json);
  context.output.note(String(json.text));
  if (options.wait && !options.cancel) await drained(context);
  if (context.json) context.output.json(json);
  return EXIT.done;
}

/** Waits until no turn runs any more; a drain that became something else is over, too. */
async function drained(context: Context): Promise<void> {
  const progress = new Progress(context);
  for (;;) {
    const status = await look(context, true);
    if (status === undefined || !status.state.startsWith('draining.') || status.state === 'draining.drained')
      return;
    progress.show(status);
    await clock.delay(POLL_MS);
  }
}

/** Resolves with the new gateway's status, or undefined once the old one is gone. Throws past the limit. */
async function follow(
  context: Context,
  intent: 'stop' | 'restart',
  before: StatusReport,
  owner: PidRecord | undefined,
  limitMs: number,
): Promise<StatusReport | undefined> {
  const endsAt = clock.monotonicMs() + limitMs;
  const progress = new Progress(context);
  while (clock.monotonicMs() < endsAt) {
    const status = await look(context, false);
    if (status !== undefined && status.epoch > before.epoch) {
      if (intent === 'stop') return undefined;
      if (status.state.startsWith('running.')) return status;
    }
    if (status === undefined && (owner === undefined || !isAlive(owner))) {
      const left = leftWith(context);
      if (intent === 'stop' && left !== undefined) return undefined;
      const failed = left !== undefined && left.code !== 0 && left.code !== RESTART_CODE && left.code !== 1;
      if (failed) throw new SluiceError('NO_ANSWER', `it ended with code ${left.code} (${left.cause})`);
    }
    if (status !== undefined && status.epoch === before.epoch) progress.show(status);
    await clock.delay(POLL_MS);
  }
  throw new SluiceError('NO_ANSWER', `${intent} is not done after ${Math.round(limitMs / 1000)} s`);
}

/** What asks the supervisor for the next start. */
const RESTART_CODE = 75;

/** How the gateway that was here ended, once it has said so. */
function leftWith({ paths }: Context): { code: number; cause: string } | undefined {
  const exit = readStatusFile(paths.status, clock)?.status.exit as
    | { code: number; cause: string }
    | undefined;
  return exit;
}

async function look(context: Context, mustAnswer: boolean): Promise<StatusReport | undefined> {
  try {
    const { json } = await context.control.request('GET', '/v1/status', undefined, LOOK_MS_MAX);
    return json as unknown as StatusReport;
  } catch (error) {
    if (mustAnswer || !isSluiceError(error)) throw error;
    return undefined;
  }
}

/** Says what holds the drain up, once a second at most and only when it has changed. */
class Progress {
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
