/**
 * Requests over kept-alive connections with next to no client around them, so that what is measured is the
 * gateway: the request is written as one string, the reply is read up to its content length.
 */
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';

/** Node's servers close a connection that has been idle for five seconds. */
const IDLE_MS_MAX = 2000;

export class Connection {
  readonly #where: NetConnectOpts;
  readonly #headers: string;
  readonly #free: { readonly socket: Socket; readonly sinceMs: number }[] = [];
  readonly #all: Socket[] = [];

  /** `headers`: header lines, the host among them, each with its line break. */
  constructor(where: NetConnectOpts, headers = 'host: localhost\r\n') {
    this.#where = where;
    this.#headers = headers;
  }

  async post(path: string, body: unknown): Promise<Record<string, unknown>> {
    const socket = this.#unused() ?? this.#connect();
    const text = JSON.stringify(body);
    const length = Buffer.byteLength(text);
    const reply = readReply(socket);
    socket.write(
      `POST ${path} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${this.#headers}\r\n${text}`,
    );
    const json = JSON.parse(await reply);
    this.#free.push({ socket, sinceMs: performance.now() });
    return json;
  }

  close(): void {
    for (const socket of [...this.#all]) socket.destroy();
  }

  /** One that the other side is not about to close for having been idle. */
  #unused(): Socket | undefined {
    for (let last = this.#free.pop(); last !== undefined; last = this.#free.pop()) {
      if (performance.now() - last.sinceMs < IDLE_MS_MAX) return last.socket;
      last.socket.destroy();
      this.#all.splice(this.#all.indexOf(last.socket), 1);
    }
    return undefined;
  }

  #connect(): Socket {
    const socket = createConnection(this.#where).setEncoding('utf8').setNoDelay();
    this.#all.push(socket);
    // What befalls one that is idle is nobody's matter.
    socket.on('error', () => {});
    return socket;
  }
}

function readReply(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk: string) => {
      text += chunk;
      const at = text.indexOf('\r\n\r\n');
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? Number.NaN);
      if (at < 0 || !(Buffer.byteLength(text) >= at + 4 + length)) return;
      done();
      resolve(text.slice(at + 4));
    };
    const done = () => {
      socket.off('data', onData);
      socket.off('error', onError);
      socket.off('close', onClose);
    };
    const onError = (error: Error) => {
      done();
      reject(error);
    };
    const onClose = () => onError(new Error(`the connection was closed: ${text.slice(0, 200)}`));
    socket.on('data', onData).on('error', onError).on('close', onClose);
  });
}
