/**
 * The three deadlines of a shutdown as one bar, against the time after which the supervisor kills: what is
 * spare is dashed, what is missing is red. The running one fills up.
 */
import { byId, el, fill, setText } from './dom.ts';
import { epochMs, type Status } from './protocol.ts';
import { secondsWords } from './words.ts';

interface Stage {
  readonly name: string;
  readonly limitMs: number;
  readonly kind: 'stage' | 'spare' | 'short';
}

/** A stage is drawn as if it had so many seconds at least, so that its name fits. */
const DRAWN_SECONDS_MIN = 13;

/** Draws the bar and the sentence beside its heading. */
export function drawStages(status: Status, gatewayMs: number): void {
  const stages = stagesOf(status);
  const bar = byId('stages', HTMLElement);
  fill(bar, stages, () => stages.map(element));
  setText(byId('deadlines-note', HTMLElement), note(status));
  const running = runningStage(status.state);
  const endsMs = status.deadlineAt === null ? null : epochMs(status.deadlineAt);
  bar.querySelectorAll<HTMLElement>('.used').forEach((used, index) => {
    const stage = stages[index];
    if (stage === undefined) return;
    const share =
      index < running ? 1 : index > running || endsMs === null ? 0 : 1 - (endsMs - gatewayMs) / stage.limitMs;
    used.style.setProperty('--share', `${Math.round(100 * Math.min(1, Math.max(0, share)))}%`);
  });
}

function stagesOf({ deadlines }: Status): Stage[] {
  const { drainMs, killMs, exitMs, supervisorMs } = deadlines;
  const own: Stage[] = [
    { name: 'drain', limitMs: drainMs, kind: 'stage' },
    { name: 'kill', limitMs: killMs, kind: 'stage' },
    { name: 'exit', limitMs: exitMs, kind: 'stage' },
  ];
  if (supervisorMs === null) return own;
  const spareMs = supervisorMs - drainMs - killMs - exitMs;
  const rest: Stage =
    spareMs < 0
      ? { name: 'short', limitMs: -spareMs, kind: 'short' }
      : { name: 'spare', limitMs: spareMs, kind: 'spare' };
  return [...own, rest];
}

function element({ name, limitMs, kind }: Stage): HTMLElement {
  const words = el('span', { class: 'words' }, `${name} ${secondsWords(limitMs)}`);
  const stage = el(
    'span',
    { class: kind === 'stage' ? '' : `spare ${kind}`, title: `${name} ${secondsWords(limitMs)} s` },
    ...(kind === 'stage' ? [el('i', { class: 'used' })] : []),
    words,
  );
  stage.style.setProperty('flex-grow', String(Math.max(limitMs / 1000, DRAWN_SECONDS_MIN)));
  stage.style.setProperty('flex-basis', '0');
  return stage;
}

/** Which stage runs: -1 before a shutdown, then 0 drain, 1 kill, 2 exit. */
function runningStage(state: string): number {
  if (state === 'draining.interrupting') return 1;
  if (state.startsWith('draining')) return 0;
  return /^(restarting|stopped|exited)/.test(state) ? 2 : -1;
}

function note({ deadlines, supervisor }: Status): string {
  const { drainMs, killMs, exitMs, supervisorMs } = deadlines;
  const sum = `${secondsWords(drainMs + killMs + exitMs)} s`;
  if (supervisorMs === null) return supervisor === 'none' ? `${sum}, nobody kills earlier` : `${sum} in all`;
  return `${sum} of the ${secondsWords(supervisorMs)} s ${supervisor} allows`;
}
