/**
 * One refusal text per conversation and drain, and one per conversation while safe mode lasts or while it rests: later
 * refusals settle silently, or a busy group would be flooded with them, unless they tell something else to do. Callers at
 * the socket or over HTTP always get theirs.
 */
import type { Refusal } from '../../machines/events.ts';
import { waitsAtConnection } from '../messages/local.ts';
import type { MessageRow } from '../store/records.ts';

/** Conversations that are remembered as told; past it all are forgotten, and may be told once more. */
const TOLD_MAX = 10_000;

/**
 * What has to be back before a refused message can be sent again: its agent, or the gateway, which is leaving or takes no
 * turns at all.
 */
export function waitsFor({ because, degraded }: Refusal): 'agent' | 'gateway' {
  return because !== 'degraded' || degraded.includes('safe-mode') ? 'gateway' : 'agent';
}

/**
 * Times in which one thing is refused for the same reason, which is told once in each: the gateway leaves or drains, it is
 * in safe mode, no more messages are kept, or the conversation rests.
 */
type Spell = 'leaving' | 'safe-mode' | 'full' | 'resting';

/** What a refusal belongs to: what the chart says, or a spell that it knows nothing of. */
export type RefusedFor = Refusal | 'full' | 'resting';

/** Which conversations have been told. */
export class Refusals {
  /** By conversation: spells, each with what was said besides. */
  readonly #told = new Map<string, Set<string>>();

  /**
   * True when this conversation has heard of this spell; remembers it. `hint`: what this refusal tells to do instead, which
   * is of use to whoever has only heard another; the same is said once.
   */
  toldAlready(
    row: Pick<MessageRow, 'platform' | 'conversation'>,
    why: RefusedFor | null,
    hint?: string,
  ): boolean {
    const spell = waitsAtConnection(row) || why === null ? undefined : spellOf(why);
    if (spell === undefined) return false;
    const said = hint === undefined ? spell : `${spell} ${hint}`;
    const told = this.#told.get(row.conversation) ?? new Set();
    if (told.has(said)) return true;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.set(row.conversation, told.add(said));
    return false;
  }

  /** This conversation was not told after all. */
  forgetTold(conversation: string): void {
    this.#told.delete(conversation);
  }

  /** The gateway takes turns again; a conversation that rests does so until a person says otherwise, once in a life. */
  forget(): void {
    const stillRest = [...this.#told].filter(([, told]) => told.has('resting'));
    this.#told.clear();
    for (const [conversation] of stillRest) this.#told.set(conversation, new Set(['resting']));
  }
}

/** Undefined for what is told each time: an agent that is down may be another one by then. */
function spellOf(why: RefusedFor): Spell | undefined {
  if (typeof why === 'string') return why;
  if (waitsFor(why) === 'agent') return undefined;
  return why.because === 'degraded' ? 'safe-mode' : 'leaving';
}
