/**
 * The page's one lasting connection, `GET /v1/inspect`: followed until it ends, then opened again for as long
 * as the page is open. A gateway that restarts is back within seconds, so the waits are short and capped.
 */
import { readEvents, type ServerEvent } from './event-stream.ts';
import { later, pause } from './timers.ts';

/** `unauthorised`: the gateway answers, but does not know this browser; nothing changes that but a new address. */
export type LinkPhase = 'connecting' | 'live' | 'lost' | 'unauthorised';

export interface Follower {
  readonly onLink: (phase: LinkPhase) => void;
  readonly onEvent: (event: ServerEvent) => void;
}

const RETRY_MS_FIRST = 250;
const RETRY_MS_MAX = 4000;
/** A gateway that accepts and then says nothing for so long is asked anew. */
const ANSWER_MS_MAX = 10_000;

/** Follows the gateway; ends only where the gateway refuses this browser. */
export async function followGateway(follower: Follower): Promise<void> {
  let retryMs = RETRY_MS_FIRST;
  for (;;) {
    const phase = await followOnce(follower);
    if (phase === 'unauthorised') {
      follower.onLink('unauthorised');
      return;
    }
    if (phase === 'live') retryMs = RETRY_MS_FIRST;
    follower.onLink('lost');
    await pause(retryMs);
    retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
  }
}

/** The phase that one connection reached before it ended. */
async function followOnce({ onLink, onEvent }: Follower): Promise<LinkPhase> {
  let phase: LinkPhase = 'connecting';
  try {
    const body = await open();
    if (body === null) return 'unauthorised';
    for await (const event of readEvents(body)) {
      if (phase !== 'live') {
        phase = 'live';
        onLink('live');
      }
      onEvent(event);
    }
  } catch {
    // Refused, reset or unreadable: all of it is "not connected", which the header says, and is tried again.
  }
  return phase;
}

/** The body of the stream; null where this browser is not let in. Throws where there is no gateway. */
async function open(): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | null> {
  const abort = new AbortController();
  const cancel = later(ANSWER_MS_MAX, () => abort.abort());
  try {
    const response = await fetch('/v1/inspect', {
      headers: { accept: 'text/event-stream' },
      cache: 'no-store',
      signal: abort.signal,
    });
    if (response.status === 401 || response.status === 403) return null;
    if (!response.ok || response.body === null) throw new Error(`the gateway answered ${response.status}`);
    return response.body;
  } finally {
    cancel();
  }
}
