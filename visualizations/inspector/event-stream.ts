/**
 * Server-sent events out of the body of a `fetch`. `EventSource` hides the status code, retries on its own
 * terms and cannot POST; the page needs the one (401), names the other ("retrying") and posts messages.
 */

export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/** One event may be this long, in characters: a reply of 64 KB and its JSON escapes fit many times over. */
const EVENT_CHARACTERS_MAX = 4_194_304;

/**
 * The events of a stream until it ends. Throws what reading throws (the connection broke, or was aborted), a
 * SyntaxError where `data` is no JSON, and a RangeError past the longest event.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pending = (pending + value).replaceAll('\r\n', '\n');
      const blocks = pending.split('\n\n');
      pending = blocks.pop() ?? '';
      if (pending.length > EVENT_CHARACTERS_MAX) throw new RangeError('an event of the stream is too long');
      for (const block of blocks) {
        const event = parse(block);
        if (event !== null) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** A block without data is a comment or a heartbeat: null. */
function parse(block: string): ServerEvent | null {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? null : { name, data: JSON.parse(data.join('\n')) };
}
