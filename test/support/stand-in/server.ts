/**
 * A stand-in for the server of a chat platform. People write through `deliver`; what the gateway sends them is
 * in `sent`. Each of the three things a gateway asks of a platform (to be connected, to have a message sent,
 * to get no more of them) can be held back and let go by the test, which so holds the gateway in `starting`,
 * flushing or closing for as long as it wants. How it takes what it is asked to send is set by `behave`, and what came
 * of that stands in `arrivals`. Nothing here goes by time, but for how long a wait may take, and where a behaviour says.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { possiblyTwice } from '../../../src/messages/replies.ts';
import { PATIENCE_MS } from '../polling.ts';
import { type Behaviour, type BehaviourScope, Behaviours, type Treatment } from './behaviour.ts';
import { type ChatMessage, type Found, type FromGateway, listen, say } from './wire.ts';

/** What can be held back. `send`: before it arrives; `answer`: when it has arrived, and the gateway does not know. */
export type Gate = 'connect' | 'send' | 'answer' | 'stop-receiving';

/** A message that reached its conversation. */
export type Sent = Pick<Extract<FromGateway, { type: 'send' }>, 'id' | 'conversation' | 'text' | 'kind'>;

/** The same, with how it came. */
export interface Arrival extends Sent {
  /** Milliseconds of `performance.now`. */
  readonly atMs: number;
  /** Which connection it came through, from 1. */
  readonly link: number;
  readonly platformSentId: string;
  readonly isPlain: boolean;
  /** It says that it may come twice. */
  readonly isMarked: boolean;
}

/** A message that came to a conversation which had asked to be left alone; `leftMs`: for so long still. */
export interface TooEarly {
  readonly id: string;
  readonly conversation: string;
  readonly leftMs: number;
}

/** What the server can do, as the gateway's adapter is told in its configuration. */
export interface ServerAbilities {
  /** It recognises a message by the gateway's id. */
  readonly sendsOnce?: boolean;
  /** It can be asked whether a message has arrived. */
  readonly reconcile?: boolean;
  readonly textCharsMax?: number;
  readonly messagesPerMinute?: number;
}

/** What became of a delivery: `cut` when the connection went before an answer. */
export type Delivered = 'acknowledged' | 'to be delivered again' | 'cut';

type SendWords = Extract<FromGateway, { type: 'send' }>;

export class StandInServer implements AsyncDisposable {
  /** What reached people, in order. */
  readonly sent: Sent[] = [];
  /** The same, with how it came. */
  readonly arrivals: Arrival[] = [];
  /** What the gateway has asked to be sent, whether it was or not. */
  readonly asked: Sent[] = [];
  /** Sent although the conversation had asked to be left alone, in order. */
  readonly tooEarly: TooEarly[] = [];
  /** Ids that were recognised as having arrived, and did not arrive again. */
  readonly recognised: string[] = [];
  /** What it was asked about. */
  readonly reconciled: string[] = [];
  readonly typing: { readonly conversation: string; readonly on: boolean }[] = [];
  /** Ids of messages as they were handed to the gateway, each time. */
  readonly handed: string[] = [];
  readonly behaviours = new Behaviours();
  /** Called in the very moment in which a gateway's connection is found to be gone, before anybody who waits is told. */
  disconnected: () => void = () => {};
  readonly port: number;
  readonly #server: Server;
  readonly #held = new Map<Gate, (() => void)[]>();
  readonly #delivering = new Map<string, ((what: Delivered) => void)[]>();
  readonly #waiting = new Set<() => void>();
  readonly #unacknowledged = new Map<string, ChatMessage>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #abilities: ServerAbilities = {};
  #redelivers = false;
  #reconcilesAs: Found | undefined;
  #socket: Socket | undefined;
  #links = 0;
  #turnAway: string | undefined;
  #token: string | undefined;
  #isWelcome = false;
  #failSends: string | undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.#link(socket));
  }

  /** Listens on `port`; absent: on any that is free. */
  static start(port = 0): Promise<StandInServer> {
    const server = createServer();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        if (typeof address === 'object' && address !== null) resolve(new StandInServer(server, address.port));
      });
    });
  }

  /** The lines of a configuration that name this server. */
  get config(): string {
    return `platforms: { standin: ${JSON.stringify(this.settings)} }`;
  }

  /** The keys of the gateway's adapter. */
  get settings() {
    const { sendsOnce, reconcile, textCharsMax, messagesPerMinute } = this.#abilities;
    return {
      ...{ port: this.port, sends_once: sendsOnce, reconcile },
      ...{ text_chars_max: textCharsMax, messages_per_minute: messagesPerMinute },
    };
  }

  /** Connections so far: one for each life of a gateway, and one more for each that was cut. */
  get links(): number {
    return this.#links;
  }

  /** What it can do from now on; a gateway that is started with `config` afterwards knows. */
  can(abilities: ServerAbilities): void {
    this.#abilities = abilities;
  }

  /** How it takes what it is asked to send from now on; undefined: well. */
  behave(behaviour: Behaviour | undefined, scope: BehaviourScope = {}): void {
    this.behaviours.set(behaviour, scope);
  }

  /** What it says when it is asked about a message, whatever it knows; undefined: the truth. */
  reconcileAs(found: Found | undefined): void {
    this.#reconcilesAs = found;
  }

  /**
   * From now on hands over again, in order and at each connection, whatever was not acknowledged; a delivery then waits
   * until it is, through as many connections as that takes, and may be made before the first.
   */
  redeliver(): void {
    this.#redelivers = true;
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

  /** Knows only who has this token, and refuses everybody else. */
  demand(token: string): void {
    this.#token = token;
  }

  /** Cuts the connection; what was under way over it stays unanswered. */
  cut(): void {
    this.#socket?.destroy();
  }

  /** Fails whatever is to be sent from now on; undefined sends again. */
  failSends(reason: string | undefined): void {
    this.#failSends = reason;
  }

  /** Hands a message to the gateway; resolves when it says whether it has it. */
  deliver(message: ChatMessage): Promise<Delivered> {
    const socket = this.#socket;
    if (socket === undefined && !this.#redelivers) throw new Error('no gateway is connected');
    return new Promise((resolve) => {
      this.#delivering.set(message.id, [...(this.#delivering.get(message.id) ?? []), resolve]);
      this.#unacknowledged.set(message.id, message);
      if (socket !== undefined && (!this.#redelivers || this.#isWelcome)) this.#hand(socket, message);
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
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket?.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #link(socket: Socket): void {
    this.#socket = socket;
    this.#isWelcome = false;
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.disconnected();
      this.#socket = undefined;
      this.#isWelcome = false;
      if (!this.#redelivers) {
        for (const cut of [...this.#delivering.values()].flat()) cut('cut');
        this.#delivering.clear();
        this.#unacknowledged.clear();
      }
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
        this.#behind('connect', () => this.#welcome(socket, words.token));
        break;
      case 'send':
        this.asked.push(words);
        this.#behind('send', () => this.#send(socket, words));
        break;
      case 'reconcile':
        this.reconciled.push(words.id);
        say(socket, { type: 'reconciled', id: words.id, found: this.#found(words.id) });
        break;
      case 'typing':
        this.typing.push({ conversation: words.conversation, on: words.on });
        break;
      case 'acknowledge':
        this.#unacknowledged.delete(words.id);
        this.#answered(words.id, 'acknowledged');
        break;
      case 'deliver-again':
        if (!this.#redelivers) this.#answered(words.id, 'to be delivered again');
        break;
      case 'stop-receiving':
        this.#behind('stop-receiving', () => say(socket, { type: 'receiving-stopped' }));
    }
  }

  #welcome(socket: Socket, token: string | undefined): void {
    if (this.#token !== undefined && token !== this.#token) {
      say(socket, { type: 'turned-away', reason: 'the token is not valid', isRefused: true });
    } else if (this.#turnAway !== undefined) {
      say(socket, { type: 'turned-away', reason: this.#turnAway, isRefused: false });
    } else {
      say(socket, { type: 'connected' });
      this.#isWelcome = true;
      if (this.#redelivers) for (const message of this.#unacknowledged.values()) this.#hand(socket, message);
    }
  }

  #hand(socket: Socket, message: ChatMessage): void {
    this.handed.push(message.id);
    say(socket, { type: 'message', message });
  }

  #send(socket: Socket, words: SendWords): void {
    if (socket.destroyed) return;
    const { id, conversation, plain = false } = words;
    if (this.#failSends !== undefined) {
      say(socket, { type: 'not-sent', id, reason: this.#failSends, trouble: 'not-sent' });
      return;
    }
    const treatment = this.behaviours.next(conversation, plain);
    if (treatment.tooEarlyByMs !== undefined)
      this.tooEarly.push({ id, conversation, leftMs: treatment.tooEarlyByMs });
    if (treatment.delayMs === 0) this.#treat(socket, words, treatment);
    else {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#treat(socket, words, treatment);
        this.#wake();
      }, treatment.delayMs);
      this.#timers.add(timer);
    }
  }

  #treat(socket: Socket, words: SendWords, { arrives, trouble }: Treatment): void {
    const { id } = words;
    const platformSentId = arrives ? this.#arrive(words) : '';
    this.#behind('answer', () => {
      say(
        socket,
        trouble === null ? { type: 'sent', id, platformSentId } : { type: 'not-sent', id, ...trouble },
      );
    });
  }

  /** Gives what this server calls the message. */
  #arrive({ id, conversation, text, kind, plain }: SendWords): string {
    const known = this.#abilities.sendsOnce ? this.arrivals.find((arrival) => arrival.id === id) : undefined;
    if (known !== undefined) {
      this.recognised.push(id);
      return known.platformSentId;
    }
    const sent = { id, conversation, text, kind };
    const platformSentId = `s${this.arrivals.length + 1}`;
    this.sent.push(sent);
    this.arrivals.push({
      ...sent,
      ...{ atMs: performance.now(), link: this.#links, platformSentId },
      ...{ isPlain: plain === true, isMarked: text.endsWith(possiblyTwice()) },
    });
    return platformSentId;
  }

  #found(id: string): Found {
    if (this.#reconcilesAs !== undefined) return this.#reconcilesAs;
    return this.arrivals.some((arrival) => arrival.id === id) ? 'delivered' : 'absent';
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
