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
  /** Lives that died. One that was cut off after it had been asked to leave is none, and counts against nobody. */
  readonly deaths: ReadonlySet<number>;
  /** Conversations that were in flight at earlier deaths. */
  readonly sessions: ReadonlyMap<string, CrashedSession>;
  /** What the deaths of late are called, and what has been said or promised of them; null without a new death. */
  readonly incident: { readonly name: string; readonly told: readonly Notice[] } | null;
  /** Nobody is told that turns were interrupted until turns are taken again: it is promised. */
  readonly quiet: boolean;
}

/** The messages of a conversation whose turns one death cut off and that stay open. */
export interface CutOffs extends Pick<Notice, 'platform' | 'conversation'> {
  /** What their turns had said, as far as it is known. */
  readonly streamed: string;
  /** The texts of those that wait for a word; the others go on by themselves. */
  readonly asked: readonly string[];
  /** None of them is cut off for the first time. */
  readonly isAgain: boolean;
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
    const { deaths, sessions, now, incident } = this.#options;
    if (incident === null) return [];
    const writes: Write[] = [];
    const inFlight = new Set(
      turns.filter(({ life }) => deaths.has(life)).map(({ conversation }) => conversation),
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
   * What the conversation is told of its turns that one death cut off, and the rows that note it; `text` of what comes back is
   * null: nothing, or nothing yet. It hears once that the gateway went down. That it rests is said with this "down" where it is
   * still to be said, and is the "back" where it had been told that it goes on. Of an incident that it has heard of it hears no
   * more, but whoever is asked for a word is always told. In a life that shall be quiet a notice is told later.
   */
  tell(cut: CutOffs): { readonly writes: readonly Write[]; readonly text: string | null } {
    const { incident, quiet, now } = this.#options;
    const { platform, conversation, streamed, asked } = cut;
    const went = resumeReplies.cutOff(asked.length > 0 ? 'ask' : 'by-itself', this.rests(conversation));
    if (incident === null) return { writes: [], text: withStreamed(streamed, went) };
    const restsNow = this.#restNow.delete(conversation);
    const down = { incident: incident.name, platform, conversation, kind: 'down' } as const;
    const isBack = this.#told.has(noticeKey(down)) && restsNow;
    const notice = isBack ? ({ ...down, kind: 'back' } as const) : down;
    if (this.#told.has(noticeKey(notice))) return { writes: [], text: this.#again(cut) };
    this.#told.add(noticeKey(notice));
    const promised: Write = { op: 'notice', notice, at: now };
    if (quiet) return { writes: [promised], text: null };
    const handedOn: Write = { op: 'notice.end', notice, state: 'sent' };
    const text = withStreamed(streamed, isBack ? resumeReplies.backAndResting() : went);
    return { writes: [promised, handedOn], text };
  }

  /**
   * A text about those messages, outside the count of notices, so that it is said in a quiet life, too. Of those that go on
   * by themselves nothing is said, not what their turns had streamed either: their answer comes whole.
   */
  #again({ conversation, streamed, asked, isAgain }: CutOffs): string | null {
    if (asked.length === 0) return null;
    const how = this.#options.quiet ? 'after-safe-mode' : this.rests(conversation) ? 'rests' : 'resume';
    return withStreamed(streamed, resumeReplies.cutOffToo(asked, isAgain, how));
  }
}

/** What the person would have read had the turns gone on, said first. */
export const withStreamed = (streamed: string, text: string): string =>
  streamed.trim() === '' ? text : `${streamed}\n\n${text}`;

/** A notice of one incident, as one word. */
const noticeKey = ({ kind, platform, conversation }: Notice): string =>
  JSON.stringify([kind, platform, conversation]);
