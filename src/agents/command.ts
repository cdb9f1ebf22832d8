/**
 * An agent that is a program: the message on its stdin, the answer on its stdout, streamed as it comes. Each
 * turn is a process of its own, in a process group of its own, and its whole tree ends with the turn.
 */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { CommandAgentConfig } from '../config/schema.ts';
import type { Processes, ProcessResult, RunningProcess } from '../process/exec.ts';
import { type Agent, type AgentEvent, AgentFailure, type ProbeEvidence, type TurnInput } from './agent.ts';

/** What is kept of its output besides what was streamed: its stderr, for the cause of a failure. */
const KEPT_OUTPUT_BYTES_MAX = 16 * 1024;

/** Between the request to end and the kill. */
const GRACE_MS = 2000;

/** Streamed pieces that may wait for the turn to take them; past it they are joined, not dropped. */
const PIECES_MAX = 1000;

/** Characters of the last stderr line that a failure quotes. */
const QUOTED_CHARS_MAX = 200;

/** stderr may hold anything, a chat gets one plain line of it. */
const NOT_PLAIN = /[^\p{L}\p{N}\p{P}\p{S} ]/gu;

export interface CommandAgentOptions {
  readonly config: CommandAgentConfig;
  readonly processes: Processes;
  /** The whole environment, without the marker. */
  readonly environment: () => Record<string, string>;
}

export class CommandAgent implements Agent {
  readonly type = 'command';
  readonly name: string;
  readonly #options: CommandAgentOptions;
  readonly #running = new Map<string, RunningProcess>();

  constructor(options: CommandAgentOptions) {
    this.#options = options;
    this.name = options.config.name;
  }

  async *runTurn(input: TurnInput, { signal }: { signal: AbortSignal }): AsyncGenerator<AgentEvent> {
    const { config, processes, environment } = this.#options;
    const pieces = new Pieces();
    const running = processes.start({
      command: config.command,
      cwd: config.cwd,
      env: environment(),
      workId: input.turnId,
      input: input.text,
      graceMs: GRACE_MS,
      outputBytesMax: KEPT_OUTPUT_BYTES_MAX,
      onStdout: (text) => pieces.put(text),
    });
    this.#running.set(input.turnId, running);
    const end = () => running.end('interrupted');
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    void running.result.then(() => pieces.end());
    try {
      for await (const text of pieces) yield { type: 'text', text };
      const result = await running.result;
      if (!signal.aborted) this.#judge(result);
    } finally {
      signal.removeEventListener('abort', end);
      running.end('abandoned', 'kill');
      this.#running.delete(input.turnId);
    }
  }

  killNow(turnId: string): void {
    this.#running.get(turnId)?.end('abandoned', 'kill');
  }

  /** Starting the program would be a turn: it looks whether there is one to start. What a shell reads, only a shell knows. */
  async probe(): Promise<ProbeEvidence> {
    const { name, command, cwd } = this.#options.config;
    const [program, folders] =
      typeof command === 'string'
        ? ['/bin/sh', []]
        : [command[0] ?? '', (this.#options.environment().PATH ?? '').split(delimiter)];
    const places = program.includes('/') ? [program] : folders.map((folder) => join(folder, program));
    if (!(await canUse(cwd))) throw notStarted(name, `the folder ${cwd} may not be entered`);
    for (const place of places) if (await canUse(place)) return 'can-start';
    throw notStarted(name, `${program} is not there, or may not be executed`);
  }

  #judge(result: ProcessResult): void {
    const { name } = this.#options.config;
    if (!result.started) {
      const why = result.startError?.message ?? 'the program could not be started';
      throw notStarted(name, why);
    }
    if (result.exitCode === 0) return;
    const how = result.signal === null ? `exit code ${result.exitCode}` : result.signal;
    const said = lastLine(result.stderr);
    const cause = `the agent ${name} ended with ${how}${said === '' ? '' : `: ${said}`}`;
    throw new AgentFailure(cause, 'Send it again, or look at the agent itself.');
  }
}

function notStarted(name: string, why: string): AgentFailure {
  const section = name === 'default' ? 'agent' : `agents.${name}`;
  const said = why.replace(/\.$/, '');
  return new AgentFailure(`the agent ${name} could not be started (${said})`, `Correct ${section}.command.`);
}

/** A file may be executed, a folder entered. */
async function canUse(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function lastLine(stderr: string): string {
  const line = stderr.trimEnd().split('\n').at(-1) ?? '';
  const plain = line.replaceAll(NOT_PLAIN, ' ').trim();
  return plain.length > QUOTED_CHARS_MAX ? `${plain.slice(0, QUOTED_CHARS_MAX)}…` : plain;
}

/** A queue between the process that writes and the turn that reads. */
class Pieces implements AsyncIterable<string> {
  readonly #waiting: string[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  put(text: string): void {
    const last = this.#waiting.length - 1;
    if (last + 1 >= PIECES_MAX) this.#waiting[last] += text;
    else this.#waiting.push(text);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece !== undefined) yield piece;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
