/**
 * Takes walks on a gateway that runs as a process of its own, through its real faces: messages and requests by
 * the control socket and HTTP in turn, work that lasts because a FIFO holds it, and the three short states
 * held by the stand-in platform (`starting` by a connection that is not answered, flushing by a reply that is
 * not taken, closing by a stop of receiving that is not confirmed).
 *
 * One home for all walks of a driver: what one walk leaves held is the next life's to answer.
 */
import { httpRequest, type Reply, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { StoreLock } from '../support/store-lock.ts';
import type { DaemonStep } from './daemon-walks.ts';
import { LastingWork } from './lasting-work.ts';

/**
 * Longer than any test: here deadlines never end a state. No turn that was cut off comes back in a later walk, and ends
 * that could not be written, which a store that was taken away makes many of, begin no safe mode.
 */
const CONFIG = `
quick_commands:
  up: { type: exec, command: "echo up" }
  hold: { type: exec, command: "trap '' TERM; cat command; true", timeout: 1h, grace: 1h }
  s: { type: alias, target: "/status" }
access: { owners: ["standin:ann"] }
turns: { resume: never }
safe_mode: off
shutdown: { kill_grace: 1h, exit_timeout: 1h }`;

const AGENT_LIMITS = 'restart_drain_timeout: 3600';

/** A message of each kind that is over at once. */
const MESSAGES: Readonly<Record<string, { text: string; whenBusy?: 'queue' }>> = {
  control: { text: '/help' },
  exec: { text: '/up' },
  alias: { text: '/s' },
  turn: { text: 'hello' },
  'turn, queued': { text: 'hello', whenBusy: 'queue' },
};

const REQUESTS: Readonly<Record<string, { intent: string; hurry?: boolean }>> = {
  stop: { intent: 'stop' },
  'stop, hurried': { intent: 'stop', hurry: true },
  restart: { intent: 'restart' },
  'restart, hurried': { intent: 'restart', hurry: true },
  drain: { intent: 'drain' },
  cancel: { intent: 'cancel-drain' },
};

/** What a message of a kind comes to when it is dispatched. */
const OUTCOMES: Readonly<Record<string, string>> = {
  control: 'done',
  exec: 'ran',
  alias: 'done',
  turn: 'answered',
};

/** A turn can be kept from ending for its grace of two seconds: a walk that takes longer there is taken again. */
const ATTEMPTS_MAX = 3;

export class DaemonDriver implements AsyncDisposable {
  /** What differed from what was expected, with the step. */
  readonly wrong: string[] = [];
  /** The (state, event) pairs that went as expected. */
  readonly driven = new Set<string>();
  boots = 0;
  readonly #entry: string;
  readonly #server: StandInServer;
  readonly #folder = new TestFolder();
  #gateway: TestGateway | undefined;
  #http: { host: string; port: number; headers: Record<string, string> } | undefined;
  #turn: LastingWork | undefined;
  #command: LastingWork | undefined;
  #lock: StoreLock | undefined;
  /** Of names that have to differ. */
  #count = 0;
  #asked = 0;

  private constructor(entry: string, server: StandInServer) {
    this.#entry = entry;
    this.#server = server;
    for (const name of ['turn', 'command']) this.#folder.fifo(name);
    const config = testConfig(`${CONFIG}\n${server.config}`);
    this.#folder.writeConfig(config.replace('type: command,', `type: command, ${AGENT_LIMITS},`));
  }

  static async start(entry: string): Promise<DaemonDriver> {
    return new DaemonDriver(entry, await StandInServer.start());
  }

  get home(): string {
    return this.#folder.home;
  }

  /** Takes one walk from a boot to its end, and lets the gateway leave as it was asked to. */
  async walk(steps: readonly DaemonStep[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const { found, tooSlow } = await this.#attempt(steps);
      if (found === null) return;
      if (tooSlow && attempt < ATTEMPTS_MAX) continue;
      this.wrong.push(found);
      return;
    }
  }

  /** One more life, until all that was kept is answered; then a stop. */
  async answerWhatIsKept(): Promise<void> {
    await this.#boot();
    this.#server.release('connect', 'send', 'stop-receiving');
    await this.#running.statusWhere(({ state, held, inFlight }) => {
      return state === 'running.healthy' && held + inFlight.turns.length === 0;
    });
    await this.#running.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock?.[Symbol.dispose]();
    await this.#end(this.#turn);
    await this.#end(this.#command);
    await this.#gateway?.[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }

  get #running(): TestGateway {
    if (this.#gateway === undefined) throw new Error('no gateway was started');
    return this.#gateway;
  }

  /** `tooSlow`: an aborted turn came to the end of its grace before the walk let it go. */
  async #attempt(steps: readonly DaemonStep[]): Promise<{ found: string | null; tooSlow: boolean }> {
    await this.#boot();
    for (const [index, step] of steps.entries()) {
      const found = await this.#take(step);
      if (found === null) {
        this.driven.add(step.pair);
        continue;
      }
      const tooSlow = this.#turn?.isOver ?? false;
      const way = steps.slice(0, index + 1).map(({ event, state }) => `${event} → ${state}`);
      await this.#leave(false);
      return { found: `${found}\n    after ${way.join(', ')}`, tooSlow };
    }
    await this.#leave(steps.at(-1)?.state === 'exited');
    return { found: null, tooSlow: false };
  }

  /** Waits for a life in `starting` (the one that a restart left, or a new one), and stalls a reply in it. */
  async #boot(): Promise<void> {
    this.#server.hold('connect', 'send', 'stop-receiving');
    if (this.#gateway?.alive !== true) {
      const options = { entry: this.#entry, folder: this.#folder, early: true };
      this.#gateway = await TestGateway.start(options);
    }
    this.boots += 1;
    await Promise.race([this.#server.linked(this.boots), this.#gateway.exited]);
    const { url, token } = await this.#gateway.http();
    const { hostname, port } = new URL(url);
    this.#http = { host: hostname, port: Number(port), headers: { authorization: `Bearer ${token}` } };
    await this.#stallReply();
  }

  /** Somebody asks on the platform, and the answer is not taken there: flushing waits for it. */
  async #stallReply(): Promise<undefined> {
    this.#count += 1;
    const word = `/ping-${this.#count}`;
    await this.#server.deliver({ id: word, from: 'ann', conversation: word, text: word });
    await this.#server.until(() => this.#server.asked.some(({ text }) => text.includes(`${word}.`)), word);
  }

  /** Does what the step says and compares; null when all was as expected. */
  async #take(step: DaemonStep): Promise<string | null> {
    const found = (await this.#stimulate(step)) ?? null;
    if (found !== null) return `${step.event}: ${found}`;
    return step.state === 'exited' ? null : this.#arrived(step.state);
  }

  async #stimulate({ event, decision, verdict, state }: DaemonStep): Promise<string | undefined> {
    const message = MESSAGES[event];
    if (message !== undefined) return this.#message(event, message, decision);
    const request = REQUESTS[event];
    if (request !== undefined) {
      const { json } = await this.#ask('/v1/lifecycle', request);
      return json.verdict === verdict ? undefined : `answered "${json.verdict}", not "${verdict}"`;
    }
    switch (event) {
      case 'exec begins':
        this.#command = await this.#begin('/hold', 'command', 'admission');
        // A TERM that came before its trap would end it.
        await this.#running.commandsBegun(1);
        return undefined;
      case 'turn begins':
        // Once it has said something it is deaf: an abort leaves it to its FIFO until its grace is over.
        this.#turn = await this.#begin('deaf turn', 'turn', 'delta');
        return undefined;
      case 'exec ends':
        this.#command = await this.#end(this.#command);
        return undefined;
      case 'turn ends':
        this.#turn = await this.#end(this.#turn);
        return undefined;
      case 'store lost':
        this.#lock = new StoreLock(this.home);
        await this.#ask('/v1/messages', { text: '/help' });
        return undefined;
      case 'store back':
        this.#unlock();
        return undefined;
      case 'started':
        return this.#letGo('connect');
      case 'flushed':
        this.#letGo('send');
        // The platform still hands in: what comes now stalls the flushing that a stop would begin anew.
        return (await this.#arrived(state)) ?? this.#stallReply();
      case 'closed':
        this.#unlock();
        this.#letGo('send');
        return this.#letGo('stop-receiving');
      default:
        throw new Error(`nobody can drive "${event}" into ${state}`);
    }
  }

  async #message(
    name: string,
    message: { text: string; whenBusy?: 'queue' },
    decision: DaemonStep['decision'],
  ): Promise<string | undefined> {
    this.#count += 1;
    const { json } = await this.#ask('/v1/messages?wait=1', { ...message, conversation: `c${this.#count}` });
    // To hold is to promise: without a store to keep it in, what the chart would hold is refused.
    const unkept = decision === 'hold' && this.#lock !== undefined;
    const expected = unkept ? 'refuse' : decision;
    const kind = name.split(',')[0] ?? '';
    const outcome = { dispatch: OUTCOMES[kind], refuse: 'refused', hold: undefined }[expected ?? 'refuse'];
    const notKept = json.error?.code === 'STORE_UNAVAILABLE';
    const [met, came] = notKept ? ['refuse', 'refused'] : [json.admission, json.outcome];
    if (met === expected && came === outcome) return undefined;
    return `${JSON.stringify(json)}, not "${expected}" and "${outcome}"`;
  }

  /** Every other time by HTTP. */
  #ask(path: string, body: unknown): Promise<Reply> {
    this.#asked += 1;
    const overHttp = this.#asked % 2 === 0 && this.#http;
    return overHttp ? httpRequest(overHttp, 'POST', path, body) : this.#running.request('POST', path, body);
  }

  #begin(text: string, fifo: string, until: 'admission' | 'delta'): Promise<LastingWork> {
    this.#count += 1;
    return LastingWork.begin(this.#folder, { text, conversation: `c${this.#count}` }, { fifo, until });
  }

  async #end(work: LastingWork | undefined): Promise<undefined> {
    await work?.end();
  }

  /** Answers what waits at a gate; what comes after it waits again. */
  #letGo(gate: 'connect' | 'send' | 'stop-receiving'): undefined {
    this.#server.release(gate);
    this.#server.hold(gate);
  }

  #unlock(): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = undefined;
  }

  /** Waits for the state and the work that belong to it; what was held is answered before it goes on. */
  async #arrived(state: string): Promise<string | null> {
    const turns = this.#turn === undefined ? 0 : 1;
    const commands = this.#command === undefined ? 0 : 1;
    const reasons = this.#lock === undefined ? 0 : 1;
    try {
      await this.#running.statusWhere((status) => {
        const { inFlight: work, degraded } = status;
        const asExpected =
          work.turns.length === turns && work.commands.length === commands && degraded.length === reasons;
        return status.state === state && asExpected && (state !== 'running.healthy' || status.held === 0);
      });
      return null;
    } catch (error) {
      return `${state} with ${turns} turns, ${commands} commands and ${reasons} reasons expected: ${error}`;
    }
  }

  /** Ends what lasts and opens the gates, so that the gateway leaves: to its next life in place, or for good. */
  async #leave(isGone: boolean): Promise<void> {
    const gateway = this.#running;
    const { intent } = isGone ? { intent: null } : await gateway.status();
    this.#unlock();
    this.#turn = await this.#end(this.#turn);
    this.#command = await this.#end(this.#command);
    if (isGone) {
      await Promise.race([this.#server.linked(this.boots + 1), gateway.exited]);
      return;
    }
    // Only a walk that went wrong ends where nobody has asked it to leave.
    if (intent !== 'restart' && intent !== 'stop')
      await gateway.request('POST', '/v1/lifecycle', { intent: 'stop' });
    this.#server.release('send', 'stop-receiving');
    if (intent === 'restart') await this.#server.linked(this.boots + 1);
    else {
      const { code } = await gateway.exited;
      if (code !== 0) this.wrong.push(`left with ${code}\n${gateway.stderr.slice(-1000)}`);
    }
  }
}
