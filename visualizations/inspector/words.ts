/** How moments, spans and reasons read on the page. Pure: values in, text out. */
import type { Status } from './protocol.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `34 s`, `2 m 09 s`, `3 h 12 m`, `3 d 4 h`: two units at most, a negative span as 0 s. */
export function spanWords(spanMs: number): string {
  const ms = Math.max(0, spanMs);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} m ${two((ms % MINUTE_MS) / SECOND_MS)} s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ${two((ms % HOUR_MS) / MINUTE_MS)} m`;
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}

/** What is left until a moment, in whole seconds, the begun one counted: 0 s only when it has come. */
export function leftWords(spanMs: number): string {
  return spanWords(Math.ceil(spanMs / SECOND_MS) * SECOND_MS);
}

/** How long something took: `40 ms`, `0.4 s`, above ten seconds as {@link spanWords}. */
export function tookWords(spanMs: number): string {
  if (spanMs < SECOND_MS / 10) return `${Math.max(0, Math.round(spanMs))} ms`;
  return spanMs < 10 * SECOND_MS ? `${(spanMs / SECOND_MS).toFixed(1)} s` : spanWords(spanMs);
}

/** How long ago, in its largest unit: `26 s ago`, `3 d ago`. */
export function agoWords(spanMs: number): string {
  if (spanMs < SECOND_MS) return 'just now';
  const [size, unit] =
    spanMs < MINUTE_MS
      ? ([SECOND_MS, 's'] as const)
      : spanMs < HOUR_MS
        ? ([MINUTE_MS, 'min'] as const)
        : spanMs < DAY_MS
          ? ([HOUR_MS, 'h'] as const)
          : ([DAY_MS, 'd'] as const);
  return `${Math.floor(spanMs / size)} ${unit} ago`;
}

/** A length in whole seconds, for a limit: `60`, `7.5`. */
export function secondsWords(spanMs: number): string {
  return String(Math.round(spanMs / 100) / 10);
}

/** `14:03` of the browser's day. */
export function minuteWords(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** `14:03:41` of the browser's day. */
export function secondWords(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-GB');
}

/** `14:03:41.102` of the browser's day. */
export function momentWords(atMs: number): string {
  return `${secondWords(atMs)}.${String(new Date(atMs).getMilliseconds()).padStart(3, '0')}`;
}

/** `1 turn`, `2 turns`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Why the gateway is in its state, and who asked: the sentence beside the state. */
export function whyWords(status: Status): string {
  if (status.intent !== null) return requestWords(status.intent, status.cause, status.actor);
  const { state, inFlight, degraded, platforms } = status;
  if (state === 'starting') return 'not ready yet';
  const turns = inFlight.turns.length;
  const condition =
    degraded.length > 0 ? degraded.join(', ') : turns > 0 ? `${counted(turns, 'turn')} at work` : 'ready';
  const connected = platforms.filter((platform) => platform.state === 'connected').map(({ name }) => name);
  return connected.length === 0 ? condition : `${condition} · ${connected.join(', ')} connected`;
}

/** Signals carry no sender, a takeover and a lost terminal no person: each is said as what it is. */
function requestWords(intent: string, cause: string | null, actor: string | null): string {
  if (cause === 'hangup') return `${intent}: its terminal is gone`;
  if (cause === 'takeover') return `${intent}: another gateway takes over`;
  if (cause?.startsWith('SIG')) return `${intent} by ${cause}, which does not say who sent it`;
  return actor === null ? `${intent} asked for` : `${intent} asked by ${actor}`;
}

/** What happens when the running deadline of a state ends; null for a state that has none. */
export function deadlineWords(state: string): string | null {
  if (state === 'draining.waiting') return 'until turns are interrupted';
  if (state === 'draining.interrupting') return 'until what still runs is ended';
  if (state.endsWith('.flushing')) return 'until unsent replies wait for the next start';
  if (state.endsWith('.closing')) return 'until the process leaves';
  return null;
}

/** What would happen to a message now: the line under the input. */
export function admissionHint(status: Status): string {
  const { accepts, state } = status;
  const others = accepts.exec === 'dispatch' ? ' Commands run.' : '';
  if (accepts.turn === 'dispatch')
    return accepts.alias === 'dispatch' ? 'Everything is dispatched.' : `A message is dispatched.${others}`;
  if (accepts.turn === 'hold') {
    const until =
      state === 'starting'
        ? 'until the gateway has started'
        : status.intent === 'stop'
          ? 'for the next start'
          : 'and answered when turns are taken again';
    return `A message now is kept ${until}.${others}`;
  }
  const why =
    status.degraded.length > 0 && state.startsWith('running') ? ` (${status.degraded.join(', ')})` : '';
  return `A message now is refused${why}.${others}`;
}
