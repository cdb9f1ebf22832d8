/**
 * A conversation as server-sent events: messages, the answers as they come, and what became of each. Every `reply`
 * and `settled` has an id that names its place in the order in which messages settled; it resumes after a reconnect,
 * also to a later life, because what was missed is read from the store. Deltas, typing and notices are of the moment
 * and are not sent again.
 *
 * What is told while the store is read waits, so that nothing is lost between the two and nothing comes twice. A client
 * that cannot be told for a defect of ours has its stream ended with the time to come back: silence would look like
 * nothing happening.
 */
import { type Exit, meaningOf } from '../../machines/exit.ts';
import type { Clock } from '../clock.ts';
import { isSluiceError } from '../errors.ts';
import type { Heard } from '../gateway/conversations.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { SETTLED_AHEAD_MS_MAX } from '../gateway/settle-times.ts';
import { settledJson } from './api-reply.ts';
import { BEGINNING, type Cursor, cursorId, parseCursor } from './conversation-cursor.ts';
import { EVENTS_BEHIND_MAX, EventStream } from './event-stream.ts';

/** Settled messages that a client is sent at most after it was away; older ones are left out, and it is told. */
export const MISSED_MESSAGES_MAX = 100;

/** Messages that a stream remembers having sent, so that what it hears of and also reads comes once. */
const SENT_REMEMBERED_MAX = 1000;

/** When a client whose stream ended should come back. */
const RETRY_MS = 500;

type Told = Extract<Heard, { type: 'settled' }>;

/** The clients of all conversations. */
export class ConversationEvents {
  readonly #gateway: Gateway;
  readonly #clock: Clock;
  readonly #streams = new Set<EventStream>();

  constructor(gateway: Gateway, clock: Clock) {
    this.#gateway = gateway;
    this.#clock = clock;
  }

  get clients(): number {
    return this.#streams.size;
  }

  /** A new client of the conversation of this key; `lastEventId` is the last one it has seen. */
  open(conversation: string, lastEventId: string | undefined): EventStream {
    const stream = new EventStream();
    this.#streams.add(stream);
    const client = new Client(this.#gateway, this.#clock, conversation, stream);
    const watch = this.#gateway.conversations.watch(conversation, (heard) => client.hear(heard));
    void stream.closed.then(() => {
      watch[Symbol.dispose]();
      this.#streams.delete(stream);
    });
    client.begin(parseCursor(lastEventId));
    return stream;
  }

  /** Tells every client how the gateway leaves, and when to come back, and ends its stream. */
  gone(exit: Exit): void {
    for (const stream of this.#streams) {
      stream.send('gone', { reexecute: exit.reexecute, meaning: meaningOf(exit), cause: exit.cause });
      stream.end(RETRY_MS);
    }
  }
}

/** One stream, and how far it has got. */
class Client {
  readonly #gateway: Gateway;
  readonly #clock: Clock;
  readonly #conversation: string;
  readonly #stream: EventStream;
  readonly #sent = new Set<string>();
  /** Messages that wait for a person's word, and that were sent as such. */
  readonly #awaiting = new Set<string>();
  #cursor = BEGINNING;
  /** What was told while the store is being read; undefined when it is not. */
  #waiting: Heard[] | undefined = [];
  #again = false;

  constructor(gateway: Gateway, clock: Clock, conversation: string, stream: EventStream) {
    this.#gateway = gateway;
    this.#clock = clock;
    this.#conversation = conversation;
    this.#stream = stream;
  }

  /** Says that it is connected, then what was missed since `from`; a new client has missed nothing. */
  begin(from: Cursor | undefined): void {
    this.#go(async () => {
      await this.#connect(from);
      this.#goOn();
    });
  }

  hear(heard: Heard): void {
    this.#go(() => {
      if (this.#waiting === undefined) this.#take(heard);
      else if (heard.type === 'recovered' || this.#waiting.length >= EVENTS_BEHIND_MAX) this.#again = true;
      else this.#waiting.push(heard);
    });
  }

  /** Does a part of the stream's work. What fails in it ends the stream, and disturbs nobody else. */
  #go(work: () => void | Promise<void>): void {
    const failed = (error: unknown): void => {
      this.#gateway.reportFault(error);
      this.#stream.end(RETRY_MS);
    };
    try {
      work()?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  async #connect(from: Cursor | undefined): Promise<void> {
    this.#cursor = from ?? (await this.#newest());
    // A wall clock that was set back: what settled since has earlier times than the client has seen.
    if (this.#cursor.settledAt > this.#clock.wallMs() + SETTLED_AHEAD_MS_MAX) this.#cursor = BEGINNING;
    const { epoch } = this.#gateway.lifecycle;
    const about = { conversation: this.#conversation, epoch, resumed: from !== undefined };
    this.#stream.send('connected', about, cursorId(this.#cursor));
    if (from !== undefined) await this.#readMissed();
    for (const { id, conversation, agent } of this.#gateway.status.inFlight.turns) {
      if (conversation === this.#conversation)
        this.#stream.sendPassing('typing', { on: true, turn: id, agent });
    }
  }

  #take(heard: Heard): void {
    if (heard.type === 'settled') this.#sendSettled(heard);
    else if (heard.type === 'message')
      this.#stream.send('message', messageJson(heard.message, heard.admission));
    else if (heard.type === 'typing') {
      const { on, turn, agent } = heard;
      this.#stream.sendPassing('typing', { on, turn, agent });
    } else if (heard.type === 'delta') {
      const { message, text, offset } = heard;
      this.#stream.sendPassing('delta', { messageId: message.id, text, offset });
    } else if (heard.type === 'notice') this.#stream.send('notice', { text: heard.text });
    else {
      this.#waiting = [];
      this.#go(async () => {
        await this.#readMissed();
        this.#goOn();
      });
    }
  }

  /** Where a new client begins: after what has settled by now, as far as that is known. */
  async #newest(): Promise<Cursor> {
    const newest = await this.#settledSince(BEGINNING, 1);
    if (newest === undefined) return { ...BEGINNING, settledAt: this.#clock.wallMs() };
    const [message] = newest;
    if (message === undefined) return BEGINNING;
    return { settledAt: message.settledAt ?? 0, messageId: message.id, replies: null };
  }

  async #readMissed(): Promise<void> {
    do {
      this.#again = false;
      const missed = await this.#settledSince(this.#cursor, MISSED_MESSAGES_MAX + 1);
      if (missed === undefined || missed.length > MISSED_MESSAGES_MAX)
        this.#stream.send('dropped', { count: null });
      for (const message of missed?.slice(-MISSED_MESSAGES_MAX) ?? []) {
        if (this.#isSent(message.id)) continue;
        const replies = await unlessUnavailable(this.#gateway.conversations.replies(message.id));
        if (replies === undefined) {
          this.#stream.send('dropped', { count: null });
          break;
        }
        this.#stream.send('message', messageJson(message, message.admission));
        const { outcome, reason, recorded, settledAt } = message;
        const settled = { outcome: outcome ?? 'failed', reason, replies, recorded, exitCode: null };
        this.#sendSettled({ type: 'settled', message, settled, settledAt: settledAt ?? 0 });
      }
    } while (this.#again);
    await this.#readAwaiting();
  }

  /** What was cut off, and goes on only when a person says so. */
  async #readAwaiting(): Promise<void> {
    const { conversations } = this.#gateway;
    for (const { message, text } of (await unlessUnavailable(conversations.awaiting(this.#conversation))) ??
      []) {
      if (this.#isSent(message.id) || this.#awaiting.has(message.id)) continue;
      this.#awaiting.add(message.id);
      this.#stream.send('message', messageJson(message, 'hold'));
      this.#stream.send('notice', { text });
    }
  }

  /** What waited meanwhile is sent, and then all as it comes. */
  #goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const heard of waiting) this.hear(heard);
    if (this.#again) this.hear({ type: 'recovered' });
  }

  #isSent(messageId: string): boolean {
    const { messageId: last, replies } = this.#cursor;
    return this.#sent.has(messageId) || (messageId === last && replies === null);
  }

  #sendSettled({ message, settled, settledAt }: Told): void {
    const { id: messageId, platformMessageId: id, kind } = message;
    if (this.#isSent(messageId)) return;
    const before = this.#cursor.messageId === messageId ? (this.#cursor.replies ?? 0) : 0;
    settled.replies.slice(before).forEach((text, index) => {
      const replies = before + index + 1;
      this.#stream.send('reply', { messageId, id, text }, cursorId({ settledAt, messageId, replies }));
    });
    this.#cursor = { settledAt, messageId, replies: null };
    const { replies: _, ...outcome } = settledJson(settled);
    this.#stream.send('settled', { messageId, id, kind, ...outcome }, cursorId(this.#cursor));
    this.#remember(messageId);
  }

  #remember(messageId: string): void {
    this.#sent.add(messageId);
    const [oldest] = this.#sent;
    if (this.#sent.size > SENT_REMEMBERED_MAX && oldest !== undefined) this.#sent.delete(oldest);
  }

  #settledSince(since: Cursor, messagesMax: number) {
    const { conversations } = this.#gateway;
    return unlessUnavailable(conversations.settledSince(this.#conversation, since, messagesMax));
  }
}

/** Undefined while the store cannot be read: the client is told that it misses something, and hears what happens now. */
async function unlessUnavailable<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isSluiceError(error, 'STORE_UNAVAILABLE')) return undefined;
    throw error;
  }
}

const messageJson = (message: Told['message'], admission: Told['message']['admission']) => ({
  messageId: message.id,
  id: message.platformMessageId,
  sender: message.sender,
  kind: message.kind,
  text: message.text,
  admission,
  receivedAt: message.receivedAt,
});
