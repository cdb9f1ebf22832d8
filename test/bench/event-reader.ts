/**
 * Requests whose answers are read as they come, with next to no client around them: the request is written as one
 * string, and what comes is handed on as text, heads and chunk lengths included.
 */
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';

export interface ReaderOptions {
  readonly where: NetConnectOpts;
  /** Header lines, the host among them, each with its line break. */
  readonly headers: string;
  readonly path: string;
  /** Makes it a POST. */
  readonly body?: unknown;
}

export class EventReader implements Disposable {
  /** Each hears every piece of text as it comes. */
  readonly listeners = new Set<(text: string) => void>();
  readonly closed: Promise<void>;
  readonly #socket: Socket;

  constructor({ where, headers, path, body }: ReaderOptions) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const about =
      body === undefined
        ? ''
        : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n`;
    this.#socket = createConnection(where).setNoDelay().setEncoding('utf8');
    this.#socket.on('data', (chunk: string) => {
      for (const listener of this.listeners) listener(chunk);
    });
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.write(
      `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\naccept: text/event-stream\r\n${about}${headers}\r\n${text}`,
    );
  }

  /** Resolves once `mark` has come; what came before this was called does not count. */
  until(mark: string): Promise<void> {
    let end = '';
    return new Promise((resolve, reject) => {
      const listener = (text: string) => {
        const came = end + text;
        end = came.slice(-mark.length);
        if (!came.includes(mark)) return;
        this.listeners.delete(listener);
        resolve();
      };
      this.listeners.add(listener);
      void this.closed.then(() => reject(new Error(`the stream ended without ${mark}`)));
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
