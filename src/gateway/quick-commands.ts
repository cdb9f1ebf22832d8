/**
 * Runs exec quick commands, in every state of the gateway. A command takes its place when it is admitted; one
 * that has to wait for a free slot runs as soon as there is one, also while the gateway leaves.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Clock } from '../clock.ts';
import type { ExecCommand } from '../config/schema.ts';
import { COMMAND_OUTPUT_BYTES_MAX, commandReply, outputOf } from '../messages/command-reply.ts';
import * as replies from '../messages/replies.ts';
import type { EndReason, Processes, ProcessResult, RunningProcess } from '../process/exec.ts';
import type { CommandRow } from '../store/store.ts';
import { type InHand, isNamed, type Settlement } from './in-hand.ts';

/** Commands that run at the same time, all names together. */
export const COMMANDS_RUNNING_MAX = 4 * availableParallelism();

/** Commands that may wait for a free slot. */
export const COMMANDS_WAITING_MAX = 1000;

/** How long a command may wait for a free slot: one that runs much later than it was asked for would surprise. */
export const COMMAND_WAIT_MS_MAX = 300_000;

export interface Command {
  readonly row: CommandRow;
  readonly message: InHand;
  readonly command: ExecCommand;
  readonly values: Readonly<Record<string, string>>;
  startedAt: number | null;
  /** Its row is on disk, or it runs without one. Nothing starts before. */
  written: boolean;
  process: RunningProcess | undefined;
  /** Set when it was ended before its process began; `waited`: no slot came free in time. */
  endedEarly: EndReason | 'waited' | null;
  /** While it waits for a slot: ends the waiting. */
  waiting: Disposable | undefined;
  /** Completes "was ended after N s: …". */
  endedBecause: string;
}

export interface QuickCommandsOptions {
  readonly clock: Clock;
  readonly processes: Processes;
  readonly life: () => number;
  /** The whole environment of a command, without its marker. */
  readonly environment: (
    command: ExecCommand,
    values: Readonly<Record<string, string>>,
  ) => Record<string, string>;
  /** Runs of this command at the same time, as configured now: a later one must not overtake one that waits. */
  readonly concurrency: (command: ExecCommand) => number;
  /** The text without known secrets. */
  readonly redact: (text: string) => string;
  /** Starts a command whose slot came free. */
  readonly start: (command: Command) => void;
}

export class QuickCommands {
  readonly #options: QuickCommandsOptions;
  readonly #running = new Set<Command>();
  readonly #waiting: Command[] = [];

  constructor(options: QuickCommandsOptions) {
    this.#options = options;
  }

  /** Those that run or wait, oldest first. */
  get inFlight(): readonly Command[] {
    return [...this.#running, ...this.#waiting];
  }

  /** True when a command may not find a place, not even one to wait in. */
  get full(): boolean {
    return this.#waiting.length >= COMMANDS_WAITING_MAX;
  }

  /** Gives an admitted command its place: `startedAt` is set when it has a slot. Undefined: too many wait. */
  reserve(
    message: InHand,
    command: ExecCommand,
    values: Readonly<Record<string, string>>,
  ): Command | undefined {
    const { clock, life } = this.#options;
    const taken: Command = {
      row: {
        id: message.row.id.replace(/^m_/, 'c_'),
        messageId: message.row.id,
        name: command.name,
        actor: message.row.sender,
        argsHash: createHash('sha256').update(JSON.stringify(values)).digest('hex'),
        life: life(),
        receivedAt: message.row.receivedAt,
      },
      message,
      command,
      values,
      startedAt: null,
      written: false,
      process: undefined,
      endedEarly: null,
      waiting: undefined,
      endedBecause: '',
    };
    if (this.#hasSlot(command)) {
      taken.startedAt = clock.wallMs();
      this.#running.add(taken);
    } else if (!this.full) {
      this.#waiting.push(taken);
      taken.waiting = clock.timer(COMMAND_WAIT_MS_MAX, () => this.#end(taken, 'waited', '', 'term'));
    } else {
      return undefined;
    }
    return taken;
  }

  /** The row of a waiting command is on disk, or it runs without one: it starts as soon as there is a slot. */
  written(command: Command): void {
    command.written = true;
    this.#startWaiting();
  }

  /** Frees the place of a command that has settled, or came to nothing, and starts what waited for it. */
  release(command: Command): void {
    this.#leaveQueue(command);
    if (this.#running.delete(command)) this.#startWaiting();
  }

  /** Starts what has a slot now: the limits may be others. */
  takeWaiting(): void {
    this.#startWaiting();
  }

  /** Runs a command that has its slot, to its end. Never rejects. */
  async run(taken: Command): Promise<Settlement> {
    if (taken.endedEarly !== null) return this.#notRun(taken);
    const { command, values } = taken;
    taken.process = this.#options.processes.start({
      command: command.command,
      cwd: command.cwd,
      env: this.#options.environment(command, values),
      workId: taken.row.id,
      timeoutMs: command.timeoutMs,
      graceMs: command.graceMs,
      outputBytesMax: COMMAND_OUTPUT_BYTES_MAX,
    });
    const result = await taken.process.result;
    return this.#settlement(taken, result);
  }

  /** Ends one command by its id or its message's, as `platform` calls it too; false when there is none. */
  cancel(id: string, because: string, platform?: string): boolean {
    const found = this.inFlight.find(({ row, message }) => row.id === id || isNamed(message, id, platform));
    if (found !== undefined) this.#end(found, 'cancelled', because, 'term');
    return found !== undefined;
  }

  /** Asks every tree to end, by TERM and after its own grace by KILL, and runs none of those that wait. */
  interruptAll(because: string): void {
    for (const command of this.inFlight) this.#end(command, 'interrupted', because, 'term');
  }

  /** Ends every tree now, and runs none of those that wait. */
  killAll(because: string): void {
    for (const command of this.inFlight) this.#end(command, 'abandoned', because, 'kill');
  }

  #end(taken: Command, reason: EndReason | 'waited', because: string, how: 'term' | 'kill'): void {
    // As with the process, the first reason counts.
    if (taken.endedBecause === '') taken.endedBecause = because;
    if (taken.process !== undefined && reason !== 'waited') {
      taken.process.end(reason, how);
      return;
    }
    taken.endedEarly ??= reason;
    if (this.#leaveQueue(taken)) this.#options.start(taken);
  }

  /** False when it does not wait. */
  #leaveQueue(command: Command): boolean {
    command.waiting?.[Symbol.dispose]();
    command.waiting = undefined;
    const index = this.#waiting.indexOf(command);
    if (index >= 0) this.#waiting.splice(index, 1);
    return index >= 0;
  }

  #startWaiting(): void {
    for (const next of [...this.#waiting]) {
      if (!next.written || !this.#hasSlot(next.command)) continue;
      this.#leaveQueue(next);
      next.startedAt = this.#options.clock.wallMs();
      this.#running.add(next);
      this.#options.start(next);
    }
  }

  #hasSlot(command: ExecCommand): boolean {
    if (this.#running.size >= COMMANDS_RUNNING_MAX) return false;
    let ofName = 0;
    for (const running of this.#running) if (running.command.name === command.name) ofName += 1;
    return ofName < this.#options.concurrency(command);
  }

  #settlement(taken: Command, result: ProcessResult): Settlement {
    const { name, timeoutMs } = taken.command;
    const because = result.ended === 'timeout' ? replies.commandTimeout(timeoutMs) : taken.endedBecause;
    const text = commandReply(name, result, because);
    const well = result.started && result.ended === null && result.exitCode === 0;
    const cutOff = result.ended !== null && result.ended !== 'timeout';
    const outcome = well ? 'ran' : cutOff ? 'interrupted' : 'failed';
    return {
      outcome,
      reason: well ? null : reasonOf(result),
      replies: [text],
      exitCode: result.exitCode,
      writes: [
        {
          op: 'command.end',
          end: {
            id: taken.row.id,
            at: this.#options.clock.wallMs(),
            outcome,
            exitCode: result.exitCode,
            signal: result.signal,
            durationMs: Math.round(result.durationMs),
            output: this.#options.redact(outputOf(result)),
          },
        },
      ],
    };
  }

  #notRun(taken: Command): Settlement {
    const end = { id: taken.row.id, at: this.#options.clock.wallMs(), exitCode: null, signal: null };
    const { name } = taken.command;
    const waited = taken.endedEarly === 'waited';
    const text = waited
      ? replies.commandWaitedInVain(name, COMMAND_WAIT_MS_MAX)
      : replies.commandNotRun(name, taken.endedBecause);
    return {
      outcome: waited ? 'expired' : 'interrupted',
      reason: waited ? 'no-free-place' : 'not-run',
      replies: [text],
      writes: [{ op: 'command.end', end: { ...end, outcome: 'interrupted', durationMs: 0, output: '' } }],
    };
  }
}

function reasonOf(result: ProcessResult): string {
  if (!result.started) return result.startError?.code ?? 'not-started';
  if (result.ended !== null) return result.ended;
  return result.signal === null ? `exit-code-${result.exitCode}` : result.signal;
}
