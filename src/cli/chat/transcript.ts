/**
 * What the events of a conversation come to on the screen: answers as they grow, each once, whether they were
 * streamed, came whole, or were missed and sent again; and what others write in the same conversation.
 */
import type { ControlEvent } from '../../control/client.ts';

/** Answers that are remembered as shown, so that one that is sent again is not shown again. */
const SHOWN_REMEMBERED_MAX = 1000;

/** Where it is shown. */
export interface Shows {
  say(text: string): void;
  note(text: string): void;
  freshLine(): void;
}

interface Own {
  /** Empty, and the kind with it, until the gateway has told of it. */
  readonly messageId: string;
  readonly kind: string;
  /** For a next life, or until the gateway runs as usual. */
  readonly isHeld: boolean;
  /** It is on disk; undefined until it is decided. */
  readonly isRecorded: boolean | undefined;
}

export class Transcript {
  readonly #screen: Shows;
  /** Messages of this chat that wait for their outcome, by the id they were sent under. */
  readonly #own = new Map<string, Own>();
  /** What has been shown of answers that are still growing, by message. */
  readonly #streamed = new Map<string, string>();
  readonly #shown = new Set<string>();
  readonly #turns = new Set<string>();

  constructor(screen: Shows) {
    this.#screen = screen;
  }

  /** An agent answers in this conversation. */
  get isAnswering(): boolean {
    return this.#turns.size > 0;
  }

  /** An agent is to answer a message of this chat, whether its turn has begun or not. */
  get isAwaited(): boolean {
    return [...this.#own.values()].some(({ kind, isHeld }) => kind === 'turn' && !isHeld);
  }

  /** How many messages of this chat are decided and wait for their outcome: on disk, and not. */
  get awaited(): { readonly recorded: number; readonly unrecorded: number } {
    const count = (recorded: boolean) =>
      [...this.#own.values()].filter(({ isRecorded }) => isRecorded === recorded).length;
    return { recorded: count(true), unrecorded: count(false) };
  }

  /** A command of this chat that runs, by its message's id. */
  get runningCommand(): string | undefined {
    return [...this.#own.values()].find(({ kind }) => kind === 'exec')?.messageId;
  }

  /** This chat has sent a message under this id. */
  sent(id: string): void {
    this.#own.set(id, { messageId: '', kind: '', isHeld: false, isRecorded: undefined });
  }

  /** What the gateway has decided of it, unless it is settled already. */
  decided(id: string, { messageId, kind, admission, recorded }: Readonly<Record<string, unknown>>): void {
    if (!this.#own.has(id)) return;
    this.#own.set(id, {
      messageId: String(messageId),
      kind: String(kind),
      isHeld: admission === 'hold',
      isRecorded: recorded !== false,
    });
  }

  /** A message of this chat came to nothing, or its sender has been told already. */
  done(id: string): void {
    this.#own.delete(id);
  }

  /** The connection was lost: turns may have ended meanwhile. */
  lost(): void {
    this.#turns.clear();
  }

  show({ event, data }: ControlEvent): void {
    if (event === 'message') this.#message(data);
    else if (event === 'typing') this.#typing(data);
    else if (event === 'delta') this.#delta(data);
    else if (event === 'reply') this.#reply(data);
    else if (event === 'settled') this.#settled(data);
    else if (event === 'notice') this.#screen.note(String(data.text));
    else if (event === 'dropped') this.#screen.note('some of what was said meanwhile is not shown');
  }

  #message({ id, messageId, kind, sender, text }: ControlEvent['data']): void {
    const [key, message] = [String(id), String(messageId)];
    const own = this.#own.get(key);
    if (own !== undefined) this.#own.set(key, { ...own, messageId: message, kind: String(kind) });
    else if (!this.#shown.has(message)) this.#screen.note(`${sender}: ${text}`);
    this.#remember(message);
  }

  #typing({ on, turn }: ControlEvent['data']): void {
    if (on === true) this.#turns.add(String(turn));
    else this.#turns.delete(String(turn));
  }

  /** A piece that does not follow on what is shown is left out: the whole reply comes. */
  #delta({ messageId, text, offset }: ControlEvent['data']): void {
    const key = String(messageId);
    const before = this.#streamed.get(key) ?? '';
    if (offset !== before.length) return;
    this.#streamed.set(key, before + String(text));
    this.#screen.say(String(text));
  }

  #reply({ messageId, text }: ControlEvent['data']): void {
    const key = String(messageId);
    const reply = String(text);
    const before = this.#streamed.get(key) ?? '';
    this.#streamed.delete(key);
    if (before !== '' && reply.startsWith(before)) this.#screen.say(reply.slice(before.length));
    else {
      this.#screen.freshLine();
      this.#screen.say(reply);
    }
    this.#screen.freshLine();
  }

  #settled({ id, messageId }: ControlEvent['data']): void {
    this.#streamed.delete(String(messageId));
    this.#own.delete(String(id));
  }

  #remember(messageId: string): void {
    this.#shown.add(messageId);
    const [oldest] = this.#shown;
    if (this.#shown.size > SHOWN_REMEMBERED_MAX && oldest !== undefined) this.#shown.delete(oldest);
  }
}
