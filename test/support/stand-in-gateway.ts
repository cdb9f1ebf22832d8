/**
 * Stands in for the daemon before the inspector page: serves the built page and the three paths the page uses,
 * and says what a test makes it say. It decides nothing itself, so a test of the page fails for the page alone.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { freePort } from './free-port.ts';

/** What the page sent to `POST /v1/messages`. */
export interface Posted {
  readonly text: string;
  readonly id: string;
  readonly conversation: string;
}

/** One answer to a posted message: events until `end`, or an error. */
export interface Reply {
  readonly event: (name: string, data: unknown) => void;
  readonly end: () => void;
  readonly fail: (status: number, error: { code: string; message: string; hint: string }) => void;
}

/** How late it is on this gateway, always: what a test sees of times and spans does not hang on its own speed. */
export const NOW_MS = Date.UTC(2026, 0, 1, 12);

/** The header the daemon serves the page with. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** A gateway at rest: healthy, nothing at work. */
export function statusOf(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    state: 'running.healthy',
    epoch: 42,
    pid: 48211,
    version: '0.1.0',
    startedAt: NOW_MS - 3 * 86_400_000 - 4 * 3_600_000,
    intent: null,
    cause: null,
    actor: null,
    deadlineAt: null,
    accepts: { control: 'dispatch', exec: 'dispatch', alias: 'dispatch', turn: 'dispatch' },
    degraded: [],
    warnings: [],
    held: 0,
    inFlight: { turns: [], commands: [] },
    platforms: [
      { name: 'local', state: 'connected' },
      { name: 'telegram', state: 'connected' },
    ],
    agents: [],
    supervisor: 'systemd',
    lastExit: { code: 75, cause: 'restart', at: NOW_MS - 3 * 86_400_000 },
    deadlines: { drainMs: 60_000, killMs: 5000, exitMs: 10_000, supervisorMs: 90_000 },
    ...changes,
  };
}

/** The same gateway, asked to restart while two turns run; `leftMs` until they are interrupted. */
export function drainingStatus(leftMs: number, changes: Readonly<Record<string, unknown>> = {}) {
  return statusOf({
    state: 'draining.waiting',
    intent: 'restart',
    cause: 'restart',
    actor: 'telegram:12345',
    deadlineAt: NOW_MS + leftMs,
    accepts: { control: 'dispatch', exec: 'dispatch', alias: 'refuse', turn: 'refuse' },
    held: 1,
    inFlight: {
      turns: [
        { id: 't_7f3', conversation: 'local:you', agent: 'default', startedAt: NOW_MS - 129_000 },
        { id: 't_7f4', conversation: 'telegram:20611', agent: 'default', startedAt: NOW_MS - 45_000 },
      ],
      commands: [],
    },
    ...changes,
  });
}

export class StandInGateway implements AsyncDisposable {
  /** Sent first to every new inspect stream; null: none is sent. */
  status: Record<string, unknown> | null = statusOf();
  /** Answers a posted message. */
  onMessage: (posted: Posted, reply: Reply) => void = () => {};
  /** False: every path but the page's own answers 401. */
  isKnown = true;
  readonly posted: Posted[] = [];
  readonly #pageDir: string;
  readonly #streams = new Set<ServerResponse>();
  #server: Server | null = null;
  #port = 0;
  #number = 0;

  constructor(pageDir: string) {
    this.#pageDir = pageDir;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** Listens; after `vanish`, on the same port as before. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    if (this.#port === 0) this.#port = await freePort();
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  /** Sends an event to every open inspect stream. */
  inspect(name: string, data: Readonly<Record<string, unknown>>): void {
    for (const stream of this.#streams) this.#write(stream, name, data);
  }

  /** Makes `status` the gateway's, and says so. */
  snapshot(status: Record<string, unknown>): void {
    this.status = status;
    this.inspect('snapshot', snapshotOf(status));
  }

  /** A transition was taken, by its id in the chart. */
  edge(transition: string): void {
    this.inspect('edge', { transition });
  }

  /** Goes away as a killed process does: every connection breaks, nobody listens. */
  async vanish(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    this.#streams.clear();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vanish();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    if (path === '/' || extname(path) in TYPES) return this.#servePage(path, response);
    if (!this.isKnown) {
      return sendJson(response, 401, { error: { code: 'UNAUTHORISED', message: 'No token.', hint: '' } });
    }
    if (path === '/v1/inspect') return this.#openInspect(response);
    if (path === '/v1/messages') return this.#takeMessage(request, response);
    sendJson(response, 404, { error: { code: 'NOT_FOUND', message: path, hint: '' } });
  }

  async #servePage(path: string, response: ServerResponse): Promise<void> {
    const name = path === '/' ? 'index.html' : path.slice(1);
    const body = await readFile(join(this.#pageDir, name));
    response.writeHead(200, { 'content-type': TYPES[extname(name)], 'content-security-policy': POLICY });
    response.end(body);
  }

  #openInspect(response: ServerResponse): void {
    startStream(response);
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    if (this.status !== null) this.#write(response, 'snapshot', snapshotOf(this.status));
  }

  async #takeMessage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks = await request.toArray();
    const posted = JSON.parse(Buffer.concat(chunks).toString()) as Posted;
    this.posted.push(posted);
    this.onMessage(posted, {
      event: (name, data) => {
        if (!response.headersSent) startStream(response);
        response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
      },
      end: () => response.end(),
      fail: (status, error) => sendJson(response, status, { error }),
    });
  }

  #write(stream: ServerResponse, name: string, data: Readonly<Record<string, unknown>>): void {
    this.#number += 1;
    const body = { actor: 'gateway', at: NOW_MS, number: this.#number, ...data };
    stream.write(`id: 42.${this.#number}\nevent: ${name}\ndata: ${JSON.stringify(body)}\n\n`);
  }
}

function snapshotOf(status: Record<string, unknown>): Record<string, unknown> {
  return { epoch: status.epoch, state: status.state, status };
}

function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
