/**
 * The server of a chat: people write to it, and it outlives every life of the gateway. It delivers what is not
 * acknowledged until it is, in the order of each conversation, and keeps what arrived from the gateway. How a sending ends
 * is the world's to say: an attempt waits until then.
 */
import type { Outbound } from '../../src/messages/outbound.ts';
import {
  LinkFailure,
  type Platform,
  type PlatformCapabilities,
  type PlatformContext,
  SendFailure,
  type SentReceipt,
} from '../../src/platforms/platform.ts';
import { type Happening, NAMED_WAIT_MS, type Rules, type Said, type Told } from './happening.ts';
import type { Mortal } from './mortal.ts';

/** A message of a person, and how far it has come. */
export interface Post {
  readonly said: Said;
  acknowledged: boolean;
  /** The link that it is just being handed in by. */
  handedBy: ChatPlatform | null;
  /** It was handed in once. */
  wasHanded: boolean;
}

/** A sending that is under way. */
export interface Attempt {
  readonly outbound: Outbound;
  readonly by: ChatPlatform;
  readonly resolve: (receipt: SentReceipt) => void;
  readonly reject: (error: SendFailure) => void;
}

/** A connecting that is under way. */
interface Connecting {
  readonly by: ChatPlatform;
  readonly context: PlatformContext;
  readonly resolve: () => void;
  readonly reject: (error: LinkFailure) => void;
}

export interface ChatServerOptions {
  readonly happens: (happening: Happening) => void;
  readonly wallMs: () => number;
  readonly rules: Rules;
  /** Whether a sending that is cut had arrived. */
  readonly arrives: () => boolean;
}

export class ChatServer {
  readonly options: ChatServerOptions;
  readonly posts: Post[] = [];
  readonly attempts: Attempt[] = [];
  readonly arrived = new Set<string>();
  connecting: Connecting | undefined;
  #link: { readonly by: ChatPlatform; readonly context: PlatformContext } | undefined;

  constructor(options: ChatServerOptions) {
    this.options = options;
  }

  get isLinked(): boolean {
    return this.#link !== undefined;
  }

  post(said: Said): void {
    this.posts.push({ said, acknowledged: false, handedBy: null, wasHanded: false });
  }

  /** What can be handed in now: of each conversation the first that is neither acknowledged nor under way. */
  get deliverable(): Post[] {
    if (this.#link === undefined || !this.#link.by.receives) return [];
    const first = new Map<string, Post>();
    for (const post of this.posts) {
      if (post.acknowledged || post.handedBy !== null) continue;
      if (!first.has(post.said.conversation)) first.set(post.said.conversation, post);
    }
    return [...first.values()];
  }

  /** Hands a message in by the link there is, for the first time or once more. */
  deliver(post: Post): void {
    const link = this.#link;
    if (link === undefined) return;
    const { happens, wallMs } = this.options;
    const { key, conversation, sender, text, queues } = post.said;
    post.handedBy = link.by;
    post.wasHanded = true;
    const receivedAt = wallMs();
    happens({ what: 'handed', life: link.by.life, said: post.said, receivedAt });
    const whenBusy = queues ? ({ whenBusy: 'queue' } as const) : {};
    const inbound = { platform: 'chat', platformMessageId: key, conversation, sender, text, receivedAt };
    const over = (acknowledged: boolean) => {
      if (link.by.isDead || post.handedBy !== link.by) return;
      post.handedBy = null;
      const { life } = link.by;
      if (!acknowledged) {
        happens({ what: 'turned away', life, key });
      } else if (!post.acknowledged) {
        post.acknowledged = true;
        happens({ what: 'acknowledged', life, key, recorded: true });
      }
    };
    link.context.receive({ ...inbound, ...whenBusy }).then(
      () => over(true),
      () => over(false),
    );
  }

  connected(): void {
    const { connecting } = this;
    if (connecting === undefined) return;
    this.connecting = undefined;
    this.#link = { by: connecting.by, context: connecting.context };
    connecting.resolve();
  }

  refused(): void {
    const { connecting } = this;
    this.connecting = undefined;
    connecting?.reject(new LinkFailure('unreachable', 'the server is not there'));
  }

  /** The link breaks: what is under way is cut, and what was not acknowledged comes again. */
  lost(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.gone(link.by);
    link.context.lost(new LinkFailure('unreachable', 'the link broke'));
  }

  /** This side of the link is not there any more: its process died, or it has disconnected. */
  gone(by: ChatPlatform): void {
    if (this.#link?.by === by) this.#link = undefined;
    if (this.connecting?.by === by) this.#giveUp(by);
    for (const post of this.posts) if (post.handedBy === by) post.handedBy = null;
    for (const attempt of this.attempts.filter((one) => one.by === by)) {
      this.end(attempt, 'unknown', this.options.arrives());
    }
  }

  #giveUp(by: ChatPlatform): void {
    if (by.isDead) this.connecting = undefined;
    else this.refused();
  }

  /** Ends a sending: whether it arrived, and what the gateway is told. */
  end(attempt: Attempt, told: Told, arrives: boolean): void {
    const index = this.attempts.indexOf(attempt);
    if (index < 0) return;
    this.attempts.splice(index, 1);
    const { id } = attempt.outbound;
    if (arrives) this.arrived.add(id);
    const { isDead } = attempt.by;
    const { happens, wallMs } = this.options;
    happens({ what: 'attempt over', id, arrived: arrives, told: isDead ? null : told, wallMs: wallMs() });
    if (isDead) return;
    if (told === 'well') attempt.resolve({ platformSentId: `p${this.arrived.size}` });
    else
      attempt.reject(
        new SendFailure(told, `trouble: ${told}`, told === 'wait' ? { retryAfterMs: NAMED_WAIT_MS } : {}),
      );
  }
}

/** The gateway's side of the chat, of one life. */
export class ChatPlatform implements Platform {
  readonly name = 'chat';
  readonly life: number;
  readonly capabilities: PlatformCapabilities;
  readonly reconcile?: NonNullable<Platform['reconcile']>;
  receives = true;
  readonly #server: ChatServer;
  readonly #mortal: Mortal;

  constructor(server: ChatServer, life: number, mortal: Mortal, partCharsMax: number | undefined) {
    const { rules } = server.options;
    this.life = life;
    this.#server = server;
    this.#mortal = mortal;
    this.capabilities = {
      messagesPerMinute: 600,
      ...(rules.sendsOnce ? { sendsOnce: true } : {}),
      ...(partCharsMax === undefined ? {} : { textCharsMax: partCharsMax }),
    };
    if (rules.canAsk) this.reconcile = (outbound) => mortal.port('reconcile', () => this.#answer(outbound));
    mortal.atEnd(() => server.gone(this));
  }

  get isDead(): boolean {
    return this.#mortal.isDead;
  }

  start(context: PlatformContext, signal: AbortSignal): Promise<void> {
    return this.#mortal.port('connect', () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#server.connecting = { by: this, context, resolve, reject };
      const givenUp = () => {
        if (this.#server.connecting?.by === this) this.#server.refused();
      };
      signal.addEventListener('abort', givenUp, { once: true });
      return promise;
    });
  }

  send(outbound: Outbound, signal: AbortSignal): Promise<SentReceipt> {
    return this.#mortal.port('send', () => {
      const { promise, resolve, reject } = Promise.withResolvers<SentReceipt>();
      const attempt: Attempt = { outbound, by: this, resolve, reject };
      const { happens, wallMs } = this.#server.options;
      happens({ what: 'attempt', life: this.life, outbound, wallMs: wallMs() });
      if (!this.#server.isLinked) {
        reject(new SendFailure('not-sent', 'there is no link'));
        const { id } = outbound;
        happens({ what: 'attempt over', id, arrived: false, told: 'not-sent', wallMs: wallMs() });
        return promise;
      }
      this.#server.attempts.push(attempt);
      signal.addEventListener('abort', this.#cut(attempt), { once: true });
      return promise;
    });
  }

  stopReceiving(): Promise<void> {
    return this.#mortal.port('stop receiving', async () => {
      this.receives = false;
    });
  }

  stop(): Promise<void> {
    return this.#mortal.port('disconnect', async () => this.#server.gone(this));
  }

  #cut(attempt: Attempt): () => void {
    const server = this.#server;
    return () => {
      if (server.attempts.includes(attempt)) server.end(attempt, 'unknown', server.options.arrives());
    };
  }

  async #answer({ id }: Outbound): Promise<'delivered' | 'absent'> {
    const answer = this.#server.arrived.has(id) ? 'delivered' : 'absent';
    this.#server.options.happens({ what: 'asked after', id, answer });
    return answer;
  }
}
