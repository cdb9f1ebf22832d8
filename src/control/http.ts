/**
 * The one owner of the HTTP servers: the control socket in the home, which its file mode protects, and HTTP on
 * loopback, which a guard protects. Both serve the same routes.
 *
 * Node's own server, and nothing of the web's `Request` and `Response`: those bring a client, HTTP/2 and TLS
 * along, 11 MB and 3 ms of every exit (docs/decisions/0014).
 */
import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import type { Clock } from '../clock.ts';
import { messageOf, SluiceError } from '../errors.ts';
import { type Admittance, addressName, type Caller, createGuard } from './guard.ts';
import { answer, type Exchange, type Routes } from './routes.ts';

/** How long responses that are being written may take once the servers close. */
const LAST_RESPONSES_MS = 250;

/** Its name in the home, whose owner was looked at before; elsewhere it has another (see `config/paths.ts`). */
const SOCKET_IN_HOME = 'control.sock';

/** How often it is looked whether the control socket is still there. */
const SOCKET_WATCH_MS = 1000;

/** An ES import would touch every name it exports, and some of them load the client named above. */
const { createServer } = process.getBuiltinModule('node:http');

export interface FacesOptions {
  readonly routes: Routes;
  readonly clock: Clock;
  readonly token: string;
}

type Guard = (caller: Caller) => Admittance;

/** The servers of one gateway. */
export class Faces {
  readonly #options: FacesOptions;
  /** Each with the promise of its end: it no longer listens, and its last connection has gone. */
  readonly #servers = new Map<Server, Promise<void>>();
  #socketWatch: Disposable | undefined;
  #closing = false;
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(options: FacesOptions) {
    this.#options = options;
  }

  /** Listens on the control socket. The home is ours by now, so a file that lies there is a dead gateway's. */
  async listenSocket(path: string): Promise<void> {
    await this.#bindSocket(path);
    this.#socketWatch = this.#options.clock.every(SOCKET_WATCH_MS, () => {
      // Somebody deleted the file: without it nobody reaches us, though we still listen.
      if (!existsSync(path)) void this.#bindSocket(path).catch(() => {});
    });
  }

  /** Listens on loopback; gives the address. A port of 0 takes a free one. */
  async listenHttp(host: string, port: number): Promise<string> {
    const { token } = this.#options;
    const guardOf = (bound: number) => createGuard(host, bound, token);
    const server = await this.#listen({ host, port }, `${host}:${port}`, guardOf);
    return `http://${addressName(host)}:${portOf(server)}`;
  }

  /** Takes no new connection; resolves when the requests under way are answered. Streams go on. */
  async stopAccepting(): Promise<void> {
    this.#shut();
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends streams and connections; what is being written gets a moment. Nothing is waited for that is idle. */
  async close(): Promise<void> {
    this.#shut();
    this.#options.routes.endStreams();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    using _ = this.#options.clock.timer(LAST_RESPONSES_MS, resolve);
    await Promise.race([Promise.all(this.#servers.values()), late]);
    for (const server of this.#servers.keys()) server.closeAllConnections();
  }

  /** Stops listening, which removes the socket's file, and ends connections that carry no request. */
  #shut(): void {
    this.#closing = true;
    this.#socketWatch?.[Symbol.dispose]();
    for (const server of this.#servers.keys()) {
      if (server.listening) server.close();
      else server.closeIdleConnections();
    }
  }

  async #bindSocket(path: string): Promise<void> {
    if (this.#closing) return;
    const folder = dirname(path);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The short path of a long home lies in a folder that anybody could have made first.
    if (basename(path) !== SOCKET_IN_HOME && statSync(folder).uid !== process.getuid?.()) {
      throw new SluiceError(
        'HOME_NO_PERMISSION',
        `${folder}, for the control socket, belongs to another user`,
      );
    }
    rmSync(path, { force: true });
    await this.#listen({ path }, `control socket ${path}`);
    chmodSync(path, 0o600);
  }

  #listen(
    where: { path: string } | { host: string; port: number },
    name: string,
    guardOf?: (port: number) => Guard,
  ): Promise<Server> {
    let guard: Guard | undefined;
    const server = createServer((request, response) => {
      guard ??= guardOf?.(portOf(server));
      void this.#serve(request, response, guard);
    });
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'is in use by another program' : messageOf(cause);
        reject(new SluiceError('PORT_UNAVAILABLE', `cannot listen on ${name}: it ${why}`, { cause }));
      });
      server.listen(where, () => {
        this.#servers.set(server, new Promise((gone) => server.once('close', gone)));
        resolve(server);
      });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse, guard: Guard | undefined): Promise<void> {
    // A client that leaves in the middle is no news; the stream or the answer to it ends by itself.
    response.on('error', () => {});
    const exchange = { ...exchangeOf(request, response), overSocket: guard === undefined };
    const admittance: Admittance = guard?.({ ...exchange, headers: request.headers }) ?? { is: 'in' };
    if (admittance.is === 'out') return answer(exchange, admittance.reply);
    if (admittance.is === 'cookie') {
      response.writeHead(303, { location: '/', 'set-cookie': admittance.setCookie, 'content-length': 0 });
      response.end();
      return;
    }
    this.#underWay += 1;
    await this.#options.routes.handle(exchange);
    this.#underWay -= 1;
    if (this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function exchangeOf(request: IncomingMessage, response: ServerResponse): Omit<Exchange, 'overSocket'> {
  const { method = 'GET', url = '/' } = request;
  const [path = '/', ...query] = url.split('?');
  return { request, response, method, path, query: new URLSearchParams(query.join('?')) };
}
