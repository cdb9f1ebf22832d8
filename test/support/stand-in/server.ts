/**
 * A stand-in for the server of a chat platform. People write through `deliver`; what the gateway sends them is
 * in `sent`. Each of the three things a gateway asks of a platform (to be connected, to have a message sent,
 * to get no more of them) can be held back and let go by the test, which so holds the gateway in `starting`,
 * flushing or closing for as long as it wants. Nothing here goes by time, but for how long a wait may take.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { PATIENCE_MS } from '../polling.ts';
import { type ChatMessage, type FromGateway, listen, say } from './wire.ts';

/** What can be held back. */
export type Gate = 'connect' | 'send' | 'stop-receiving';

/** A message that reached its conversation. */
export type Sent = Pick<Extract<FromGateway, { type: 'send' }>, 'id' | 'conversation' | 'text' | 'kind'>;

/** What became of a delivery: `cut` when the connection went before an answer. */
export type Delivered = 'acknowledged' | 'to be delivered again' | 'cut';

export class StandInServer implements AsyncDisposable {
  /** What reached people, in order. */
  readonly sent: Sent[] = [];
  /** What the gateway has asked to be sent, whether it was or not. */
  readonly asked: Sent[] = [];
  readonly port: number;
  readonly #server: Server;
  readonly #held = new Map<Gate, (() => void)[]>();
  readonly #delivering = new Map<string, ((what: Delivered) => void)[]>();
  readonly #waiting = new Set<() => void>();
  #socket: Socket | undefined;
  #links = 0;
  #turnAway: string | undefined;
  #failSends: string | undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.#link(socket));
  }

  static start(): Promise<StandInServer> {
    const server = createServer();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (typeof address === 'object' && address !== null) resolve(new StandInServer(server, address.port));
      });
    });
  }

  /** The lines of a configuration that name this server. */
  get config(): string {
    return `platforms: { standin: { port: ${this.port} } }`;
  }

  /** Connections so far: one for each life of a gateway. */
  get links(): number {
    return this.#links;
  }

  /** From now on, leaves this unanswered. */
  hold(...gates: readonly Gate[]): void {
    for (const gate of gates) if (!this.#held.has(gate)) this.#held.set(gate, []);
  }

  /** Answers what was held back, and all that follows at once. */
  release(...gates: readonly Gate[]): void {
    for (const gate of gates) {
      const answers = this.#held.get(gate) ?? [];
      this.#held.delete(gate);
      for (const answer of answers) answer();
    }
  }

  /** Refuses connections from now on; undefined takes them again. */
  turnAway(reason: string | undefined): void {
    this.#turnAway = reason;
  }

  /** Fails whatever is to be sent from now on; undefined sends again. */
  failSends(reason: string | undefined): void {
    this.#failSends = reason;
  }

  /** Hands a message to the gateway; resolves when it says whether it has it. */
  deliver(message: ChatMessage): Promise<Delivered> {
    const socket = this.#socket;
    if (socket === undefined) throw new Error('no gateway is connected');
    return new Promise((resolve) => {
      this.#delivering.set(message.id, [...(this.#delivering.get(message.id) ?? []), resolve]);
      say(socket, { type: 'message', message });
    });
  }

  /** Waits for the connection of the n-th life. */
  linked(n: number): Promise<unknown> {
    return this.until(() => this.#links >= n && this.#socket !== undefined, `connection ${n}`);
  }

  /** Waits until something has reached a conversation. */
  reached(matches: (sent: Sent) => boolean): Promise<Sent> {
    return this.until(() => this.sent.find(matches), `a message among ${JSON.stringify(this.sent)}`);
  }

  /** Waits until `check` is truthy; looked at whenever the gateway said something or went. */
  async until<T>(check: () => T | undefined | false, what: string): Promise<T> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = check();
      if (found) return found;
      if (limit.aborted) throw new Error(`the stand-in server waited in vain for ${what}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          limit.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        limit.addEventListener('abort', wake);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #link(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      for (const cut of [...this.#delivering.values()].flat()) cut('cut');
      this.#delivering.clear();
      this.#wake();
    });
    listen<FromGateway>(socket, (words) => {
      this.#hear(socket, words);
      this.#wake();
    });
  }

  #hear(socket: Socket, words: FromGateway): void {
    switch (words.type) {
      case 'connect':
        this.#links += 1;
        this.#behind('connect', () => {
          const reason = this.#turnAway;
          say(socket, reason === undefined ? { type: 'connected' } : { type: 'turned-away', reason });
        });
        break;
      case 'send':
        this.asked.push(words);
        this.#behind('send', () => this.#send(socket, words));
        break;
      case 'acknowledge':
        this.#answered(words.id, 'acknowledged');
        break;
      case 'deliver-again':
        this.#answered(words.id, 'to be delivered again');
        break;
      case 'stop-receiving':
        this.#behind('stop-receiving', () => say(socket, { type: 'receiving-stopped' }));
    }
  }

  #send(socket: Socket, { id, conversation, text, kind }: Extract<FromGateway, { type: 'send' }>): void {
    if (socket.destroyed) return;
    if (this.#failSends !== undefined) {
      say(socket, { type: 'not-sent', id, reason: this.#failSends });
      return;
    }
    this.sent.push({ id, conversation, text, kind });
    say(socket, { type: 'sent', id });
  }

  #behind(gate: Gate, answer: () => void): void {
    const held = this.#held.get(gate);
    if (held === undefined) answer();
    else held.push(answer);
  }

  #answered(id: string, what: Delivered): void {
    this.#delivering.get(id)?.shift()?.(what);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
