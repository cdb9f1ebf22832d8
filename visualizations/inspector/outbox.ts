/**
 * Sends the messages of this page and follows each until it is settled. What a leaving gateway or a broken
 * connection leaves open is posted again, with the same id, when the gateway is back: it answers with the one
 * outcome that the message has.
 */
import { readEvents, type ServerEvent } from './event-stream.ts';
import { isFinished, type Message, newMessage, withMessageEvent } from './message.ts';
import type { Refusal } from './protocol.ts';
import { later } from './timers.ts';

/**
 * A browser opens six connections to one origin, and the page's own stream holds one of them. What follows the
 * oldest message is let go for a new one, so that a command never waits behind turns.
 */
const STREAMS_MAX = 4;
/** A stream that breaks while the gateway is there is opened again so often, with a wait in between. */
const TRIES_MAX = 5;
const RETRY_MS = 1000;
/** Older ones leave the page. */
const MESSAGES_MAX = 200;
/** The conversation that this page speaks in. */
const CONVERSATION = 'local:you';

export interface Outbox {
  readonly send: (text: string) => void;
  /** The gateway is there, or is not. Its return takes up what is open. */
  readonly setLive: (isLive: boolean) => void;
}

/** `state` is the one that the page shows; `onChange` is told all messages, oldest first. */
export function createOutbox(
  state: () => string | null,
  onChange: (messages: readonly Message[]) => void,
): Outbox {
  const messages = new Map<string, Message>();
  const streams = new Map<string, AbortController>();
  const tries = new Map<string, number>();
  let live = false;

  const put = (message: Message) => {
    messages.set(message.id, message);
    const settled = [...messages.values()].find(isFinished);
    if (messages.size > MESSAGES_MAX && settled !== undefined) messages.delete(settled.id);
    onChange([...messages.values()]);
  };
  const update = (id: string, change: (message: Message) => Message) => {
    const message = messages.get(id);
    if (message !== undefined) put(change(message));
  };
  const takeUp = () => {
    for (const { id } of [...messages.values()].filter((message) => !isFinished(message))) {
      if (!live || streams.size >= STREAMS_MAX) return;
      if (!streams.has(id) && (tries.get(id) ?? 0) < TRIES_MAX) void follow(id);
    }
  };
  const follow = async (id: string) => {
    const message = messages.get(id);
    if (message === undefined) return;
    const abort = new AbortController();
    streams.set(id, abort);
    try {
      for await (const event of post(message, abort.signal)) {
        update(id, (before) => withMessageEvent(before, event, state(), Date.now()));
      }
    } catch (thrown) {
      // Anything else is a broken connection: the message stays open and is taken up again.
      if (thrown instanceof NotTaken) update(id, (before) => ({ ...before, problem: thrown.error }));
    }
    streams.delete(id);
    if (abort.signal.aborted) return;
    tries.set(id, (tries.get(id) ?? 0) + 1);
    later(RETRY_MS, takeUp);
  };
  return {
    send: (text) => {
      const id = newId();
      put(newMessage(id, text, Date.now()));
      const [oldest] = streams;
      if (streams.size >= STREAMS_MAX && oldest !== undefined) oldest[1].abort();
      void follow(id);
    },
    setLive: (isLive) => {
      live = isLive;
      if (!isLive) return;
      tries.clear();
      takeUp();
    },
  };
}

/** The gateway answered, and took nothing. */
class NotTaken extends Error {
  readonly error: Refusal['error'];

  constructor(error: Refusal['error']) {
    super(error.message);
    this.error = error;
  }
}

async function* post({ id, text }: Message, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const response = await fetch('/v1/messages', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ text, id, conversation: CONVERSATION }),
    signal,
  });
  if (!response.ok) {
    const refusal = (await response.json()) as Refusal;
    throw new NotTaken(refusal.error);
  }
  if (response.body !== null) yield* readEvents(response.body);
}

/** 16 random bytes: two pages never choose the same. */
function newId(): string {
  return `page-${[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
