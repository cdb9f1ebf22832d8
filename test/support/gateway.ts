/**
 * A real gateway in a process and a home of its own, for tests: started from the source (or from
 * `SLUICE_TEST_ENTRY`), watched through its log lines, reached through its real faces, and gone with everything
 * it made when it is disposed.
 *
 * Nothing here sleeps: a test waits for a log line, a reply, an exit, or a state that the gateway reports.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { survivors } from '../process/survivors.ts';
import { PATIENCE_MS, polled } from './polling.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** What Node compiled is kept here, not in the home of whoever runs the tests. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));
const AGENT = fileURLToPath(new URL('./programs/stand-in-agent.sh', import.meta.url));

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface StartOptions {
  /** YAML below `listen` and `agent`; both have defaults that suit tests. */
  readonly config?: string;
  /** The whole file instead. */
  readonly configText?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** An existing home, to be started in again; it is then not removed here. */
  readonly folder?: TestFolder;
  /** Another entry than `src/main.ts`, such as one with a stand-in platform. */
  readonly entry?: string;
  readonly nodeArgs?: readonly string[];
  /** Runs it as this command instead: `['script', '-qec', …]`. The words `NODE…` follow. */
  readonly under?: readonly string[];
  /** Returns as soon as it is spawned, not when it runs. */
  readonly early?: boolean;
}

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of a reply is what it asserts on.
  readonly json: any;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly json: any;
}

/** A folder with a configuration, FIFOs and a home in it; it outlives the gateways that run on it. */
export class TestFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  readonly home: string;
  readonly configPath = join(this.path, 'sluice.yaml');

  /** `home`: relative to the folder, or absolute and then not removed with it. */
  constructor(home = 'home') {
    this.home = resolve(this.path, home);
  }

  writeConfig(text: string): void {
    writeFileSync(this.configPath, text);
  }

  /** Makes a FIFO that a turn (`wait NAME`) or a command (`cat NAME`) can wait on. */
  fifo(name: string): void {
    const path = join(this.path, name);
    if (!existsSync(path)) spawnSync('mkfifo', [path]);
  }

  /**
   * Lets go whoever waits on the FIFO; resolves when somebody was there to be let go. Two that are to be let go one
   * after the other need a FIFO each: whether the second waits already when the first is let go, nobody can say.
   */
  async release(name: string): Promise<void> {
    await polled(() => this.letGo(name), `somebody who waits on ${name}`);
  }

  /** Lets go whoever waits on the FIFO now; false when nobody does. */
  letGo(name: string): boolean {
    try {
      // Opening it to write succeeds when somebody reads or is about to; closing it is the end of the file for all.
      closeSync(openSync(join(this.path, name), constants.O_WRONLY | constants.O_NONBLOCK));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A configuration for tests: a free port, the stand-in agent, short limits; `more` adds or overrides keys. */
export const testConfig = (more = ''): string =>
  [
    'listen: { http: 127.0.0.1:0 }',
    ...(/^agent:/m.test(more) ? [] : [`agent: { type: command, command: ["${AGENT}"] }`]),
    more,
  ].join('\n');

export const standInAgent = AGENT;

/** Those of this test file that have not ended. */
const live = new Set<TestGateway>();

/** Ends gateways that a test left behind: one that ran into its time limit disposes of nothing. */
export async function endLeftGateways(): Promise<void> {
  await Promise.all(Array.from(live, (gateway) => gateway[Symbol.asyncDispose]()));
}

export class TestGateway implements AsyncDisposable {
  readonly folder: TestFolder;
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** Everything that went to stderr and stdout. */
  stderr = '';
  stdout = '';
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  readonly #ownsFolder: boolean;
  readonly #waiting = new Set<() => void>();

  private constructor(options: StartOptions) {
    this.#ownsFolder = options.folder === undefined;
    this.folder = options.folder ?? new TestFolder();
    if (options.configText !== undefined || options.config !== undefined || this.#ownsFolder) {
      this.folder.writeConfig(options.configText ?? testConfig(options.config));
    }
    const node = [
      process.execPath,
      ...(options.nodeArgs ?? []),
      options.entry ?? process.env.SLUICE_TEST_ENTRY ?? MAIN,
    ];
    const argv = [
      ...(options.under ?? []),
      ...node,
      'run',
      '--home',
      this.folder.home,
      '--config',
      this.folder.configPath,
    ];
    const [file = '', ...args] = argv;
    this.child = spawn(file, args, { env: cleanEnvironment(options.env), stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#wake();
    });
    let rest = '';
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.lines.push(JSON.parse(line));
      this.#wake();
    });
    live.add(this);
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        live.delete(this);
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  /** Starts a gateway and waits until it runs (or has ended). */
  static async start(options: StartOptions = {}): Promise<TestGateway> {
    const gateway = new TestGateway(options);
    if (!options.early) await gateway.ready();
    return gateway;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until the gateway has reached `running` in this life; `lives` counts in-place restarts. */
  async ready(lives = 1): Promise<void> {
    await this.until(() => this.stdout.split('sluice is running.').length > lives, 'the gateway to run');
  }

  /** Waits for a log line; those that have come already count. */
  log(matches: (line: LogLine) => boolean, what = 'a log line'): Promise<LogLine> {
    return this.until(() => this.lines.find(matches), what);
  }

  /** Waits until the chart has entered a state, as the log tells it. */
  async entered(state: string): Promise<void> {
    await this.log((line) => line.to === state, `the state ${state}`);
  }

  /** Waits until `check` is truthy; looked at whenever the process said something or ended. */
  async until<T>(check: () => T | undefined | false | null, what: string): Promise<T> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = check();
      if (found) return found;
      // What it said last is read after it has ended, so it has said all once its pipes are closed, too.
      if (limit.aborted || !live.has(this)) {
        throw new Error(`waited in vain for ${what}\n${this.stdout}\n${this.stderr.slice(-4000)}`);
      }
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

  /** One request over the control socket. */
  request(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> {
    return httpRequest({ socketPath: join(this.folder.home, 'control.sock') }, method, path, body);
  }

  /** Sends a message and waits for its outcome, unless it is held. */
  send(text: string, more: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    return this.request('POST', '/v1/messages?wait=1', { text, ...more });
  }

  /** Sends a message and returns with its decision. */
  post(text: string, more: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    return this.request('POST', '/v1/messages', { text, ...more });
  }

  /** The outcome of a message that was sent under this id, once it has one; by sending the same id again. */
  outcome(id: string): Promise<Reply['json']> {
    return polled(async () => {
      const { json } = await this.send('asked again', { id });
      return json.outcome === undefined ? undefined : json;
    }, `the outcome of ${id}`);
  }

  async status() {
    return (await this.request('GET', '/v1/status')).json;
  }

  /** Asks for the status until it is as wanted. */
  async statusWhere(wanted: (status: Reply['json']) => boolean): Promise<Reply['json']> {
    let status: Reply['json'];
    const look = async () => {
      status = await this.status();
      return wanted(status);
    };
    await polled(look, `a status for which ${wanted}`).catch((error: Error) => {
      throw new Error(`${error.message}, the last was ${JSON.stringify(status)}`);
    });
    return status;
  }

  /** Waits until as many turns (or commands) are in flight. */
  async inFlight(what: 'turns' | 'commands', count: number): Promise<void> {
    await this.statusWhere((status) => status.inFlight[what].length === count);
  }

  /** Waits until so many commands have begun for certain: each has its shell and what that started. Gives their ids. */
  commandsBegun(count: number): Promise<string[]> {
    return this.#begun('commands', count);
  }

  /**
   * Waits until so many turns of the stand-in agent wait at their FIFO, or are about to: each has its shell and what that
   * started, so that it has said "started", and is deaf if it is to be. Gives their ids.
   */
  turnsBegun(count: number): Promise<string[]> {
    return this.#begun('turns', count);
  }

  /** Where HTTP listens, and with which token. */
  async http(): Promise<{ url: string; token: string }> {
    const token = readFileSync(join(this.folder.home, 'token'), 'utf8').trim();
    return { url: (await this.status()).http, token };
  }

  /** Runs the real CLI on this gateway's home. */
  cli(...args: readonly string[]): Promise<CliResult> {
    return runCli([...args, '--home', this.folder.home], this.folder.path);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it without a word, and waits until it is gone. */
  async kill9(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Asks it to stop, and returns how it left. */
  async stop(): Promise<{ code: number | null; signal: string | null }> {
    if (this.alive) this.child.kill('SIGINT');
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.alive) await this.kill9();
    await this.exited;
    if (this.#ownsFolder) this.folder[Symbol.dispose]();
  }

  async #begun(what: 'turns' | 'commands', count: number): Promise<string[]> {
    const idsIn = ({ inFlight }: Reply['json']): string[] =>
      inFlight[what].map(({ id }: { id: string }) => id);
    const has = (status: Reply['json']) =>
      idsIn(status).length === count && idsIn(status).every((id) => survivors(id).length >= 2);
    return idsIn(await this.statusWhere(has));
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** Runs the real CLI; `input` goes to its stdin. */
export function runCli(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const entry = process.env.SLUICE_TEST_ENTRY ?? MAIN;
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr, json: parsed(stdout) }));
  });
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The test runner's environment without what would steer a gateway. */
export function cleanEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => {
    return !/^(SLUICE_|NOTIFY_SOCKET|SYSTEMD_|INVOCATION_ID|NODE_OPTIONS|VITEST|XDG_)/.test(name);
  });
  const ours = { NO_COLOR: '1', XDG_CACHE_HOME: CACHE };
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...ours, ...more };
}

export interface HttpWhere {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One HTTP request; a body that is no string is sent as JSON. */
export function httpRequest(where: HttpWhere, method: string, path: string, body?: unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({
      ...where,
      method,
      path,
      agent: false,
      headers: { 'content-type': 'application/json', ...where.headers },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, json: parsed(text) ?? text }));
      response.on('error', reject);
    });
    sent.end(
      body === undefined || typeof body === 'string' || body instanceof Uint8Array
        ? body
        : JSON.stringify(body),
    );
  });
}

/** Makes an empty folder below the system's for temporary ones. */
export function emptyFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  mkdirSync(path, { recursive: true });
  return path;
}
