/**
 * The body of an answer as text, piece by piece: what a stream's own iterator gives, at a third of its promises, which
 * counts where each piece is one token. What came while nobody waited is given as one piece; past a limit the sender
 * is made to wait. All that came before an error is given before it is thrown.
 */
import type { IncomingMessage } from 'node:http';

/** Characters that may wait to be taken; past it no more is read from the socket. */
const BODY_CHARS_WAITING_MAX = 256 * 1024;

type Piece = IteratorResult<string, undefined>;

export class BodyText implements AsyncIterableIterator<string, undefined> {
  readonly #answer: IncomingMessage;
  #text = '';
  /** Set once nothing more comes; `error` where that is not the end of the body. */
  #over: { readonly error?: unknown } | undefined;
  #waiting: PromiseWithResolvers<Piece> | undefined;

  constructor(answer: IncomingMessage) {
    this.#answer = answer;
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => this.#came(text));
    answer.once('end', () => this.#end({}));
    answer.on('error', (error) => this.#end({ error }));
    answer.once('close', () => this.#end({ error: new Error('the connection was closed') }));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One at a time. */
  next(): Promise<Piece> {
    if (this.#text === '' && this.#over === undefined) {
      this.#waiting = Promise.withResolvers<Piece>();
      return this.#waiting.promise;
    }
    if (this.#text === '') return this.#last();
    const value = this.#text;
    this.#text = '';
    if (this.#answer.isPaused()) this.#answer.resume();
    return Promise.resolve({ done: false, value });
  }

  /** Whoever reads no further needs no more of it. */
  return(): Promise<Piece> {
    this.#answer.destroy();
    return Promise.resolve({ done: true, value: undefined });
  }

  #came(text: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#text += text;
    else waiting.resolve({ done: false, value: text });
    if (this.#text.length > BODY_CHARS_WAITING_MAX) this.#answer.pause();
  }

  #end(over: { readonly error?: unknown }): void {
    this.#over ??= over;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) waiting.resolve(this.#last());
  }

  #last(): Promise<Piece> {
    if (this.#over !== undefined && 'error' in this.#over) return Promise.reject(this.#over.error);
    return Promise.resolve({ done: true, value: undefined });
  }
}
