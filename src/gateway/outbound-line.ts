/**
 * What waits to be sent in one conversation, in order. A line holds its messages and what keeps the first of them
 * back; who moves it is `delivery.ts`.
 */
import type { Clock } from '../clock.ts';
import type { OutboundRow, StoredOutbound } from '../store/records.ts';
import type { Log } from '../telemetry/log.ts';
import { type OpenState, OUTBOX_AGE_MS_MAX } from './delivery-policy.ts';
import type { Unsent } from './outbound-so-far.ts';
import type { UnarrivedMessages } from './outbound-unarrived.ts';

/** Messages of one conversation that are kept in memory; later ones stay on disk until there is room. As many again that have no row. */
export const QUEUED_PER_CONVERSATION_MAX = 100;

/** A message between its row and its end. */
export interface Letter {
  readonly row: OutboundRow;
  /** It was handed in with its row: whatever happens here, it is on disk. */
  readonly hadRow: boolean;
  /** It has a row to be marked; what was handed in without one may get one later. */
  stored: boolean;
  state: OpenState;
  attempts: number;
  /** Attempts whose end nobody saw; of earlier lives it is known whether there was one. */
  cuts: number;
  /** In a row, in this life: what the next wait is made of. */
  failures: number;
  /** Its last attempt was another life's, and nobody saw its end. */
  orphaned: boolean;
  /** Its platform is asked before it is sent again. */
  asksFirst: boolean;
  plain: boolean;
  marked: boolean;
  /** How its last attempt failed that certainly did not arrive, and until when it waits; null: there was none. */
  unsent: Unsent | null;
  /** It is about to leave its line. */
  arrived: boolean;
  /** Who does not want it sent any more. */
  discardedBy: string | null;
  /** It is just being given up, and waits for how that comes out. */
  isBeingDiscarded: boolean;
  /** Wall milliseconds that its age counts from. */
  since: number;
}

export interface Line {
  readonly platform: string;
  readonly conversation: string;
  readonly letters: Letter[];
  /** Settled when it rests or is empty; undefined while it rests. */
  working: Promise<void> | undefined;
  /** The letter that is just being taken a step on. */
  inHand: Letter | undefined;
  /** Something changed while it was at work: it looks once more before it rests. */
  looksAgain: boolean;
  /** Monotonic milliseconds before which nothing is tried: after failures, and as its platform wants it. */
  backoffUntil: number;
  waitUntil: number;
  /** Monotonic milliseconds before which no claim is tried, unless the store is said to be back. */
  claimUntil: number;
  timer: Disposable | undefined;
  /** Messages behind the last of its letters that are on disk alone. */
  leftOnDisk: number;
}

/** A message as it is handed in: new, or with what became of it so far. */
export function letterOf(row: OutboundRow | StoredOutbound, stored: boolean): Letter {
  const before = 'state' in row ? row : undefined;
  const state = before?.state === 'sending' || before?.state === 'unknown' ? before.state : 'pending';
  return {
    row,
    hadRow: stored,
    stored,
    state,
    attempts: before?.attempts ?? 0,
    cuts: state !== 'pending' || before?.possibleDuplicate === true ? 1 : 0,
    failures: 0,
    orphaned: state !== 'pending',
    asksFirst: false,
    plain: false,
    marked: before?.possibleDuplicate ?? false,
    unsent: null,
    arrived: false,
    discardedBy: null,
    isBeingDiscarded: false,
    // What was asked for again, and what its platform made wait, is as old as that.
    since: Math.max(row.createdAt, before?.nextAt ?? 0),
  };
}

export interface LinesOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly unarrived: UnarrivedMessages;
  /** Nothing waits in this conversation any more. */
  readonly emptied: (conversation: string) => void;
}

/** Every line in which something waits or is being sent. */
export class Lines {
  readonly #options: LinesOptions;
  readonly #lines = new Map<string, Line>();

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  get all(): readonly Line[] {
    return [...this.#lines.values()];
  }

  /** By conversation, if something waits there. */
  get(conversation: string): Line | undefined {
    return this.#lines.get(conversation);
  }

  of(platform: string): Line[] {
    return this.all.filter((line) => line.platform === platform);
  }

  find(id: string): { line: Line; letter: Letter } | undefined {
    for (const line of this.#lines.values()) {
      const letter = line.letters.find(({ row }) => row.id === id);
      if (letter !== undefined) return { line, letter };
    }
    return undefined;
  }

  /** The line of this row, made if there was none. */
  for(row: OutboundRow): Line {
    const known = this.#lines.get(row.conversation);
    if (known !== undefined) return known;
    const line = newLine(row);
    this.#lines.set(row.conversation, line);
    return line;
  }

  /** Behind the others; where they are too many it stays on disk, and so does what comes after it. */
  add(line: Line, letter: Letter): void {
    const { clock, log, unarrived } = this.#options;
    const { row, stored } = letter;
    // Those on disk do not take the places of those that are nowhere else.
    const among = stored ? line.letters : line.letters.filter((other) => !other.stored);
    const isFull = among.length >= QUEUED_PER_CONVERSATION_MAX;
    if (stored && (isFull || line.leftOnDisk > 0)) {
      line.leftOnDisk += 1;
    } else if (isFull) {
      const { id: outbound, conversation } = row;
      unarrived.add(outbound, { as: 'never-taken' });
      log.error(
        { outbound, conversation },
        'a message is lost: it is not on disk, and too many wait before it',
      );
    } else {
      const waitUntil = clock.monotonicMs() + waitLeftMs(row, clock.wallMs());
      line.waitUntil = Math.max(line.waitUntil, waitUntil);
      line.letters.push(letter);
    }
  }

  /** What it was handed, behind what was found late; where that does not fit, what is on disk stands behind it there. */
  putBehind(line: Line, letters: readonly Letter[]): void {
    const staysOnDisk = (letter: Letter) => line.leftOnDisk > 0 && letter.hadRow && letter !== line.inHand;
    line.letters.push(...letters.filter((letter) => !staysOnDisk(letter)));
    line.leftOnDisk += letters.filter(staysOnDisk).length;
  }

  /** Its end has come. */
  remove({ letters }: Line, letter: Letter): void {
    const at = letters.indexOf(letter);
    if (at >= 0) letters.splice(at, 1);
  }

  /** Forgets a line with nothing in it. */
  tidy(line: Line): void {
    if (line.letters.length > 0 || line.leftOnDisk > 0) return;
    this.#lines.delete(line.conversation);
    this.#options.emptied(line.conversation);
  }
}

const newLine = ({ platform, conversation }: OutboundRow): Line => ({
  platform,
  conversation,
  letters: [],
  working: undefined,
  inHand: undefined,
  looksAgain: false,
  backoffUntil: 0,
  waitUntil: 0,
  claimUntil: 0,
  timer: undefined,
  leftOnDisk: 0,
});

/** How long its platform wants it left alone, as its row has it; no clock that was set back makes it longer than a day. */
function waitLeftMs(row: OutboundRow | StoredOutbound, wallMs: number): number {
  const nextAt = 'nextAt' in row ? row.nextAt : null;
  return nextAt === null ? 0 : Math.min(OUTBOX_AGE_MS_MAX, Math.max(0, nextAt - wallMs));
}
