/** A request's body: JSON of bounded size in valid UTF-8. Anything else is the caller's mistake, said plainly. */
import type { IncomingMessage } from 'node:http';
import { type ApiReply, failure } from './api-reply.ts';

/** Largest request body. */
export const REQUEST_BYTES_MAX = 1024 * 1024;

/** A larger body is read to this length and forgotten, so that its sender hears why; past it the line is cut. */
const FORGOTTEN_BYTES_MAX = 16 * REQUEST_BYTES_MAX;

export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: ApiReply };

/** Reads it to its end; never rejects. `absent`: what an empty one stands for; without it an empty one is a mistake. */
export async function readJson(request: IncomingMessage, absent?: unknown): Promise<Body> {
  const tooLarge = failure(413, 'REQUEST_TOO_LARGE', `the request is larger than ${REQUEST_BYTES_MAX} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > FORGOTTEN_BYTES_MAX)
    return { ok: false, problem: tooLarge };
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      length += chunk.length;
      if (length > FORGOTTEN_BYTES_MAX) break;
      if (length <= REQUEST_BYTES_MAX) chunks.push(chunk);
    }
  } catch {
    return { ok: false, problem: failure(400, 'MESSAGE_INVALID', 'the body was cut off') };
  }
  if (length > REQUEST_BYTES_MAX) return { ok: false, problem: tooLarge };
  if (length === 0 && absent !== undefined) return { ok: true, value: absent };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is not JSON' : 'is not valid UTF-8';
    return { ok: false, problem: failure(400, 'MESSAGE_INVALID', `the body ${what}`) };
  }
}
