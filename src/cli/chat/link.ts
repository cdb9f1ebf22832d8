/**
 * A chat's connection to the gateway: the events of its conversation, resumed after every loss where they ended, and
 * messages, sent again under the same id until the gateway has decided. It outlives any number of restarts.
 */
import type { Clock } from '../../clock.ts';
import type { ControlClient, ControlEvent, ControlReply } from '../../control/client.ts';
import { isSluiceError, SluiceError } from '../../errors.ts';
import { newId } from '../../messages/ids.ts';
import { GONE, Ownerless } from '../ownerless.ts';

/** Between two attempts to reach a gateway that is away. */
const RECONNECT_MS = 200;

/** How long a message waits for a gateway that lives and is away before its sender is told to send it again. */
const UNSENT_MS_MAX = 120_000;

/** Messages that wait to be sent. */
export const UNSENT_MAX = 20;

/** How long a gateway may take to decide. */
const DECISION_MS_MAX = 30_000;

export interface LinkOptions {
  readonly control: Pick<ControlClient, 'request' | 'stream'>;
  readonly clock: Clock;
  /** As a person named it. */
  readonly conversation: string;
  readonly onEvent: (event: ControlEvent) => void;
  /** The connection is lost: told once, until there is one again. */
  readonly onAway: () => void;
  /** None is there any more, and none will follow by itself: told once, until there is a connection again. */
  readonly onGone: () => void;
  /** True while a gateway lives that may only be without its socket just now. */
  readonly comesBack: () => boolean;
  /** False while nobody owns the home, and nobody will: no message waits for long then. */
  readonly isOwned: () => boolean;
}

export class Link implements Disposable {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #lastEventId: string | undefined;
  #connected = false;
  /** There was a connection once. */
  #known = false;
  readonly #ownerless: Ownerless;
  #isGone = false;
  #unsent = 0;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#ownerless = new Ownerless(options.clock, options.isOwned);
  }

  get connected(): boolean {
    return this.#connected;
  }

  /**
   * Hands on events until it is disposed. Rejects where no gateway runs or one refuses, unless there was a connection
   * before: then it is waited for.
   */
  async follow(): Promise<void> {
    const { control, clock, conversation, onAway, comesBack } = this.#options;
    const path = `/v1/conversations/${encodeURIComponent(conversation)}/events`;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const onEvent = (event: ControlEvent) => this.#take(event);
      const lastEventId = this.#lastEventId;
      try {
        const refusal = await control.stream(path, undefined, { signal, onEvent, lastEventId });
        if (refusal !== undefined && !this.#known) throw refusalError(refusal);
      } catch (error) {
        const isAway = isSluiceError(error) && (this.#known || (error.code === 'NO_GATEWAY' && comesBack()));
        if (!isAway) throw error;
      }
      if (this.#connected && !signal.aborted) onAway();
      this.#connected = false;
      if (this.#known && !signal.aborted) this.#lookWhetherGone();
      await clock.delay(RECONNECT_MS, signal);
    }
  }

  /**
   * Sends a message, after those before it, and gives the gateway's decision, with the id it was sent under. Rejects
   * with NO_ANSWER when there are too many before it, or none was reached for too long, and with GATEWAY_DIED when none
   * will be.
   */
  async send(text: string, onId: (id: string) => void): Promise<ControlReply> {
    if (this.#unsent >= UNSENT_MAX)
      throw new SluiceError('NO_ANSWER', `${UNSENT_MAX} messages wait for the gateway already`);
    this.#unsent += 1;
    const since = this.#options.clock.monotonicMs();
    const sent = this.#tail.then(() => this.#deliver(text, onId, since)).finally(() => (this.#unsent -= 1));
    this.#tail = sent.catch(() => {});
    return await sent;
  }

  /** `since`: monotonic milliseconds of when it was written. */
  async #deliver(text: string, onId: (id: string) => void, since: number): Promise<ControlReply> {
    const { control, clock, conversation } = this.#options;
    const id = newId('m', clock.wallMs());
    onId(id);
    // A gateway that wakes after its writer was told to send it again must not answer it beside that one.
    const deadlineAt = Math.ceil(clock.wallMs() + UNSENT_MS_MAX - (clock.monotonicMs() - since));
    const body = { text, id, conversation, deadlineAt };
    for (;;) {
      try {
        return await control.request('POST', '/v1/messages', body, DECISION_MS_MAX);
      } catch (error) {
        if (!isSluiceError(error) || this.#stop.signal.aborted) throw error;
        if (this.#ownerless.isForGood()) throw new SluiceError('GATEWAY_DIED', GONE, { cause: error });
        if (clock.monotonicMs() - since > UNSENT_MS_MAX) {
          throw new SluiceError('NO_ANSWER', 'the gateway has not come back', { cause: error });
        }
      }
      await clock.delay(RECONNECT_MS, this.#stop.signal);
    }
  }

  /** Ends it; the gateway goes on with what it has. */
  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  #lookWhetherGone(): void {
    if (this.#isGone || !this.#ownerless.isForGood()) return;
    this.#isGone = true;
    this.#options.onGone();
  }

  #take(event: ControlEvent): void {
    if (event.id !== undefined) this.#lastEventId = event.id;
    if (event.event === 'connected') {
      this.#connected = true;
      this.#known = true;
      this.#isGone = false;
      this.#ownerless.reached();
    }
    this.#options.onEvent(event);
  }
}

/** What the gateway answered instead of events. */
function refusalError({ json }: ControlReply): SluiceError {
  const error = json.error as { message?: string; hint?: string } | undefined;
  return new SluiceError('NO_ANSWER', error?.message ?? 'the gateway gives no events', {
    ...(error?.hint === undefined ? {} : { hint: error.hint }),
  });
}
