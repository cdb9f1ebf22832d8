/** One quick command in hand, and what comes of it once it has ended or is not begun: outcome, reply, the row of its end. */
import type { ExecCommand } from '../config/schema.ts';
import { commandReply, outputOf } from '../messages/command-reply.ts';
import * as endingReplies from '../messages/ending-replies.ts';
import type { EndReason, ProcessResult, RunningProcess } from '../process/exec.ts';
import type { CommandRow } from '../store/records.ts';
import type { InHand, Settlement } from './in-hand.ts';

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

/** `at`: wall milliseconds of its end; `redact` takes known secrets out of what is kept of its output. */
export function settlementOf(
  { row, command, endedBecause }: Command,
  result: ProcessResult,
  { at, redact }: { readonly at: number; readonly redact: (text: string) => string },
): Settlement {
  const { name, timeoutMs } = command;
  const { exitCode, signal, ended } = result;
  const because = ended === 'timeout' ? endingReplies.commandTimeout(timeoutMs) : endedBecause;
  const well = result.started && ended === null && exitCode === 0;
  const cutOff = ended !== null && ended !== 'timeout';
  const outcome = well ? 'ran' : cutOff ? 'interrupted' : 'failed';
  const durationMs = result.started ? Math.round(result.durationMs) : null;
  const output = redact(outputOf(result));
  return {
    outcome,
    reason: well ? null : reasonOf(result),
    replies: [commandReply(name, result, because)],
    exitCode,
    writes: [{ op: 'command.end', end: { id: row.id, at, outcome, exitCode, signal, durationMs, output } }],
  };
}

/** Of one that was ended before its process began. */
export function notRun({ row, command, endedEarly, endedBecause }: Command, at: number): Settlement {
  const end = { id: row.id, at, exitCode: null, signal: null, durationMs: null, output: '' };
  const waited = endedEarly === 'waited';
  const text = waited
    ? endingReplies.commandWaitedInVain(command.name, COMMAND_WAIT_MS_MAX)
    : endingReplies.commandNotRun(command.name, endedBecause);
  return {
    outcome: waited ? 'expired' : 'interrupted',
    reason: waited ? 'no-free-place' : 'not-run',
    replies: [text],
    writes: [{ op: 'command.end', end: { ...end, outcome: 'interrupted' } }],
  };
}

function reasonOf(result: ProcessResult): string {
  if (!result.started) return result.startError?.code ?? 'not-started';
  if (result.ended !== null) return result.ended;
  return result.signal === null ? `exit-code-${result.exitCode}` : result.signal;
}
