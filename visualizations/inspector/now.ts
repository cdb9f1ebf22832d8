/** The Now column: what is admitted, what is at work and what ends it, what waits, and in which context. */
import { createAdmissionTable } from './admission-table.ts';
import { byId, el, fill, setText } from './dom.ts';
import { type Command, epochMs, type Status, type Turn } from './protocol.ts';
import { drawStages } from './stages.ts';
import { gatewayNowMs, stateOf, type View } from './view.ts';
import { agoWords, counted, secondWords, spanWords } from './words.ts';

/** Takes the column's elements from the page; the answer draws a view into them. */
export function createNow(): (view: View, nowMs: number) => void {
  // What scrolls must be reachable for a keyboard, in browsers that do not see to it themselves.
  byId('now', HTMLElement).tabIndex = 0;
  const drawAdmission = createAdmissionTable(byId('admission', HTMLElement));
  const work = byId('work', HTMLElement);
  const workCount = byId('work-count', HTMLElement);
  const held = byId('held', HTMLElement);
  const heldCount = byId('held-count', HTMLElement);
  const context = byId('context', HTMLElement);
  return (view, nowMs) => {
    const { status } = view;
    drawAdmission(stateOf(view));
    if (status === null) return;
    const gatewayMs = gatewayNowMs(view, nowMs);
    const works = worksOf(status, gatewayMs);
    drawWorks(work, works, status);
    setText(workCount, works.length === 0 ? '' : String(works.length));
    drawStages(status, gatewayMs);
    setText(heldCount, String(status.held));
    setText(held, heldWords(status));
    drawWarnings(status);
    const pairs = contextOf(status, gatewayMs);
    fill(context, pairs, () =>
      pairs.flatMap(([term, value]) => [el('dt', {}, term), el('dd', { title: value }, value)]),
    );
  };
}

interface Work {
  readonly id: string;
  readonly what: string;
  readonly where: string;
  readonly age: string;
  readonly end: string;
  /** How much of the time until it is ended is left, in percent; null while nothing ends it. */
  readonly share: number | null;
}

/** Turns, then commands, oldest first. Only a deadline that runs ends them from outside. */
function worksOf({ inFlight, deadlineAt, deadlines, state }: Status, gatewayMs: number): Work[] {
  const endsMs = deadlineAt === null || !state.startsWith('draining') ? null : epochMs(deadlineAt);
  const limitMs = state === 'draining.interrupting' ? deadlines.killMs : deadlines.drainMs;
  const ending = {
    end: endsMs === null ? '' : `ends by ${secondWords(endsMs)}`,
    share:
      endsMs === null ? null : Math.round(Math.min(100, Math.max(0, (100 * (endsMs - gatewayMs)) / limitMs))),
  };
  const age = ({ startedAt }: Turn | Command) => spanWords(gatewayMs - epochMs(startedAt));
  const turns = inFlight.turns.map((turn) => ({
    id: turn.id,
    what: `turn · ${turn.agent}`,
    where: turn.conversation,
    age: age(turn),
    ...ending,
  }));
  const commands = inFlight.commands.map((command) => ({
    id: command.id,
    what: `command · /${command.name}`,
    where: command.actor,
    age: age(command),
    ...ending,
  }));
  return [...turns, ...commands];
}

/** The rows stay while the same work is shown, so that their bars move and do not jump. */
function drawWorks(place: HTMLElement, works: readonly Work[], status: Status): void {
  const key = works.map(({ id, what, where, share }) => [id, what, where, share === null]);
  fill(place, [key, works.length === 0 && status.state], () =>
    works.length === 0 ? [idle(status)] : [el('ul', { class: 'works' }, ...works.map(row))],
  );
  for (const [index, line] of [...place.querySelectorAll('.work')].entries()) {
    const work = works[index];
    const [age, end] = line.querySelectorAll('.end');
    if (work === undefined || age === undefined || end === undefined) continue;
    setText(age, work.age);
    setText(end, work.end);
    line.querySelector<HTMLElement>('.left')?.style.setProperty('--share', `${work.share ?? 0}%`);
  }
}

function row({ id, what, where, share }: Work): HTMLElement {
  return el(
    'li',
    { class: 'work', 'data-work': id },
    el('span', {}, el('span', { class: 'mono' }, id), ' ', el('span', { class: 'quiet' }, what)),
    el('span', { class: 'end' }),
    el('span', { class: 'quiet' }, where),
    el('span', { class: 'end quiet' }),
    ...(share === null ? [] : [el('span', { class: 'bar' }, el('i', { class: 'left' }))]),
  );
}

function idle({ state }: Status): HTMLElement {
  const next = state.startsWith('running') ? ' A restart now would be instant.' : '';
  return el('p', { class: 'none' }, `Nothing in flight.${next}`);
}

function heldWords({ held, state, intent }: Status): string {
  if (held === 0) return 'No message waits.';
  const waits = `${counted(held, 'message')} ${held === 1 ? 'waits' : 'wait'}`;
  if (intent === 'stop') return `${waits} for the next start.`;
  if (intent === 'restart') return `${waits} for the restart.`;
  return state === 'starting'
    ? `${waits} until the gateway has started.`
    : `${waits} until turns are taken again.`;
}

function drawWarnings({ warnings }: Status): void {
  byId('warnings-block', HTMLElement).hidden = warnings.length === 0;
  fill(byId('warnings', HTMLElement), warnings, () => warnings.map((warning) => el('li', {}, warning)));
}

/** What is not set is shown as a dash, never left out: a place that is always there is found again. */
function contextOf(status: Status, gatewayMs: number): (readonly [term: string, value: string])[] {
  const { intent, cause, actor, supervisor, degraded, lastExit, version } = status;
  const exit =
    lastExit === null
      ? '–'
      : [
          ...(lastExit.code === null ? [] : [lastExit.code]),
          lastExit.cause,
          ...(lastExit.at === null ? [] : [agoWords(gatewayMs - epochMs(lastExit.at))]),
        ].join(' · ');
  return [
    ['intent', intent ?? '–'],
    ['cause', cause ?? '–'],
    ['actor', actor ?? '–'],
    ['supervisor', supervisor],
    ['degraded', degraded.length === 0 ? '–' : degraded.join(', ')],
    ['last exit', exit],
    ['version', version],
  ];
}
