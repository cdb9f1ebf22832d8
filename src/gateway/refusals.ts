/**
 * One refusal text per conversation and drain: later refusals settle silently, or a busy group would be
 * flooded with them. Callers at the socket or over HTTP always get theirs.
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

/** Which conversations have been told in this drain. */
export class Refusals {
  readonly #told = new Set<string>();

  /** True when this conversation has heard of a refusal since the gateway last took turns; remembers it. */
  toldAlready(row: Pick<MessageRow, 'platform' | 'conversation'>, refusal: Refusal | null): boolean {
    if (waitsAtConnection(row) || refusal === null || refusal.because === 'degraded') return false;
    const { conversation } = row;
    if (this.#told.has(conversation)) return true;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(conversation);
    return false;
  }

  /** This conversation was not told after all. */
  forgetTold(conversation: string): void {
    this.#told.delete(conversation);
  }

  /** The gateway takes turns again. */
  forget(): void {
    this.#told.clear();
  }
}
