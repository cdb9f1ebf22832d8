/**
 * The header: the state and what it waits for, why, and the process behind it. On a phone also the five
 * admissions below it. The state is announced as it changes, the countdown only at 30, 10 and 5 seconds.
 */
import { COLUMNS, chart, phaseOf, rowOf } from './chart-data.ts';
import { byId, el, fill, setText } from './dom.ts';
import { glyph } from './glyphs.ts';
import { epochMs, type Status } from './protocol.ts';
import { gatewayNowMs, stateOf, type View } from './view.ts';
import { deadlineWords, leftWords, secondWords, spanWords, whyWords } from './words.ts';

const ANNOUNCED_SECONDS = [30, 10, 5];

/** Takes the header's elements from the page; the answer draws a view into them. */
export function createHeader(): (view: View, nowMs: number) => void {
  const text = (id: string) => {
    const element = byId(id, HTMLElement);
    return (words: string) => setText(element, words);
  };
  const [state, why, pid, epoch, uptime, link] = ['state', 'why', 'pid', 'epoch', 'uptime', 'link'].map(text);
  const drawCountdown = createCountdown();
  const admits = byId('admits', HTMLElement);
  fillEverywhere();
  return (view, nowMs) => {
    const { status } = view;
    const shown = stateOf(view);
    document.body.dataset.link = view.link;
    document.body.dataset.phase = shown === null ? '' : phaseOf(shown);
    document.title = shown === null ? 'sluice' : `${shown} · sluice`;
    state?.(shown ?? (view.link === 'unauthorised' ? 'not let in' : 'connecting'));
    why?.(reasonWords(view));
    link?.(linkWords(view, nowMs));
    drawCountdown(view, nowMs);
    drawAdmits(admits, shown);
    if (status === null) return;
    pid?.(String(status.pid));
    epoch?.(String(status.epoch));
    uptime?.(spanWords(gatewayNowMs(view, nowMs) - epochMs(status.startedAt)));
  };
}

function reasonWords({ link, gone, status, linkSinceMs, skewMs }: View): string {
  if (link === 'unauthorised') return 'Open the address that the gateway printed at its start.';
  if (gone !== null) return `left with code ${gone.code}: ${gone.meaning}`;
  if (status === null) return '';
  const asOf = link === 'live' ? '' : ` · as of ${secondWords(linkSinceMs + skewMs)}`;
  return whyWords(status) + asOf;
}

function linkWords({ link, linkSinceMs }: View, nowMs: number): string {
  if (link === 'lost') return `not connected for ${spanWords(nowMs - linkSinceMs)}, retrying`;
  return { connecting: 'connecting', live: 'live', unauthorised: 'no access' }[link];
}

function createCountdown(): (view: View, nowMs: number) => void {
  const box = byId('countdown', HTMLElement);
  const left = byId('countdown-left', HTMLElement);
  const bar = byId('countdown-bar', HTMLElement);
  const until = byId('countdown-until', HTMLElement);
  const announcements = byId('announcements', HTMLElement);
  return (view, nowMs) => {
    const ends = view.gone === null && view.status !== null ? endOf(view.status) : null;
    box.hidden = ends === null;
    if (ends === null) {
      setText(announcements, '');
      return;
    }
    const leftMs = Math.max(0, ends.atMs - gatewayNowMs(view, nowMs));
    const seconds = Math.ceil(leftMs / 1000);
    setText(left, leftWords(leftMs));
    setText(until, ends.words);
    bar.style.setProperty('--share', `${Math.min(100, (100 * leftMs) / ends.limitMs).toFixed(1)}%`);
    if (ANNOUNCED_SECONDS.includes(seconds)) setText(announcements, `${seconds} seconds ${ends.words}`);
  };
}

/** When the running deadline ends and what it does then; null where none runs. */
function endOf(
  status: Status,
): { readonly atMs: number; readonly limitMs: number; readonly words: string } | null {
  const words = deadlineWords(status.state);
  if (status.deadlineAt === null || words === null) return null;
  return { atMs: epochMs(status.deadlineAt), limitMs: limitMs(status), words };
}

function limitMs({ state, deadlines }: Status): number {
  if (state === 'draining.interrupting') return deadlines.killMs;
  return state.startsWith('draining') ? deadlines.drainMs : deadlines.exitMs;
}

function drawAdmits(list: HTMLElement, state: string | null): void {
  const row = state === null ? undefined : rowOf(state);
  fill(list, row?.state ?? null, () =>
    row === undefined
      ? []
      : COLUMNS.map((column) => el('li', {}, glyph(row.cells[column]), el('span', {}, column))),
  );
}

/** The transitions that hold in every state, as words: no arrow could be drawn from everywhere. */
function fillEverywhere(): void {
  for (const id of ['everywhere', 'everywhere-below']) {
    const place = byId(id, HTMLElement);
    place.replaceChildren(el('span', {}, 'In every state'));
    for (const { event, admission, to } of chart.everywhere) {
      const name = el('span', { class: 'mono' }, event.replace(/^message\./, ''));
      place.append(el('span', {}, name, ' ', admission === undefined ? `→ ${to ?? ''}` : glyph(admission)));
    }
  }
}
