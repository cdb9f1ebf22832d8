/**
 * `/resume`: has answered what waits for a person's word in a conversation, in the order in which it came, and lets a
 * conversation go on that rested. What it changes on disk is one commit: either everything goes on, or nothing does.
 */
import type { Clock } from '../clock.ts';
import { isSluiceError, messageOf } from '../errors.ts';
import * as endingReplies from '../messages/ending-replies.ts';
import * as replies from '../messages/replies.ts';
import * as resumeReplies from '../messages/resume-replies.ts';
import type { MessageRow } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { Held } from './held.ts';
import type { InHand, Settlement } from './in-hand.ts';
import type { Resumes, Taken } from './resumes.ts';
import type { TakeUp } from './take-up.ts';
import type { Turns } from './turns.ts';

export interface ResumingOptions {
  readonly store: Pick<Store, 'commit' | 'obstacle'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly held: Held;
  readonly resumes: Resumes;
  readonly takeUp: TakeUp;
  readonly turns: Pick<Turns, 'running'>;
}

export class Resuming {
  readonly #options: ResumingOptions;

  constructor(options: ResumingOptions) {
    this.#options = options;
  }

  /** What has no place yet stays held, and is taken up when there is one. */
  async run({ row: { conversation } }: InHand): Promise<Settlement> {
    const { held, resumes, takeUp } = this.#options;
    const taken = resumes.take(conversation);
    const { rows, wasQuarantined } = taken;
    if (rows.length === 0 && !wasQuarantined) {
      return {
        outcome: 'done',
        reason: 'nothing-to-resume',
        replies: [resumeReplies.nothingToResume()],
      };
    }
    const problem = await this.#write(conversation, taken);
    if (problem !== undefined) {
      resumes.putBack(conversation, taken);
      return { outcome: 'failed', reason: problem.reason, replies: [problem.text] };
    }
    held.putBack(rows.map((row): MessageRow => ({ ...row, phase: 'held', reason: 'resume' })));
    const first = held.rows.find(({ id }) => rows.some((row) => row.id === id));
    takeUp.allOf(conversation);
    if (first === undefined) return { outcome: 'done', reason: null, replies: [resumeReplies.released()] };
    return {
      outcome: 'merged',
      reason: null,
      mergedInto: first.id,
      replies: [resumeReplies.resuming(rows.length, this.#standing(first))],
    };
  }

  /** Where the first of what is taken up has come to: it has its turn, or another of its conversation does, or no place is free. */
  #standing({ id, conversation }: MessageRow): resumeReplies.ResumeStanding {
    const { held, turns } = this.#options;
    const running = turns.running.find(({ row }) => row.conversation === conversation);
    if (running?.message.row.id === id) return 'now';
    const isBefore = held.rows.find((row) => row.conversation === conversation)?.id !== id && held.has(id);
    return running !== undefined || isBefore ? 'behind-others' : 'no-place';
  }

  /** Undefined once it is on disk. */
  async #write(
    conversation: string,
    { rows, wasQuarantined }: Taken,
  ): Promise<{ reason: string; text: string } | undefined> {
    const { store, clock, log } = this.#options;
    const calm: Write[] = wasQuarantined ? [{ op: 'session.calm', conversation, at: clock.wallMs() }] : [];
    const goOn = rows.map(({ id }): Write => ({ op: 'phase', id, phase: 'held', reason: 'resume' }));
    try {
      await store.commit([...calm, ...goOn]);
      return undefined;
    } catch (error) {
      log.warn({ conversation, error: messageOf(error) }, 'what waits for a word could not be taken up');
      return isSluiceError(error, 'STORE_UNAVAILABLE')
        ? { reason: 'store', text: replies.storeRefusal(store.obstacle) }
        : { reason: 'internal', text: endingReplies.internalFailure() };
    }
  }
}
