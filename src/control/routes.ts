/** What stands at which path, for both faces: the API as JSON, event streams, and the files of the page. */
import createRouter, { type HTTPMethod } from 'find-my-way';
import type { Clock } from '../clock.ts';
import type { Progress } from '../gateway/in-hand.ts';
import { echoed } from '../messages/echoed.ts';
import { ID_CHARS_MAX } from '../messages/inbound.ts';
import type { Api } from './api.ts';
import { decidedJson, failure, settledJson } from './api-reply.ts';
import type { ConversationEvents } from './conversation-events.ts';
import { EVENT_STREAMS_MAX, EventStream } from './event-stream.ts';
import { answer, type Exchange, mayReadFile } from './exchange.ts';
import type { Inspector } from './inspector.ts';
import type { LedgerApi } from './ledger-api.ts';
import { countIn, LOG_STREAMS_MAX, type LogStreams } from './log-streams.ts';
import { OpenStreams } from './open-streams.ts';
import { answerPage, PAGE_PATHS } from './page.ts';
import { readJson } from './request-body.ts';

export interface RoutesOptions {
  readonly api: Api;
  readonly ledger: LedgerApi;
  readonly inspector: Inspector;
  readonly logs: LogStreams;
  readonly conversations: ConversationEvents;
  readonly clock: Clock;
  /** The folder of the built page; undefined where it was not built. */
  readonly pageFolder: string | undefined;
}

/** Parts of the path, decoded, by the names they have in it. */
type Params = Readonly<Record<string, string | undefined>>;

type Handler = (exchange: Exchange, params: Params) => void | Promise<void>;

/** A longer part of a path is none that we know: an id percent-encoded has nine characters for one at most. */
const PATH_PART_CHARS_MAX = 9 * ID_CHARS_MAX;

const METHODS = ['GET', 'HEAD', 'POST'] as const satisfies readonly HTTPMethod[];

export class Routes {
  readonly #options: RoutesOptions;
  readonly #streams: OpenStreams;
  readonly #router = createRouter({ maxParamLength: PATH_PART_CHARS_MAX });

  constructor(options: RoutesOptions) {
    this.#options = options;
    this.#streams = new OpenStreams(options.clock);
    const { api } = options;
    this.#get('/livez', (exchange) => answer(exchange, api.livez()));
    this.#get('/readyz', (exchange) => answer(exchange, api.readyz()));
    this.#get('/v1/status', (exchange) => answer(exchange, api.status()));
    this.#get('/v1/configuration', (exchange) => this.#configuration(exchange));
    this.#post('/v1/configuration/variables', (exchange) => this.#variables(exchange));
    this.#get('/v1/commands', (exchange) => answer(exchange, api.commands()));
    this.#get('/v1/logs', (exchange) => this.#logs(exchange));
    this.#ledger();
    this.#get('/v1/inspect', (exchange) => this.#watch(exchange, () => this.#options.inspector.open()));
    this.#get('/v1/conversations/:key/events', (exchange, { key }) => this.#conversation(exchange, key));
    this.#post('/v1/messages', (exchange) => this.#message(exchange));
    this.#post('/v1/lifecycle', (exchange) => this.#lifecycle(exchange));
    this.#post('/v1/reload', (exchange) => this.#reload(exchange));
    for (const path of PAGE_PATHS) this.#get(path, (exchange) => answerPage(exchange, options.pageFolder));
  }

  /** Answers a request; resolves when its answer is written or, of a stream, begun. Never rejects. */
  async handle(exchange: Exchange): Promise<void> {
    const { method, path, response } = exchange;
    try {
      const found = this.#find(method, path);
      if (found === undefined) this.#nothingAt(exchange);
      else await found.handler(exchange, found.params);
    } catch (error) {
      const reply = this.#options.api.fault(error);
      if (response.headersSent) response.destroy();
      else answer(exchange, reply);
    }
  }

  /** What has become of messages, and what their owner changes about that. */
  #ledger(): void {
    const { ledger } = this.#options;
    this.#get('/v1/messages', async (exchange) => answer(exchange, await ledger.list(exchange.query)));
    this.#get('/v1/messages/:id', async (exchange, { id = '' }) =>
      answer(exchange, await ledger.message(id)),
    );
    this.#post('/v1/messages/:id/retry', async (exchange, { id = '' }) => {
      const body = await readJson(exchange.request, {});
      answer(exchange, body.ok ? await ledger.retry(id, body.value) : body.problem);
    });
    this.#post('/v1/messages/:id/discard', async (exchange, { id = '' }) => {
      const body = await readJson(exchange.request, {});
      answer(exchange, body.ok ? await ledger.discard(id, body.value) : body.problem);
    });
  }

  /** Node leaves the body of an answer to HEAD away. */
  #get(path: string, handler: Handler): void {
    this.#router.on(['GET', 'HEAD'], path, nothing, handler);
  }

  #post(path: string, handler: Handler): void {
    this.#router.on('POST', path, nothing, handler);
  }

  #find(method: string, path: string): { handler: Handler; params: Params } | undefined {
    const known = METHODS.find((one) => one === method);
    const found = known && this.#router.find(known, path);
    return found ? { handler: found.store, params: found.params } : undefined;
  }

  #nothingAt(exchange: Exchange): void {
    const { method, path, response } = exchange;
    const allowed = METHODS.filter((one) => this.#find(one, path) !== undefined).join(', ');
    if (allowed === '') {
      answer(exchange, failure(404, 'NOT_FOUND', `there is nothing at ${path}`));
      return;
    }
    response.setHeader('allow', allowed);
    answer(exchange, failure(405, 'METHOD_NOT_ALLOWED', `${path} takes ${allowed}, not ${method}`));
  }

  /** Answers requests whose message gets no outcome in this life; resolves once nothing is in hand. */
  endWaits(): Promise<void> {
    return this.#options.api.endWaits();
  }

  /** Ends every stream once what it holds has been read. */
  endStreams(): void {
    this.#streams.end();
  }

  async #message(exchange: Exchange): Promise<void> {
    const { api } = this.#options;
    const { request, query } = exchange;
    const wait = query.get('wait') ?? '0';
    if (wait !== '0' && wait !== '1') {
      const text = `wait must be 1, or be left out, and is "${echoed(wait)}"`;
      return answer(exchange, failure(400, 'MESSAGE_INVALID', text));
    }
    const body = await readJson(request);
    if (!body.ok) return answer(exchange, body.problem);
    const inbound = api.inbound(body.value);
    if ('status' in inbound) return answer(exchange, inbound);
    if (!(request.headers.accept ?? '').includes('text/event-stream')) {
      return answer(exchange, await api.message(inbound, wait === '1'));
    }
    const stream = new EventStream();
    const listener = (progress: Progress) => show(stream, progress);
    const receipt = await api.receive(inbound, listener);
    const unavailable = api.unavailable(receipt);
    if (unavailable !== undefined) return answer(exchange, unavailable);
    void stream.closed.then(() => api.unwatch(receipt.messageId, listener));
    this.#streams.begin(exchange, stream);
  }

  /** What a file holds is shown to its owner at the control socket, never to a page. */
  #configuration(exchange: Exchange): void {
    const { api } = this.#options;
    answer(
      exchange,
      mayReadFile(exchange)
        ? api.configuration()
        : failure(404, 'NOT_FOUND', 'only the control socket has it'),
    );
  }

  /** As the configuration: they may be in it. */
  async #variables(exchange: Exchange): Promise<void> {
    if (!mayReadFile(exchange)) {
      answer(exchange, failure(404, 'NOT_FOUND', 'only the control socket has it'));
      return;
    }
    const body = await readJson(exchange.request);
    answer(exchange, body.ok ? this.#options.api.variables(body.value) : body.problem);
  }

  /** As the configuration: what a log holds is for the owner of the home. */
  #logs(exchange: Exchange): void {
    const { logs } = this.#options;
    const asked = exchange.query.get('lines');
    const lines = asked === null ? undefined : countIn(asked);
    if (!exchange.overSocket) answer(exchange, failure(404, 'NOT_FOUND', 'only the control socket has it'));
    else if (asked !== null && lines === undefined) {
      const text = `lines must be a whole number, 0 or more, and is "${echoed(asked)}"`;
      answer(exchange, failure(400, 'MESSAGE_INVALID', text));
    } else if (logs.full)
      answer(exchange, failure(503, 'TOO_MANY_STREAMS', `${LOG_STREAMS_MAX} follow the log already`));
    else {
      const [lastEventId] = [exchange.request.headers['last-event-id']].flat();
      this.#streams.begin(exchange, logs.open({ lastEventId, lines }));
    }
  }

  async #lifecycle(exchange: Exchange): Promise<void> {
    const { api } = this.#options;
    const body = await readJson(exchange.request);
    answer(exchange, body.ok ? api.lifecycle(body.value, mayReadFile(exchange)) : body.problem);
  }

  /** It needs no body. */
  async #reload(exchange: Exchange): Promise<void> {
    answer(exchange, await this.#options.api.reload(mayReadFile(exchange)));
  }

  #conversation(exchange: Exchange, named = ''): void {
    const { api, conversations } = this.#options;
    const conversation = api.conversation(named);
    if ('status' in conversation) {
      answer(exchange, conversation);
      return;
    }
    const last = exchange.request.headers['last-event-id'];
    this.#watch(exchange, () => conversations.open(conversation.key, last?.toString()));
  }

  /** Opens the stream of a client that watches, unless there are too many of them. */
  #watch(exchange: Exchange, open: () => EventStream): void {
    const { inspector, conversations } = this.#options;
    if (inspector.clients + conversations.clients < EVENT_STREAMS_MAX) this.#streams.begin(exchange, open());
    else
      answer(
        exchange,
        failure(503, 'TOO_MANY_STREAMS', `${EVENT_STREAMS_MAX} clients are connected already`),
      );
  }
}

/** The router calls nobody: it is asked what stands at a path. */
const nothing = () => {};

/** One message's way as events: `admission`, `delta` and `reply` as they come, `settled` at the end. */
function show(stream: EventStream, progress: Progress): void {
  if (progress.type === 'admission') stream.send('admission', decidedJson(progress));
  else if (progress.type === 'settled') {
    stream.send('settled', settledJson(progress));
    stream.end();
  } else stream.send(progress.type, { text: progress.text });
}
