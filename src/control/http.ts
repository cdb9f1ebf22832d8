/**
 * The one owner of the HTTP library and of both servers: the control socket in the home, which its file mode
 * protects, and HTTP on loopback, which a token, the Host and the Origin protect. Both serve the same routes.
 */
import { timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { basename, dirname, join } from 'node:path';

import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { type Context, Hono, type MiddlewareHandler, type Next } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Clock } from '../clock.ts';
import { messageOf, SluiceError } from '../errors.ts';
import type { Progress } from '../gateway/in-hand.ts';
import { type Api, type ApiReply, decidedJson, failure, settledJson } from './api.ts';
import { EVENT_STREAMS_MAX, EventStream, KEEP_ALIVE_MS } from './event-stream.ts';
import type { Inspector } from './inspector.ts';

/** Largest request body. */
export const REQUEST_BYTES_MAX = 1024 * 1024;

/** A larger body is read to this length and forgotten, so that its sender hears why; past it the line is cut. */
const FORGOTTEN_BYTES_MAX = 16 * REQUEST_BYTES_MAX;

/** How long responses that are being written may take once the servers close. */
const LAST_RESPONSES_MS = 250;

/** Its name in the home, whose owner was looked at before; elsewhere it has another (see `config/paths.ts`). */
const SOCKET_IN_HOME = 'control.sock';

/** How often it is looked whether the control socket is still there. */
const SOCKET_WATCH_MS = 1000;

/** The page loads nothing but its own files and talks to nobody but us. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE_FILES: Readonly<Record<string, { file: string; type: string }>> = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
};

export interface FacesOptions {
  readonly api: Api;
  readonly inspector: Inspector;
  readonly clock: Clock;
  readonly token: string;
  /** The folder of the built page; undefined where it was not built. */
  readonly pageFolder: string | undefined;
}

/** The servers of one gateway. */
export class Faces {
  readonly #options: FacesOptions;
  readonly #servers = new Set<Server>();
  readonly #streams = new Set<EventStream>();
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
    const guard: { hosts: ReadonlySet<string>; cookie: string } = { hosts: new Set(), cookie: '' };
    const app = this.#app((c, next) => this.#guard(c, next, guard));
    const server = await this.#listen(app, { host, port }, `${host}:${port}`);
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : port;
    const names = [host, '127.0.0.1', 'localhost', '::1'].map((name) =>
      name.includes(':') ? `[${name}]` : name,
    );
    guard.hosts = new Set(names.map((name) => `${name}:${bound}`));
    guard.cookie = `sluice_${bound}`;
    return `http://${names[0]}:${bound}`;
  }

  /** Takes no new connection; resolves when the requests under way are answered. Streams go on. */
  async stopAccepting(): Promise<void> {
    this.#closing = true;
    this.#socketWatch?.[Symbol.dispose]();
    for (const server of this.#servers) server.close();
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends streams and connections; what is being written gets a moment. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#socketWatch?.[Symbol.dispose]();
    for (const server of this.#servers) server.close();
    for (const stream of this.#streams) stream.end();
    const done = new AbortController();
    const closed = Promise.all([...this.#servers].map((server) => gone(server)));
    for (const server of this.#servers) server.closeIdleConnections();
    await Promise.race([closed, this.#options.clock.delay(LAST_RESPONSES_MS, done.signal)]);
    done.abort();
    for (const server of this.#servers) server.closeAllConnections();
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
    await this.#listen(this.#app(), { path }, `control socket ${path}`);
    chmodSync(path, 0o600);
  }

  #listen(
    app: Hono<{ Bindings: HttpBindings }>,
    where: { path: string } | { host: string; port: number },
    name: string,
  ): Promise<Server> {
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    return new Promise((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'is in use by another program' : messageOf(cause);
        reject(new SluiceError('PORT_UNAVAILABLE', `cannot listen on ${name}: it ${why}`, { cause }));
      });
      server.listen(where, () => {
        this.#servers.add(server);
        resolve(server);
      });
    });
  }

  #app(guard?: MiddlewareHandler): Hono<{ Bindings: HttpBindings }> {
    const { api } = this.#options;
    const app = new Hono<{ Bindings: HttpBindings }>();
    if (guard !== undefined) app.use(guard);
    app.use((_c, next) => this.#count(next));
    app.get('/livez', (c) => reply(c, api.livez()));
    app.get('/readyz', (c) => reply(c, api.readyz()));
    app.get('/v1/status', (c) => reply(c, api.status()));
    app.post('/v1/messages', (c) => this.#message(c));
    app.post('/v1/lifecycle', async (c) => {
      const body = await readJson(c);
      return reply(c, body.ok ? api.lifecycle(body.value) : body.problem);
    });
    app.get('/v1/inspect', (c) => this.#inspect(c));
    for (const path of Object.keys(PAGE_FILES)) app.get(path, (c) => this.#page(c, path));
    app.notFound((c) =>
      reply(c, failure(404, 'NOT_FOUND', `there is nothing at ${c.req.method} ${c.req.path}`)),
    );
    app.onError((error, c) => reply(c, api.fault(error)));
    return app;
  }

  async #message(c: Face): Promise<Response> {
    const { api } = this.#options;
    const body = await readJson(c);
    if (!body.ok) return reply(c, body.problem);
    const inbound = api.inbound(body.value);
    if ('status' in inbound) return reply(c, inbound);
    if (!(c.req.header('accept') ?? '').includes('text/event-stream')) {
      return reply(c, await api.message(inbound, c.req.query('wait') === '1'));
    }
    const stream = new EventStream();
    const listener = (progress: Progress) => show(stream, progress);
    const receipt = await api.receive(inbound, listener);
    const unavailable = api.unavailable(receipt);
    if (unavailable !== undefined) return reply(c, unavailable);
    void stream.closed.then(() => api.unwatch(receipt.messageId, listener));
    return this.#stream(c, stream);
  }

  #inspect(c: Context): Response {
    const { inspector } = this.#options;
    if (inspector.clients < EVENT_STREAMS_MAX) return this.#stream(c, inspector.open());
    return reply(c, failure(503, 'TOO_MANY_STREAMS', `${EVENT_STREAMS_MAX} clients are connected already`));
  }

  #stream(c: Context, stream: EventStream): Response {
    this.#streams.add(stream);
    const keepAlive = this.#options.clock.every(KEEP_ALIVE_MS, () => stream.keepAlive());
    void stream.closed.then(() => {
      keepAlive[Symbol.dispose]();
      this.#streams.delete(stream);
    });
    return c.body(stream.body, 200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  }

  #page(c: Context, path: string): Response {
    const found = PAGE_FILES[path];
    const folder = this.#options.pageFolder;
    const file = found && folder && join(folder, found.file);
    if (!file || !existsSync(file)) return reply(c, failure(404, 'NOT_FOUND', 'the page was not built'));
    return c.body(readFileSync(file), 200, {
      'content-type': found?.type ?? 'text/plain',
      'cache-control': 'no-store',
      'content-security-policy': PAGE_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  }

  /** Host and Origin keep other web pages out, the token other users of the machine. */
  async #guard(c: Context, next: Next, allowed: { hosts: ReadonlySet<string>; cookie: string }) {
    const host = c.req.header('host') ?? '';
    if (!allowed.hosts.has(host))
      return reply(c, failure(403, 'FORBIDDEN_ORIGIN', `the host "${host}" is not ours`));
    const origin = c.req.header('origin');
    if (origin !== undefined && !allowed.hosts.has(origin.replace(/^http:\/\//, ''))) {
      return reply(c, failure(403, 'FORBIDDEN_ORIGIN', `requests from "${origin}" are not taken`));
    }
    if (c.req.path === '/livez' || c.req.path === '/readyz') return next();
    const given = c.req.query('token');
    if (c.req.path === '/' && given !== undefined && this.#isToken(given)) {
      setCookie(c, allowed.cookie, given, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return c.redirect('/', 303);
    }
    const bearer = /^Bearer (?<token>\S+)$/.exec(c.req.header('authorization') ?? '')?.groups?.token;
    if (this.#isToken(bearer ?? getCookie(c, allowed.cookie) ?? '')) return next();
    return reply(c, failure(401, 'UNAUTHORIZED', 'the token is missing or wrong'));
  }

  #isToken(given: string): boolean {
    const [ours, theirs] = [Buffer.from(this.#options.token), Buffer.from(given)];
    return ours.length === theirs.length && timingSafeEqual(ours, theirs);
  }

  async #count(next: Next): Promise<void> {
    this.#underWay += 1;
    try {
      await next();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const idle of this.#idle.splice(0)) idle();
    }
  }
}

const reply = (c: Context, { status, json }: ApiReply): Response => c.json(json as never, status as never);

/** One message's way as events: `admission`, `delta` and `reply` as they come, `settled` at the end. */
function show(stream: EventStream, progress: Progress): void {
  if (progress.type === 'admission') stream.send('admission', decidedJson(progress));
  else if (progress.type === 'settled') {
    stream.send('settled', settledJson(progress));
    stream.end();
  } else stream.send(progress.type, { text: progress.text });
}

const gone = (server: Server): Promise<void> =>
  server.listening
    ? new Promise((resolve) => server.once('close', () => resolve()))
    : new Promise((resolve) =>
        server.getConnections((_error, count) =>
          count === 0 ? resolve() : server.once('close', () => resolve()),
        ),
      );

/** A request with Node's own objects behind it. */
type Face = Context<{ Bindings: HttpBindings }>;

type Body = { ok: true; value: unknown } | { ok: false; problem: ApiReply };

/** Reads a JSON body of bounded size in valid UTF-8; anything else is the caller's mistake, said plainly. */
async function readJson(c: Face): Promise<Body> {
  const tooLarge = failure(413, 'REQUEST_TOO_LARGE', `the request is larger than ${REQUEST_BYTES_MAX} bytes`);
  if (Number(c.req.header('content-length') ?? 0) > FORGOTTEN_BYTES_MAX)
    return { ok: false, problem: tooLarge };
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    // Node's own stream: the web stream over it costs as much as the rest of the request.
    for await (const chunk of c.env.incoming) {
      length += chunk.length;
      if (length > FORGOTTEN_BYTES_MAX) break;
      if (length <= REQUEST_BYTES_MAX) chunks.push(chunk);
    }
  } catch {
    return { ok: false, problem: failure(400, 'MESSAGE_INVALID', 'the body was cut off') };
  }
  if (length > REQUEST_BYTES_MAX) return { ok: false, problem: tooLarge };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const what = error instanceof SyntaxError ? 'is not JSON' : 'is not valid UTF-8';
    return { ok: false, problem: failure(400, 'MESSAGE_INVALID', `the body ${what}`) };
  }
}
