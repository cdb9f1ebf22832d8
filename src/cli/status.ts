/** `sluice status`: what is running and what it is doing; when it does not answer, what its files say. */
import { FAILURE_CODES, isClosingState } from '../../machines/exit.ts';
import { systemClock } from '../clock.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import type { StatusReport } from '../gateway/status-report.ts';
import { commandLines } from '../messages/in-flight.ts';
import { LOCAL_PLATFORM } from '../messages/local.ts';
import { isAlive } from '../process/identity.ts';
import { type FinalExit, readOwner, readStatusFile } from '../process/runtime-status.ts';
import { crashReportOf } from '../telemetry/crash-report.ts';
import { type Context, EXIT, report } from './context.ts';
import { UNREACHABLE_MS_MAX } from './departure.ts';
import { inLines } from './output.ts';
import { wrapped } from './wrap.ts';

/** How long the daemon may take to answer a status. */
const STATUS_MS_MAX = 2000;

/** How often `--watch` looks. */
const WATCH_MS = 1000;

export async function status(context: Context, options: { watch?: boolean }): Promise<number> {
  const looking = options.watch ? { ...context, output: inLines(context.output) } : context;
  for (;;) {
    const code = await once(looking);
    if (!options.watch || context.output.closed) return code;
    await systemClock.delay(WATCH_MS);
  }
}

async function once(context: Context): Promise<number> {
  try {
    const { json } = await context.control.request('GET', '/v1/status', undefined, STATUS_MS_MAX);
    if (context.json) context.output.json(json);
    else {
      const text = statusText(json as unknown as StatusReport, context.version, systemClock.wallMs());
      context.output.print(wrapped(text, context.output.columns));
    }
    return EXIT.done;
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return fromFiles(context, error);
  }
}

/** The home's files and the heartbeat tell a wedged gateway, or one that has no socket yet, from none. */
function fromFiles(context: Context, error: Parameters<typeof report>[1]): number {
  const { output, paths } = context;
  const owner = readOwner(paths);
  const last = readStatusFile(paths.status, systemClock);
  if (owner === undefined || !isAlive(owner)) return report(context, withCrash(context, error, last));
  const silentMs = last?.heartbeatAgeMs ?? 0;
  const state = String(last?.status.state ?? 'unknown');
  // Then it has closed its socket already, and has a deadline of its own.
  const leaves = isClosingState(state) && silentMs < UNREACHABLE_MS_MAX;
  const how = leaves ? 'leaving' : `not answering for ${Math.round(silentMs / 1000)} s`;
  const text = `${how}: pid ${owner.pid}, epoch ${owner.epoch}, last state ${state}`;
  if (context.json)
    output.json({ ...last?.status, answering: false, heartbeatAgeMs: last?.heartbeatAgeMs ?? null });
  else output.print(wrapped(text, output.columns));
  const note = leaves
    ? 'It answers nothing more, and is gone within seconds.'
    : `If it does not come back, end it with: kill -9 ${owner.pid}; nothing that it accepted is lost.`;
  output.note(note);
  return EXIT.failed;
}

/** Where nobody runs because the last one failed, that is what to look at first. */
function withCrash(
  { paths }: Context,
  error: SluiceError,
  last: ReturnType<typeof readStatusFile>,
): SluiceError {
  const exit = last?.status.exit as FinalExit | undefined;
  if (error.code !== 'NO_GATEWAY' || exit?.code !== FAILURE_CODES.fault) return error;
  const { code, cause, at, message } = exit;
  const when = new Date(at).toISOString();
  const said = `the last one ended with exit ${code} (${cause}) at ${when}${message ? `: ${message}` : ''}`;
  const report = crashReportOf(paths.logs, Number(last?.status.startedAt), at);
  const hint = `${report === undefined ? 'Its log says more: sluice logs' : `Its crash report: ${report}`}\n${error.hint}`;
  return new SluiceError('NO_GATEWAY', `${error.message}; ${said}`, { hint, cause: error });
}

/** A few lines for a person, narrow enough for a small terminal. */
function statusText(status: StatusReport, installed: string, now: number): string {
  const { intent, actor, cause, deadlineAt, inFlight, accepts } = status;
  const age = (at: number) => `${Math.max(0, Math.round((now - at) / 1000))} s`;
  const lines = [
    status.state,
    `pid ${status.pid}  epoch ${status.epoch}  up ${age(status.startedAt)}`,
    ...(intent === null ? [] : [`${intent} asked by ${actor} (${cause})`]),
    ...(deadlineAt === null ? [] : [`${Math.max(0, Math.round((deadlineAt - now) / 1000))} s left`]),
    ...admissionLines(accepts),
    ...inFlight.turns.map((turn) => `turn     ${turn.id}  ${turn.conversation}  ${age(turn.startedAt)}`),
    ...commandLines(
      inFlight.commands,
      ({ id, name, startedAt, waiting }) =>
        `command  ${id}  /${name}  ${waiting ? 'waits for a free place, ' : ''}${age(startedAt)}`,
    ),
    ...countLines(status),
    ...status.degraded.map((reason) => `degraded ${reason}`),
    ...status.agents.flatMap(({ name, reason }) => (reason === null ? [] : [`agent    ${name}: ${reason}`])),
    ...(status.platforms ?? []).flatMap(({ name, state, reason, lastEventAt }) =>
      state === 'connected' || name === LOCAL_PLATFORM
        ? []
        : [`platform ${name} is ${state}, ${age(lastEventAt)}${reason ? `: ${reason}` : ''}`],
    ),
    ...status.warnings.map((warning) => `warning  ${warning}`),
    `version  ${status.version}${status.version === installed ? '' : ` (installed: ${installed})`}`,
  ];
  return lines.join('\n');
}

/** What waits, and for what; what there is none of is left out, as what an older gateway does not count. */
function countLines({ held, waiting = 0, awaitingResume = 0 }: Partial<StatusReport>): string[] {
  return [
    ...(held ? [`held     ${held}`] : []),
    ...(waiting > 0
      ? [`waiting  ${waiting} for a place, or for what is before them in their conversation`]
      : []),
    ...(awaitingResume > 0 ? [`awaiting ${awaitingResume} /resume: sluice messages list --state open`] : []),
  ];
}

/** What is taken, kept and refused now, each by its kinds; what there is none of is left out. */
function admissionLines(accepts: StatusReport['accepts']): string[] {
  const kinds = Object.entries(accepts);
  return WORDS.flatMap(([admission, word]) => {
    const named = kinds.filter(([, met]) => met === admission).map(([kind]) => kind);
    return named.length === 0 ? [] : [`${word}${named.join(', ')}`];
  });
}

const WORDS = [
  ['dispatch', 'accepts  '],
  ['hold', 'holds    '],
  ['refuse', 'refuses  '],
] as const;
