/** What a unit of the store is for, in a word: the instrumented points are named after it. */
import type { Write } from '../../../src/store/write.ts';

/** Every kind of unit that a run must kill before and after. */
export const COMMITS = [
  'receive-turn',
  'receive-waiting',
  'receive-held',
  'receive-command',
  'receive-control',
  'refuse',
  'recover',
  'take-up',
  'hold',
  'start-turn',
  'progress',
  'settle-turn',
  'cut-off',
  'start-command',
  'settle-command',
  'settle-control',
  'claim',
  'sent',
  'unsent',
  'unknown',
  'calm',
  'life-ready',
  'life-end',
] as const;

export type CommitName = (typeof COMMITS)[number];

/** Undefined for a unit that is none of these. */
export function nameOf(unit: readonly Write[]): CommitName | undefined {
  const has = (op: Write['op']) => unit.some((write) => write.op === op);
  const received = unit.find((write) => write.op === 'receive');
  if (received !== undefined) {
    if (has('turn.start')) return 'receive-turn';
    if (has('command.receive')) return 'receive-command';
    if (has('settle')) return 'refuse';
    if (received.message.phase === 'held') return 'receive-held';
    return received.message.phase === 'waiting' ? 'receive-waiting' : 'receive-control';
  }
  if (isRecovery(unit)) return 'recover';
  if (has('adopt')) return 'take-up';
  if (has('settle')) {
    if (has('turn.end')) return 'settle-turn';
    return has('command.end') ? 'settle-command' : 'settle-control';
  }
  // A turn that is over, and a message that is not.
  if (has('turn.end')) return 'cut-off';
  return byFirst(unit[0]);
}

/** A start's: it ends lives that are over, or takes over what they left without beginning it. */
function isRecovery(unit: readonly Write[]): boolean {
  return unit.some(
    (write) =>
      (write.op === 'life.end' && write.cause === 'died') ||
      (write.op === 'adopt' && (write.phase === 'held' || write.phase === 'awaiting-resume')),
  );
}

function byFirst(first: Write | undefined): CommitName | undefined {
  switch (first?.op) {
    case 'turn.start':
      return 'start-turn';
    case 'turn.progress':
      return 'progress';
    case 'command.start':
      return 'start-command';
    case 'sending':
      return 'claim';
    case 'sent':
      return 'sent';
    case 'unsent':
      return 'unsent';
    case 'outbound.end':
    case 'outbound.retry':
      return 'unknown';
    case 'session.calm':
      return 'calm';
    case 'life.ready':
      return 'life-ready';
    case 'life.end':
      return 'life-end';
    case 'phase':
      return first.phase === 'held' ? 'hold' : undefined;
    default:
      return undefined;
  }
}
