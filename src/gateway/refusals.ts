/**
 * One refusal text per conversation and drain, and one per conversation while safe mode lasts: later refusals settle
 * silently, or a busy group would be flooded with them. Callers at the socket or over HTTP always get theirs.
 */
import type { Refusal } from '../../machines/events.ts';
import { waitsAtConnection } from '../messages/local.ts';
import type { MessageRow } from '../store/store.ts';

/** Conversations that are remembered as told; past it all are forgotten, and may be told once more. */
const TOLD_MAX = 10_000;

/**
 * What has to be back before a refused message can be sent again: its agent, or the gateway, which is leaving or takes no
 * turns at all.
 */
export function waitsFor({ because, degraded }: Refusal): 'agent' | 'gateway' {
  return because !== 'degraded' || degraded.includes('safe-mode') ? 'gateway' : 'agent';
}

/** Times in which every turn is refused, which is told once in each: the gateway leaves or drains, or is in safe mode. */
const SPELLS = ['leaving', 'safe-mode'] as const;

/** Which conversations have been told. */
export class Refusals {
  /** Spell and conversation. */
  readonly #told = new Set<string>();

  /** True when this conversation has heard of this spell since the gateway last took turns; remembers it. */
  toldAlready(row: Pick<MessageRow, 'platform' | 'conversation'>, refusal: Refusal | null): boolean {
    const spell = waitsAtConnection(row) || refusal === null ? undefined : spellOf(refusal);
    if (spell === undefined) return false;
    const key = `${spell} ${row.conversation}`;
    if (this.#told.has(key)) return true;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(key);
    return false;
  }

  /** This conversation was not told after all. */
  forgetTold(conversation: string): void {
    for (const spell of SPELLS) this.#told.delete(`${spell} ${conversation}`);
  }

  /** The gateway takes turns again. */
  forget(): void {
    this.#told.clear();
  }
}

/** Undefined for what is told each time: an agent that is down may be another one by then. */
function spellOf(refusal: Refusal): (typeof SPELLS)[number] | undefined {
  if (waitsFor(refusal) === 'agent') return undefined;
  return refusal.because === 'degraded' ? 'safe-mode' : 'leaving';
}
