/**
 * The gateway's core on stand-ins, in this process: time is given, the store fails when told to, programs and
 * agents do what the test says. For what must happen at one exact moment; the real parts meet in `test/system`.
 */
import type { Agent, AgentEvent, ProbeEvidence } from '../../src/agents/agent.ts';
import { parseConfig } from '../../src/config/load.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import type { Receipt } from '../../src/gateway/in-hand.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import type { Recovered } from '../../src/gateway/recovery.ts';
import { BUILTIN_NAMES } from '../../src/messages/commands.ts';
import type { Inbound } from '../../src/messages/inbound.ts';
import type { Outbound } from '../../src/messages/outbound.ts';
import { LocalPlatform } from '../../src/platforms/local.ts';
import type { Platform } from '../../src/platforms/platform.ts';
import type {
  EndReason,
  Processes,
  ProcessResult,
  ProcessSpec,
  RunningProcess,
} from '../../src/process/exec.ts';
import { createLog, type Log } from '../../src/telemetry/log.ts';
import { Secrets } from '../../src/telemetry/secrets.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { MemoryStore } from './memory-store.ts';

/** What a start finds after a life that left nothing. */
export const NOTHING_RECOVERED: Recovered = {
  ...{ held: [], awaiting: [], commands: [], outbound: [], arrived: [] },
  ...{ quarantined: [], crashed: [], crashLoop: false },
};

/** A program that "runs" until the test ends it. */
export class FakeProcess implements RunningProcess {
  readonly pid = 1;
  readonly spec: ProcessSpec;
  readonly result: Promise<ProcessResult>;
  readonly #resolve: (result: ProcessResult) => void;

  constructor(spec: ProcessSpec) {
    this.spec = spec;
    const { promise, resolve } = Promise.withResolvers<ProcessResult>();
    this.result = promise;
    this.#resolve = resolve;
  }

  end(reason: EndReason): void {
    this.finish({ ended: reason, exitCode: null, signal: 'SIGTERM' });
  }

  finish(how: Partial<ProcessResult> = {}): void {
    this.#resolve({
      started: true,
      exitCode: 0,
      signal: null,
      ended: null,
      stdout: '',
      stderr: '',
      cutBytes: 0,
      durationMs: 5,
      leftovers: 0,
      ...how,
    });
  }
}

/** Starts nothing; what it was asked to start stands in `started`. */
export class FakeProcesses implements Processes {
  readonly started: FakeProcess[] = [];
  readonly swept: ReadonlySet<string>[] = [];
  readonly runningCount = 0;

  start(spec: ProcessSpec): FakeProcess {
    const one = new FakeProcess(spec);
    this.started.push(one);
    return one;
  }

  killAllNow(): void {}

  async sweep(workIds: ReadonlySet<string>): Promise<number> {
    this.swept.push(workIds);
    return 0;
  }
}

/** An agent whose turns say what the test says, when it says so. */
export class FakeAgent implements Agent {
  readonly name = 'default';
  readonly type = 'command';
  /** Texts of the turns that have begun, in order. */
  readonly asked: string[] = [];
  readonly #turns: { say: (event: AgentEvent | Error | null) => void }[] = [];

  async *runTurn(input: { text: string }, { signal }: { signal: AbortSignal }): AsyncGenerator<AgentEvent> {
    const said: (AgentEvent | Error | null)[] = [];
    let wake = (): void => {};
    const say = (event: AgentEvent | Error | null): void => {
      said.push(event);
      wake();
    };
    this.asked.push(input.text);
    this.#turns.push({ say });
    signal.addEventListener('abort', () => say(null));
    for (;;) {
      const next = said.shift();
      if (next === null) return;
      if (next instanceof Error) throw next;
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  killNow(): void {}

  async probe(): Promise<ProbeEvidence> {
    return 'answers';
  }

  /** Says something in the turn that began as the `index`th. */
  say(index: number, text: string): void {
    this.#turns[index]?.say({ type: 'text', text });
  }

  /** Ends that turn: well, or with this error. */
  end(index: number, error: Error | null = null): void {
    this.#turns[index]?.say(error);
  }
}

/** A platform whose people are in this process; what is sent to them stands in `sent`, in order. */
export class FakePlatform implements Platform {
  readonly name = 'chat';
  readonly sent: string[] = [];

  async start(): Promise<void> {}

  async send(outbound: Outbound): Promise<void> {
    this.sent.push(outbound.text);
  }

  async stopReceiving(): Promise<void> {}

  async stop(): Promise<void> {}
}

/** A log that keeps its lines. */
export function keptLog(): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  return { log: createLog({ level: 'debug', pretty: false, colour: false, write }, new Secrets()), lines };
}

export interface GatewayCore {
  readonly gateway: Gateway;
  readonly store: MemoryStore;
  readonly clock: FakeClock;
  readonly processes: FakeProcesses;
  readonly agent: FakeAgent;
  readonly chat: FakePlatform;
  readonly log: Log;
  readonly lines: Record<string, unknown>[];
  /** Hands a message in as the local owner; the id is the text unless given. */
  receive(text: string, more?: Partial<Inbound>): Promise<Receipt>;
}

/** A gateway that runs, with this configuration below the one agent; `more` replaces what it is made of. */
export async function startCore(config = '', more: Partial<GatewayOptions> = {}): Promise<GatewayCore> {
  const core = bootCore(config, more);
  await core.gateway.connections.start(new AbortController().signal);
  core.gateway.lifecycle.send({ type: 'started' });
  await settled();
  return core;
}

/** The same, still `starting`. */
export function bootCore(config = '', more: Partial<GatewayOptions> = {}): GatewayCore {
  const clock = new FakeClock();
  const store = new MemoryStore();
  const processes = new FakeProcesses();
  const agent = new FakeAgent();
  const chat = new FakePlatform();
  const { log, lines } = keptLog();
  const { config: parsed } = parseConfig(`listen: { http: off }\n${config}`, {
    path: '/etc/sluice.yaml',
    origin: 'flag',
    env: {},
    builtinNames: BUILTIN_NAMES,
  });
  const gateway = new Gateway({
    config: () => parsed,
    store,
    processes,
    platforms: [new LocalPlatform(), chat],
    agent: () => agent,
    clock,
    log,
    supervisor: 'none',
    about: { pid: 1, version: '0.0.0', startedAt: clock.wallMs() },
    supervisorMs: null,
    environment: (_command, values) => ({ ...values }),
    redact: (text) => text,
    configWarnings: () => [],
    configProblem: () => null,
    abortStart: () => {},
    closeFaces: async () => {},
    tryStore: async () => {},
    ...more,
  });
  gateway.begin({ id: 1, kind: 'daemon', epoch: 1, pid: 1, startTime: '', bootId: '' });
  gateway.start();
  const receive = (text: string, more: Partial<Inbound> = {}) =>
    gateway.receive({
      platform: 'local',
      platformMessageId: text,
      conversation: 'local:default',
      sender: 'local:owner',
      text,
      receivedAt: clock.wallMs(),
      ...more,
    });
  return { gateway, store, clock, processes, agent, chat, log, lines, receive };
}

/** Ends the turn that began as the `index`th, with an answer. */
export async function answer({ agent }: GatewayCore, index: number): Promise<void> {
  agent.say(index, 'answer');
  agent.end(index);
  await settled();
}
