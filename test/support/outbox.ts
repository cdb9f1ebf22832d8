/**
 * The outbox alone: delivery on a store in memory, a clock that is given, and a platform that answers as the test says.
 */
import { Delivery } from '../../src/gateway/delivery.ts';
import type { Outbound } from '../../src/messages/outbound.ts';
import {
  type Platform,
  type PlatformCapabilities,
  SendFailure,
  type SendTrouble,
  type SentReceipt,
} from '../../src/platforms/platform.ts';
import type { StoredOutbound } from '../../src/store/records.ts';
import { outboundRow } from '../store/sample-rows.ts';
import { FakeClock } from './fake-clock.ts';
import { keptLog } from './gateway-core.ts';
import { MemoryStore } from './memory-store.ts';

/** How one send ends: well, with trouble, with any other error, or when the test says so. */
export type Answer = 'well' | SendTrouble | { readonly waitMs: number } | Error | Promise<void>;

export class ScriptedPlatform implements Platform {
  readonly name = 'chat';
  capabilities: PlatformCapabilities = {};
  /** What was asked of it, in order. */
  readonly asked: Outbound[] = [];
  readonly questions: string[] = [];
  readonly shown: string[] = [];
  reconcile?: NonNullable<Platform['reconcile']>;
  /** By conversation; what has no answer is sent well. */
  readonly #answers = new Map<string, Answer[]>();

  /** The next sends to this conversation end so, one after the other. */
  answers(conversation: string, ...answers: readonly Answer[]): void {
    this.#answers.set(conversation, [...(this.#answers.get(conversation) ?? []), ...answers]);
  }

  /** It can be asked, and says this, one after the other. */
  knows(...found: readonly ('delivered' | 'absent' | 'unknown' | Error)[]): void {
    const left = [...found];
    this.reconcile = async ({ id }) => {
      this.questions.push(id);
      const next = left.shift() ?? 'unknown';
      if (next instanceof Error) throw next;
      return next;
    };
  }

  get texts(): string[] {
    return this.asked.map(({ text }) => text);
  }

  async start(): Promise<void> {}

  async send(outbound: Outbound, signal: AbortSignal): Promise<SentReceipt> {
    this.asked.push(outbound);
    const answer = this.#answers.get(outbound.conversation)?.shift() ?? 'well';
    if (answer instanceof Error) throw answer;
    if (answer instanceof Promise) {
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
      );
      await Promise.race([answer, aborted]);
    } else if (typeof answer === 'object') {
      throw new SendFailure('wait', 'too many messages', { retryAfterMs: answer.waitMs });
    } else if (answer !== 'well') throw new SendFailure(answer, `trouble: ${answer}`);
    return { platformSentId: `s${this.asked.length}` };
  }

  async typing(conversation: string, on: boolean, _signal: AbortSignal): Promise<void> {
    this.shown.push(`${conversation} ${on ? 'on' : 'off'}`);
  }

  async stopReceiving(): Promise<void> {}
  async stop(): Promise<void> {}
}

export class Outbox {
  readonly clock = new FakeClock();
  readonly store: MemoryStore;
  readonly platform = new ScriptedPlatform();
  readonly lines: Record<string, unknown>[];
  readonly delivery: Delivery;
  isUp = true;
  #count = 0;

  /** `store`: with what an earlier life left there. */
  constructor(store = new MemoryStore()) {
    this.store = store;
    const { log, lines } = keptLog();
    this.lines = lines;
    this.delivery = new Delivery({
      ...{ store, log, clock: this.clock },
      life: () => 1,
      platform: (name) => (name === 'chat' ? this.platform : undefined),
      isUp: () => this.isUp,
      // Waits are as long as they can be.
      random: () => 0,
    });
  }

  /** Puts a message on disk and hands it in. Gives its id. */
  async send(conversation: string, text: string, platform = 'chat'): Promise<string> {
    this.#count += 1;
    const id = `o${this.#count}`;
    const row = outboundRow(id, null, { platform, conversation, text, createdAt: this.clock.wallMs() });
    await this.store.commit([{ op: 'reply', outbound: row }]);
    this.delivery.deliver(row, true);
    return id;
  }

  async row(id: string): Promise<StoredOutbound> {
    const row = await this.store.outbound(id);
    if (row === undefined) throw new Error(`there is no ${id}`);
    return row;
  }

  up(): void {
    this.isUp = true;
    this.delivery.linkUp('chat');
  }

  down(): void {
    this.isUp = false;
    this.delivery.linkDown('chat', 'cut');
  }
}
