/**
 * Runs exec quick commands, in every state of the gateway. A command takes its place when it is admitted; one
 * that has to wait for a free slot runs as soon as there is one, also while the gateway leaves.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Clock } from '../clock.ts';
import type { ExecCommand } from '../config/schema.ts';
import type { Arguments } from '../messages/arguments.ts';
import { COMMAND_OUTPUT_BYTES_MAX } from '../messages/command-reply.ts';
import type { EndReason, Processes } from '../process/exec.ts';
import { type InHand, isNamed, type Settlement } from './in-hand.ts';
import { COMMAND_WAIT_MS_MAX, type Command, notRun, settlementOf } from './quick-command.ts';

/** Commands that run at the same time, all names together. */
export const COMMANDS_RUNNING_MAX = 4 * availableParallelism();

/** Commands that may wait for a free slot. */
export const COMMANDS_WAITING_MAX = 1000;

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
    configured: ExecCommand,
    { command: line, values }: Arguments,
  ): Command | undefined {
    const { clock, life } = this.#options;
    const command = { ...configured, command: line };
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

  /** The row of a waiting command is on disk, or it runs without one: it starts as soon as there is a slot, if not to its end. */
  written(command: Command): void {
    command.written = true;
    if (command.endedEarly === null) this.#startWaiting();
    else if (this.#leaveQueue(command)) this.#options.start(command);
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
    if (taken.endedEarly !== null) return notRun(taken, this.#options.clock.wallMs());
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
    return settlementOf(taken, result, { at: this.#options.clock.wallMs(), redact: this.#options.redact });
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
    // One whose row is still on its way is brought to its end once that has come out.
    if (taken.written && this.#leaveQueue(taken)) this.#options.start(taken);
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
}
