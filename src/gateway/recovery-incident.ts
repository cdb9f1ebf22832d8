/**
 * What deaths mean for the conversations that were in flight at them: in how many running, whether one rests from now on,
 * and what its people are told. An incident is one "down" in a conversation, and one "back", counted across lives. Pure.
 */
import * as resumeReplies from '../messages/resume-replies.ts';
import type { CrashedSession, Notice, OpenTurn } from '../store/records.ts';
import type { Write } from '../store/write.ts';

/** A conversation that was in flight in so many deaths running is quarantined. */
export const CRASHES_MAX = 3;

export interface IncidentOptions {
  /** Wall milliseconds. */
  readonly now: number;
  /** Lives that died, by a kill or a defect; the others whose rows are open have left in order. */
  readonly deadLives: ReadonlySet<number>;
  /** Conversations that were in flight at earlier deaths. */
  readonly sessions: ReadonlyMap<string, CrashedSession>;
  /** What the deaths of late are called, and what has been said or promised of them; null without a new death. */
  readonly incident: { readonly name: string; readonly told: readonly Notice[] } | null;
  /** Nobody is told that turns were interrupted until turns are taken again: it is promised. */
  readonly quiet: boolean;
}

/** The deaths of late, as a recovery looks at the conversations one after the other. */
export class Incident {
  readonly #options: IncidentOptions;
  /** Notices of the incident, each one destination's, that are said or promised. */
  readonly #told: Set<string>;
  readonly #quarantined = new Set<string>();
  /** Those of them that rest from this death on. */
  readonly #restNow = new Set<string>();

  constructor(options: IncidentOptions) {
    this.#options = options;
    this.#told = new Set(options.incident?.told.map(noticeKey));
  }

  /** Counts in how many deaths running each conversation was in flight, by the turns left open; whoever was not is calm. */
  count(turns: readonly OpenTurn[]): readonly Write[] {
    const { deadLives, sessions, now, incident } = this.#options;
    if (incident === null) return [];
    const writes: Write[] = [];
    const inFlight = new Set(
      turns.filter(({ life }) => deadLives.has(life)).map(({ conversation }) => conversation),
    );
    for (const conversation of inFlight) {
      writes.push({ op: 'session.crashed', conversation, at: now });
      if ((sessions.get(conversation)?.crashes ?? 0) + 1 < CRASHES_MAX) continue;
      writes.push({ op: 'session.quarantine', conversation, at: now });
      this.#quarantined.add(conversation);
      if (sessions.get(conversation)?.quarantined !== true) this.#restNow.add(conversation);
    }
    for (const { conversation, quarantined } of sessions.values()) {
      if (quarantined) this.#quarantined.add(conversation);
      else if (!inFlight.has(conversation)) writes.push({ op: 'session.calm', conversation, at: now });
    }
    return writes;
  }

  /** True when no turn of it runs until a person says so; known once the deaths are counted. */
  rests(conversation: string): boolean {
    return this.#quarantined.has(conversation);
  }

  /**
   * What the conversation of a turn that was cut off is told, where `text` says it of the turn, and the rows that note it.
   * `text` of what comes back is null: nothing, or nothing yet. That it rests is said with the "down" where this is still to
   * be said, and is the "back" where it had been told that it goes on. In a life that shall be quiet, later.
   */
  tell(
    { platform, conversation }: Pick<Notice, 'platform' | 'conversation'>,
    text: string,
  ): { readonly writes: readonly Write[]; readonly text: string | null } {
    const { incident, quiet, now } = this.#options;
    if (incident === null) return { writes: [], text };
    const down = { incident: incident.name, platform, conversation, kind: 'down' } as const;
    const isBack = this.#told.has(noticeKey(down)) && this.#restNow.delete(conversation);
    const notice = isBack ? ({ ...down, kind: 'back' } as const) : down;
    if (this.#told.has(noticeKey(notice))) return { writes: [], text: null };
    this.#told.add(noticeKey(notice));
    this.#restNow.delete(conversation);
    const promised: Write = { op: 'notice', notice, at: now };
    if (quiet) return { writes: [promised], text: null };
    const handedOn: Write = { op: 'notice.end', notice, state: 'sent' };
    return { writes: [promised, handedOn], text: isBack ? resumeReplies.backAndResting() : text };
  }
}

/** A notice of one incident, as one word. */
const noticeKey = ({ kind, platform, conversation }: Notice): string =>
  JSON.stringify([kind, platform, conversation]);
