/** The real CLI while it runs: what it has said so far, signals, and how it ended. Disposing ends it, by its own pid. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment } from './gateway.ts';
import { polled } from './polling.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Of the masks in /proc: signal 1. Node has a handler of its own for SIGINT and SIGTERM from the start. */
const SIGHUP_BIT = 0b1n;

export class RunningCli implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], cwd: string, nodeArgs: readonly string[] = []) {
    const entry = process.env.SLUICE_TEST_ENTRY ?? MAIN;
    this.#child = spawn(process.execPath, [...nodeArgs, entry, ...args], {
      ...{ cwd, env: cleanEnvironment() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves once signals are heard by the program: before that they end the process raw, as they should. */
  async listens(): Promise<void> {
    await polled(() => {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
      const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
      return (BigInt(`0x${caught}`) & SIGHUP_BIT) !== 0n;
    }, 'its handlers of signals');
  }

  /** Resolves once it has this file open. */
  async opens(path: string): Promise<void> {
    const folder = `/proc/${this.#child.pid}/fd`;
    await polled(
      () => readdirSync(folder).some((name) => targetOf(`${folder}/${name}`) === path),
      `${path} to be open`,
    );
  }

  /** Resolves once stderr has this text. */
  async says(text: string): Promise<void> {
    await polled(() => this.stderr.includes(text), `"${text}" on stderr, which has: ${this.stderr}`);
  }

  /** Resolves once stdout has this text. */
  async prints(text: string): Promise<void> {
    await polled(() => this.stdout.includes(text), `"${text}" on stdout, which has: ${this.stdout}`);
  }

  /** Resolves when it has ended; `code` is null when a signal ended it raw. */
  async result() {
    const code = await this.#ended;
    const { stdout, stderr } = this;
    return { code, stdout, stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Nothing of a descriptor that was closed since it was listed. */
function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
