/**
 * One started process from its start to its result: collects its output, holds its deadline, and ends its tree
 * when that is asked for, when the deadline passes, or when descendants hold its pipes after its exit.
 *
 * Whatever happens, `result` settles once, and nothing of the process is looked at or signalled afterwards.
 */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../clock.ts';
import { BoundedOutput } from './bounded-output.ts';
import type { ProcessTable } from './process-table.ts';
import { ProcessTree } from './process-tree.ts';
import type { StartFailure } from './start-failure.ts';
import { endTree, settlesWithin } from './tree-end.ts';

export interface ProcessSpec {
  /** A string goes to `/bin/sh -c`; a list is program and arguments without a shell, `node` being this Node. */
  readonly command: string | readonly string[];
  readonly cwd: string;
  /** The complete environment; only the marker is added. */
  readonly env: Readonly<Record<string, string>>;
  /** The value of the marker `SLUICE_WORK_ID`. */
  readonly workId: string;
  /** Standard input; absent: `/dev/null`. A program need not read it. */
  readonly input?: string | undefined;
  /** From the start until the tree is ended; absent: no limit. */
  readonly timeoutMs?: number | undefined;
  /** From TERM to KILL, and from an exit to the end of descendants that still hold a pipe. */
  readonly graceMs: number;
  /** How much of both outputs together is kept: of each its beginning and its end. */
  readonly outputBytesMax: number;
  /** Gets standard output as it comes, decoded. Must not throw. */
  readonly onStdout?: ((text: string) => void) | undefined;
}

/** Why the gateway ended a process. */
export type EndReason = 'timeout' | 'cancelled' | 'interrupted' | 'abandoned';

export interface ProcessResult {
  readonly started: boolean;
  /** Why it could not be started. */
  readonly startError?: StartFailure;
  /** Null when a signal ended it, or when it was not started. */
  readonly exitCode: number | null;
  /** Name of the signal that ended it. */
  readonly signal: string | null;
  /** Null when it ended by itself. */
  readonly ended: EndReason | null;
  /** What was kept, with a line in place of what was cut. */
  readonly stdout: string;
  readonly stderr: string;
  /** How many bytes of both streams together were not kept. */
  readonly cutBytes: number;
  /** From the start to this result. */
  readonly durationMs: number;
  /** Descendants that needed KILL, or that outlived a process which had exited by itself and were ended. */
  readonly leftovers: number;
}

export interface RunningProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Never rejects. */
  readonly result: Promise<ProcessResult>;
  /** Ends the tree: by TERM, the grace and KILL, or by KILL at once. The first reason counts; KILL outranks TERM. */
  end(reason: EndReason, how?: 'term' | 'kill'): void;
}

/** A process that was started, and what the supervision of it needs. */
export interface Child {
  readonly pid: number;
  /** Node's own handle: the one place where exit code and signal stand as soon as the process is reaped. */
  readonly handle: ChildProcess;
  /** Settles when the process has exited and both pipes are at their end. Never rejects. */
  readonly closed: Promise<unknown>;
}

/** How long to read on when a tree has gone: what it wrote last may still be in the pipes. */
const DRAIN_MS = 50;

export class Run implements RunningProcess {
  readonly pid: number;
  readonly tree: ProcessTree;
  readonly result: Promise<ProcessResult>;
  readonly #spec: ProcessSpec;
  readonly #child: Child;
  readonly #clock: Clock;
  #ended: EndReason | null = null;
  /** Resolved when the tree is to be ended, for a reason or because it holds a pipe after the exit. */
  readonly #cut = Promise.withResolvers<false>();
  readonly #hurry = new AbortController();

  constructor(spec: ProcessSpec, child: Child, clock: Clock, table: ProcessTable) {
    this.#spec = spec;
    this.#child = child;
    this.#clock = clock;
    this.pid = child.pid;
    this.tree = new ProcessTree(child.pid, spec.workId, table);
    this.result = this.#supervise();
  }

  end(reason: EndReason, how: 'term' | 'kill' = 'term'): void {
    this.#ended ??= reason;
    this.#cut.resolve(false);
    if (how === 'kill') this.#hurry.abort();
  }

  async #supervise(): Promise<ProcessResult> {
    const { handle } = this.#child;
    const startedMs = this.#clock.monotonicMs();
    const stdout = new BoundedOutput(this.#spec.outputBytesMax, this.#spec.onStdout);
    const stderr = new BoundedOutput(this.#spec.outputBytesMax);
    handle.stdout?.on('data', (chunk) => stdout.push(chunk));
    handle.stderr?.on('data', (chunk) => stderr.push(chunk));
    handle.stdin?.end(this.#spec.input);

    const wentByItself = await this.#goesByItself();
    const leftovers = wentByItself ? 0 : await this.#endTree();
    const [out, err] = finishBoth(stdout, stderr, this.#spec.outputBytesMax);
    return {
      started: true,
      exitCode: handle.exitCode,
      signal: handle.signalCode,
      ended: wentByItself ? null : this.#ended,
      stdout: out.text,
      stderr: err.text,
      cutBytes: out.cutBytes + err.cutBytes,
      durationMs: this.#clock.monotonicMs() - startedMs,
      leftovers,
    };
  }

  /** True when it exited and its pipes came to their end, false when its tree is to be ended. */
  async #goesByItself(): Promise<boolean> {
    const { handle, closed } = this.#child;
    const { timeoutMs, graceMs } = this.#spec;
    using timers = new DisposableStack();
    const cut = () => this.#cut.resolve(false);
    if (timeoutMs !== undefined) {
      // Past its exit it is no longer late itself: what is cut short then is the wait for its descendants.
      const onTimeout = () => (this.#hasExited() ? cut() : this.end('timeout'));
      timers.use(this.#clock.timer(timeoutMs, onTimeout));
    }
    handle.once('exit', () => {
      this.tree.leaderReaped();
      if (!timers.disposed) timers.use(this.#clock.timer(graceMs, cut));
    });
    return await Promise.race([closed.then(() => true), this.#cut.promise]);
  }

  /** Resolves to the number of leftovers when the tree has gone and the pipes are closed, by us if need be. */
  async #endTree(): Promise<number> {
    const { handle, closed } = this.#child;
    const ended = await endTree(this.tree, {
      clock: this.#clock,
      graceMs: this.#spec.graceMs,
      gone: closed,
      hurry: this.#hurry.signal,
      count: this.#hasExited() ? 'all' : 'killed',
    });
    if (!(await settlesWithin(DRAIN_MS, closed, this.#clock))) {
      for (const stream of handle.stdio) stream?.destroy();
    }
    return ended.has(this.pid) ? ended.size - 1 : ended.size;
  }

  #hasExited(): boolean {
    const { exitCode, signalCode } = this.#child.handle;
    return exitCode !== null || signalCode !== null;
  }
}

/** Neither output crowds out the other: each has half of the room, and what the other does not need. */
function finishBoth(stdout: BoundedOutput, stderr: BoundedOutput, bytesMax: number) {
  const half = Math.ceil(bytesMax / 2);
  const roomBeside = (other: BoundedOutput) => bytesMax - Math.min(other.keptBytes, half);
  return [stdout.finish(roomBeside(stderr)), stderr.finish(roomBeside(stdout))] as const;
}
