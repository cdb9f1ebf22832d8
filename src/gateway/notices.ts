/**
 * Tells people that the gateway, or an agent, went down for them or is back: only those who were affected, once an
 * incident, counted across lives. A notice is first a promise in the store; it becomes a text in the outbox in the
 * commit that marks it as kept, so a death between the two neither loses nor repeats it.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { newId } from '../messages/ids.ts';
import * as replies from '../messages/replies.ts';
import * as resumeReplies from '../messages/resume-replies.ts';
import type { MessageRow, Notice, OutboundRow, StoredNotice } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { Delivery } from './delivery.ts';

/** Promises that are looked at in one go. */
export const NOTICES_AT_ONCE_MAX = 1000;

/** A promise that could not be written is kept in memory, so many of them; the rest are not told. */
export const PROMISES_KEPT_MAX = 1000;

/** A promise older than this says nothing worth hearing any more. */
const NOTICE_AGE_MS_MAX = 24 * 3_600_000;

/** Whom a notice is for. */
export type Told = Pick<MessageRow, 'platform' | 'conversation'>;

export interface NoticesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly delivery: Pick<Delivery, 'deliver'>;
  readonly life: () => number;
  readonly epoch: () => number;
  /** True when this agent's turns (undefined: turns at all) are taken. */
  readonly takesTurns: (agent: string | undefined) => boolean;
  /** True when no turn of this conversation runs until a person says so. */
  readonly rests: (conversation: string) => boolean;
  /** Tells whoever watches the conversation from here. */
  readonly watched: (conversation: string, text: string) => void;
}

export class Notices {
  readonly #options: NoticesOptions;
  /** Promises that are not on disk. */
  #unwritten: Notice[] = [];
  #inHand: Promise<void> = Promise.resolve();
  #tellsSoon = false;
  /** There may be promises that are not kept; at the start it is not known. */
  #mayWait = true;
  /** How often this life has stopped taking turns with somebody to be told when it takes them again. */
  #absences = 1;
  #absencePromised = false;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Promises that this destination hears of it; once an incident, whoever promises it again. Never rejects. */
  async promise({ platform, conversation }: Told, incident: string, kind: Notice['kind']): Promise<void> {
    await this.#promise({ incident, platform, conversation, kind });
    // What it is about may be over by now.
    await this.tell();
  }

  /**
   * Promises that this destination hears when turns are taken again, in this life or the next: once, whatever this life
   * is asked for meanwhile.
   */
  promiseBack(to: Told): Promise<void> {
    this.#absencePromised = true;
    return this.promise(to, absenceIncident(this.#options.epoch(), this.#absences), 'back');
  }

  /** Keeps what promises can be kept now. Never rejects; what cannot be done is tried again with the next call. */
  tell(): Promise<void> {
    if (!this.#options.takesTurns(undefined)) return this.#inHand;
    if (this.#absencePromised) this.#absences += 1;
    this.#absencePromised = false;
    if (this.#tellsSoon || !this.#mayWait) return this.#inHand;
    this.#tellsSoon = true;
    return this.#next(() => {
      this.#tellsSoon = false;
      return this.#tellAll();
    });
  }

  /**
   * Writes the promises that an outage kept from being written: also while no turns are taken, for the next life may have
   * to keep them. Never rejects.
   */
  catchUp(): Promise<void> {
    return this.#next(() => this.#writePromises());
  }

  /** The same before the end, when it may not be known yet that the store is back. Never rejects. */
  async catchUpLast(): Promise<void> {
    if (this.#unwritten.length > 0) await this.#options.store.probe();
    await this.catchUp();
  }

  /** Nobody is told what was promised of this incident. Never rejects. */
  giveUp(incident: string): Promise<void> {
    return this.#next(async () => {
      for (const notice of await this.#options.store.noticesOf(incident)) {
        if (notice.state === 'pending') await this.#end([notice], 'given-up', []);
      }
    });
  }

  /** One after the other, so that none looks at what another is about to change. */
  #next(work: () => Promise<void>): Promise<void> {
    this.#inHand = this.#inHand.then(work).catch((error: unknown) => {
      this.#mayWait = true;
      this.#options.log.warn({ error: messageOf(error) }, 'notices wait: the store does not answer');
    });
    return this.#inHand;
  }

  async #promise(notice: Notice): Promise<void> {
    const { store, clock, log } = this.#options;
    try {
      await store.commit([{ op: 'notice', notice, at: clock.wallMs() }]);
    } catch (error) {
      if (this.#unwritten.length < PROMISES_KEPT_MAX) this.#unwritten.push(notice);
      else log.warn({ ...notice, error: messageOf(error) }, 'a notice could not be kept');
    }
    // Only now: a look at the promises that began before cannot have seen it.
    this.#mayWait = true;
  }

  async #writePromises(): Promise<void> {
    for (const notice of this.#unwritten.splice(0)) await this.#promise(notice);
  }

  async #tellAll(): Promise<void> {
    const { store, clock } = this.#options;
    this.#mayWait = false;
    await this.#writePromises();
    const pending = await store.pendingNotices(NOTICES_AT_ONCE_MAX);
    const due = new Map<string, [StoredNotice, ...StoredNotice[]]>();
    let left = 0;
    for (const notice of pending) {
      if (clock.wallMs() - notice.createdAt > NOTICE_AGE_MS_MAX) await this.#end([notice], 'given-up', []);
      else if (this.#isDue(notice)) {
        const topic = this.#topicOf(notice);
        const same = due.get(topic);
        if (same === undefined) due.set(topic, [notice]);
        else same.push(notice);
      } else left += 1;
    }
    for (const same of due.values()) await this.#say(same);
    if (left > 0 || pending.length === NOTICES_AT_ONCE_MAX) this.#mayWait = true;
  }

  /** An agent's outage of an earlier life is over: this one knows of its own only. */
  #isDue(notice: StoredNotice): boolean {
    const outage = outageOf(notice);
    const agent = outage?.epoch === this.#options.epoch() ? outage.agent : undefined;
    return this.#options.takesTurns(agent);
  }

  /** Keeps promises that come to the same for whoever hears of them: one sentence for all of them. */
  async #say(same: readonly [StoredNotice, ...StoredNotice[]]): Promise<void> {
    const { clock, life, epoch, delivery, watched } = this.#options;
    const [{ platform, conversation }] = same;
    const at = clock.wallMs();
    const text = this.#rests(same[0]) ? restingText(same) : textOf(same[0], epoch());
    const outbound: OutboundRow = {
      ...{ id: newId('o', at), messageId: null, platform, conversation, text },
      ...{ kind: 'notice', createdAt: at, life: life() },
    };
    await this.#end(same, 'sent', [{ op: 'reply', outbound }]);
    delivery.deliver(outbound, true);
    watched(conversation, text);
  }

  /** What a notice is about, for whom: several times in which no turns were taken have ended by one and the same return. */
  #topicOf(notice: StoredNotice): string {
    const { platform, conversation, kind } = notice;
    const outage = outageOf(notice);
    const isOwn = outage?.epoch === this.#options.epoch();
    const about = isOwn ? `agent ${outage.agent}` : this.#rests(notice) ? 'rest' : kind;
    return JSON.stringify([platform, conversation, about]);
  }

  /** Whoever rests has nothing from a return but the word that it does; an agent's is another matter. */
  #rests(notice: StoredNotice): boolean {
    const { epoch, rests } = this.#options;
    return outageOf(notice)?.epoch !== epoch() && rests(notice.conversation);
  }

  async #end(
    notices: readonly StoredNotice[],
    state: 'sent' | 'given-up',
    writes: readonly Write[],
  ): Promise<void> {
    const ends = notices.map(({ incident, platform, conversation, kind }): Write => {
      return { op: 'notice.end', notice: { incident, platform, conversation, kind }, state };
    });
    await this.#options.store.commit([...ends, ...writes]);
  }
}

/** What an agent's outage is called; each has a name of its own. `since`: wall milliseconds. */
export const agentIncident = (agent: string, epoch: number, since: number): string =>
  `agent:${epoch}:${since}:${agent}`;

/** What a time is called in which one life took no turns, whatever it was asked for meanwhile. */
const absenceIncident = (epoch: number, number: number): string => `absence:${epoch}:${number}`;

function outageOf({ incident }: Notice): { epoch: number; agent: string } | undefined {
  const parts = /^agent:(?<epoch>\d+):\d+:(?<agent>.+)$/s.exec(incident)?.groups;
  return parts && { epoch: Number(parts.epoch), agent: parts.agent ?? '' };
}

/** A death has them rest, and is what they hear of it by, once; any other return finds them resting still. */
function restingText(same: readonly Notice[]): string {
  const isOfDeath = same.some(({ incident }) => incident.startsWith('crash:'));
  return isOfDeath ? resumeReplies.backAndResting() : resumeReplies.backAndStillResting();
}

function textOf(notice: Notice, epoch: number): string {
  const outage = outageOf(notice);
  if (outage?.epoch === epoch) return replies.agentBack(outage.agent);
  if (notice.incident.startsWith(`absence:${epoch}:`)) return resumeReplies.turnsTakenAgain();
  return notice.kind === 'down' ? resumeReplies.wentDown() : resumeReplies.gatewayBack();
}
