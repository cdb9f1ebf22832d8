/**
 * The one owner of the HTTP servers: the control socket in the home, which its file mode protects, and HTTP on
 * loopback, which a guard protects. Both serve the same routes.
 *
 * Node's own server, and nothing of the web's `Request` and `Response`: those bring a client, HTTP/2 and TLS
 * along, 11 MB and 3 ms of every exit (docs/decisions/0014).
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import { messageOf, SluiceError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { answer, type Exchange } from './exchange.ts';
import { type Admittance, addressName, type Caller, createGuard } from './guard.ts';
import type { Routes } from './routes.ts';
import { SocketFile } from './socket-file.ts';

/** How long responses that are being written may take once the servers close. */
const LAST_RESPONSES_MS = 250;

/** Connections of one server: more than the senders of all turns and commands that may wait; past it they are dropped. */
export const CONNECTIONS_MAX = 4096;

/** An ES import would touch every name it exports, and some of them load the client named above. */
const { createServer } = process.getBuiltinModule('node:http');

export interface FacesOptions {
  readonly routes: Routes;
  readonly clock: Clock;
  readonly log: Log;
  readonly token: string;
}

type Connection = IncomingMessage['socket'];

type Guard = (caller: Caller) => Admittance;

/**
 * The servers of one gateway.
 *
 * A request counts as accepted once it has arrived whole. When the gateway takes no more, what has not is cut off at
 * once, whoever sends it; what has is answered first.
 */
export class Faces {
  readonly #options: FacesOptions;
  /** Each with the promise of its end: it no longer listens, and its last connection has gone. */
  readonly #servers = new Map<Server, Promise<void>>();
  readonly #connections = new Set<Connection>();
  /** Requests that no answer has left for whole, by their answers. */
  readonly #exchanges = new Map<ServerResponse, IncomingMessage>();
  #socket: { readonly file: SocketFile; server: Server } | undefined;
  #binding: Promise<void> | undefined;
  #closing = false;
  #underWay = 0;
  #idle: (() => void)[] = [];

  constructor(options: FacesOptions) {
    this.#options = options;
  }

  /** Listens on the control socket. The home is ours by now, so a file that lies there is a dead gateway's. */
  async listenSocket(path: string): Promise<void> {
    await this.#bindSocket(new SocketFile(path));
  }

  /**
   * Puts the control socket back that somebody deleted or replaced: without it nobody reaches us, though we listen.
   * Only while the home is ours. Does nothing where all is well, before `listenSocket`, and once it closes.
   */
  async keepSocket(): Promise<void> {
    const standing = this.#socket;
    if (this.#closing || standing === undefined || standing.file.isOurs) return;
    this.#binding ??= this.#bindSocket(standing.file).finally(() => {
      this.#binding = undefined;
    });
    await this.#binding;
  }

  /** Listens for HTTP; gives the address, as a browser on this machine takes it. A port of 0 takes a free one. */
  async listenHttp(host: string, port: number): Promise<string> {
    const { token } = this.#options;
    const guardOf = (bound: number) => createGuard(host, bound, token);
    const server = await this.#listen({ host, port }, `${host}:${port}`, guardOf);
    return `http://${addressName(EVERYWHERE[host] ?? host)}:${portOf(server)}`;
  }

  /**
   * Takes no new connection and no new request; resolves when the requests that have come whole are answered: with
   * 202 where their message has no outcome in this life. Those that have not come whole are cut off. Streams go on.
   */
  async stopAccepting(): Promise<void> {
    this.#shut();
    if (this.#underWay === 0) return;
    const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#options.routes.endWaits();
    await idle;
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

  /** Stops listening, takes the socket's file away, and ends connections that carry no whole request. */
  #shut(): void {
    this.#closing = true;
    this.#socket?.file.remove();
    for (const server of this.#servers.keys()) if (server.listening) server.close();
    const inUse = new Set<Connection>();
    for (const [response, request] of this.#exchanges) {
      if (!request.complete) continue;
      response.shouldKeepAlive = false;
      inUse.add(request.socket);
    }
    for (const connection of this.#connections) if (!inUse.has(connection)) connection.destroy();
  }

  async #bindSocket(file: SocketFile): Promise<void> {
    file.prepare();
    const server = await this.#listen({ path: file.workPath }, 'the control socket');
    if (this.#closing) return;
    file.place();
    const before = this.#socket?.server;
    this.#socket = { file, server };
    // Its connections go on; it only takes no more, and is forgotten with the last of them.
    before?.close(() => this.#servers.delete(before));
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
    server.maxConnections = CONNECTIONS_MAX;
    server.on('connection', (connection: Connection) => {
      this.#connections.add(connection);
      connection.once('close', () => this.#connections.delete(connection));
    });
    return new Promise((resolve, reject) => {
      let listens = false;
      // For as long as the server lives: a connection that cannot be taken, for want of descriptors, is reported here.
      server.on('error', (cause: NodeJS.ErrnoException) => {
        const { log } = this.#options;
        if (listens) return log.warn({ error: messageOf(cause) }, `${name} could not take a connection`);
        const why = cause.code === 'EADDRINUSE' ? 'is in use by another program' : messageOf(cause);
        reject(new SluiceError('PORT_UNAVAILABLE', `cannot listen on ${name}: it ${why}`, { cause }));
      });
      server.listen(where, () => {
        listens = true;
        this.#servers.set(server, new Promise((gone) => server.once('close', gone)));
        if (this.#closing) server.close();
        resolve(server);
      });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse, guard: Guard | undefined): Promise<void> {
    // On a connection that was in use when we closed: its sender may send it again, under the same id.
    if (this.#closing) return void request.socket.destroy();
    // A client that leaves in the middle is no news; the stream or the answer to it ends by itself.
    response.on('error', () => {});
    this.#exchanges.set(response, request);
    response.once('close', () => this.#exchanges.delete(response));
    const exchange = { ...exchangeOf(request, response), overSocket: guard === undefined };
    const admittance: Admittance = guard?.({ ...exchange, headers: request.headers }) ?? { is: 'in' };
    if (admittance.is === 'out') return answer(exchange, admittance.reply);
    if (admittance.is === 'cookie') {
      response.writeHead(303, { location: '/', 'set-cookie': admittance.setCookie, 'content-length': 0 });
      response.end();
      return;
    }
    this.#underWay += 1;
    try {
      await this.#options.routes.handle(exchange);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }
}

/** Addresses that stand for all of a machine are none that a browser could open. */
const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function exchangeOf(request: IncomingMessage, response: ServerResponse): Omit<Exchange, 'overSocket'> {
  const { method = 'GET', url = '/' } = request;
  const [path = '/', ...query] = url.split('?');
  return { request, response, method, path, query: new URLSearchParams(query.join('?')) };
}
