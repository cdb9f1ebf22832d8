/**
 * A program of `test/support/programs` as a real process that is spoken to in lines: one line in, lines out.
 * Disposing kills it (by its own pid) and waits until it is gone.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface LineProcess extends AsyncDisposable {
  readonly pid: number;
  /** The next line of stdout; rejects with stderr when it ends first. */
  nextLine(): Promise<string>;
  /** All further lines, once it has ended. */
  restOfLines(): Promise<string[]>;
  write(line: string): void;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Runs `test/support/programs/NAME.ts` under this Node. */
export function startProgram(name: string, args: string[] = [], options: SpawnOptions = {}): LineProcess {
  const file = new URL(`./programs/${name}.ts`, import.meta.url).pathname;
  return startCommand(process.execPath, [file, ...args], options);
}

export function startCommand(command: string, args: string[], options: SpawnOptions = {}): LineProcess {
  const child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  if (child.pid === undefined) throw new Error(`cannot start ${command}`);
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('no pipes');
  let complaints = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  stdin.on('error', () => {});
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid,
    async nextLine() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${args.join(' ')} ended: ${complaints}`);
      return value;
    },
    async restOfLines() {
      const rest: string[] = [];
      for (let next = await lines.next(); next.done !== true; next = await lines.next())
        rest.push(next.value);
      return rest;
    },
    write: (line) => void stdin.write(`${line}\n`),
    ended: ending(child),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function ending(child: ChildProcess) {
  const [code, signal] = await once(child, 'close');
  return { code: code as number | null, signal: signal as NodeJS.Signals | null };
}
