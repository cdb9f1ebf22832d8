/** A real `sluice chat` in a real terminal (`script` of util-linux makes one), and what a person sees there. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from './polling.ts';
import { VirtualTerminal } from './virtual-terminal.ts';

const MAIN = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface ChatTerminalOptions {
  readonly home: string;
  readonly columns?: number;
  readonly rows?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class ChatTerminal implements AsyncDisposable {
  /** Everything it wrote, as it wrote it. */
  raw = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  /** The device of its terminal. */
  readonly #device: Promise<string>;
  readonly #terminal: VirtualTerminal;
  readonly #waiting = new Set<() => void>();

  constructor({ home, columns = 80, rows = 24, args = [], env = {} }: ChatTerminalOptions) {
    this.#terminal = new VirtualTerminal(columns, rows);
    const words = [process.execPath, MAIN, 'chat', '--home', home, ...args].map((word) => `'${word}'`);
    const command = `stty cols ${columns} rows ${rows}; tty >&3; exec 3>&- ${words.join(' ')}`;
    this.#child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env.PATH, TERM: 'xterm', NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    });
    const device = this.#child.stdio[3] as Readable;
    this.#device = once(device.setEncoding('utf8'), 'data').then(([text]) => String(text).trim());
    // A terminal that ended before it said which one it was.
    this.#device.catch(() => {});
    this.#child.stdin?.on('error', () => {});
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.raw += text;
      // The terminal's driver puts a carriage return before each line feed, also where there is one.
      this.#terminal.write(text.replaceAll(/\r+\n/g, '\r\n'));
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
  }

  /** Opens a chat and waits until it is connected. */
  static async open(options: ChatTerminalOptions): Promise<ChatTerminal> {
    const chat = new ChatTerminal(options);
    await chat.sees(/in flight/);
    return chat;
  }

  get lines(): readonly string[] {
    return this.#terminal.screen;
  }

  /** Where the cursor stands, in `lines`. */
  get cursor(): { readonly row: number; readonly column: number } {
    return this.#terminal.cursor;
  }

  /** Makes it another size; what runs in it is told by SIGWINCH. Nothing may be on its way to the screen. */
  async resize(columns: number, rows: number): Promise<void> {
    const device = await this.#device;
    this.#terminal.resize(columns, rows);
    execFileSync('stty', ['-F', device, 'cols', `${columns}`, 'rows', `${rows}`]);
  }

  /** Presses keys: text, or the bytes that a terminal sends for a key. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.#child.stdin?.write(KEYS[key] ?? key);
  }

  /** Writes a message and sends it. */
  send(text: string): void {
    this.press(text, 'enter');
  }

  /** Waits until the screen shows it. */
  sees(pattern: RegExp): Promise<void> {
    return this.until((lines) => lines.some((line) => pattern.test(line)), `${pattern}`);
  }

  async until(check: (lines: readonly string[]) => boolean, what: string): Promise<void> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    while (!check(this.lines)) {
      if (limit.aborted || this.#child.exitCode !== null) {
        throw new Error(`waited in vain for ${what}\n${this.lines.join('\n')}`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        limit.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.exited;
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
  }
}

const KEYS: Readonly<Record<string, string>> = {
  enter: '\r',
  'alt-enter': '\x1b\r',
  tab: '\t',
  up: '\x1b[A',
  left: '\x1b[D',
  backspace: '\x7f',
  'ctrl-c': '\x03',
  'ctrl-d': '\x04',
  'ctrl-e': '\x05',
  'ctrl-j': '\n',
  'ctrl-u': '\x15',
  'paste-start': '\x1b[200~',
  'paste-end': '\x1b[201~',
};
