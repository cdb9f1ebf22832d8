/**
 * What the store of a home has of a message that came before under an id: its decision and its outcome, or how it stands
 * while it has none. For a command that is sent again where no gateway answers, and for one whose gateway died.
 */
import { answersOf } from '../gateway/conversations.ts';
import { decidedOf } from '../gateway/duplicates.ts';
import { COMMAND_AGE_MS_MAX } from '../gateway/recovery-plan.ts';
import { LOCAL_PLATFORM } from '../messages/local.ts';
import { isAlive, isVisible } from '../process/identity.ts';
import { readStore } from '../store/database.ts';
import type { StoredMessage } from '../store/records.ts';
import type { Life } from '../store/store.ts';

export interface Earlier {
  /** The decision, as a document has it. */
  readonly admission: Readonly<Record<string, unknown>>;
  /** Its outcome, as a document has it; undefined while it has none. */
  readonly settled: EarlierOutcome | undefined;
  /** While it has none: who has it and how far it is, in sentences; null otherwise. */
  readonly stands: string | null;
  /** While it waits to be begun: how long after its arrival a start begins it yet; null once it has begun, or ended. */
  readonly beginsWithinMs: number | null;
  /** As it was sent. */
  readonly text: string;
}

export interface EarlierOutcome {
  readonly outcome: string;
  readonly outcomeReason: string | null;
  readonly replies: readonly string[];
  readonly recorded: boolean;
  readonly exitCode: number | null;
}

/** The message of the local platform with this id; undefined where none came. Throws as `readStore`. */
export function earlierOf(storePath: string, id: string): Earlier | undefined {
  return readStore(storePath, (reads) => {
    const message = reads.find(LOCAL_PLATFORM, id);
    if (message === undefined) return undefined;
    const admission = { ...decidedOf(message, false), offline: true };
    const { outcome, reason: outcomeReason, recorded, text } = message;
    const waits = outcome === null && message.phase !== 'started';
    const beginsWithinMs = waits ? COMMAND_AGE_MS_MAX : null;
    const sent = { admission, text, beginsWithinMs };
    if (outcome === null) {
      const life = reads.openLives(null).find((each) => each.id === message.life);
      return { ...sent, settled: undefined, stands: standing(message, life) };
    }
    const replies = answersOf(reads.replies(message.id));
    const exitCode = reads.exitCode(message.id) ?? null;
    return { ...sent, settled: { outcome, outcomeReason, replies, recorded, exitCode }, stands: null };
  });
}

/** `life`: whose it is, unless that has ended. */
function standing({ phase }: StoredMessage, life: Life | undefined): string {
  const has = phase === 'started' ? 'is running' : 'waits to be begun';
  if (life === undefined) return `Its end is not known: when the store heard of it last, it ${had(phase)}.`;
  const who = life.kind === 'daemon' ? 'the gateway' : 'another sluice exec';
  if (isAlive(life)) return `It ${has} still, by ${who} (pid ${life.pid}).`;
  if (!isVisible(life)) return `It ${has}, by ${who} of another container, as far as the store has it.`;
  return `Its end is not known: ${who} that had it (pid ${life.pid}) died, and by then it ${had(phase)}.`;
}

const had = (phase: StoredMessage['phase']): string => (phase === 'started' ? 'had begun' : 'had not begun');
