/** What a quick command's end looks like in a chat. Pure. */

import { printedText } from '../telemetry/terminal-text.ts';
import { counted } from './amounts.ts';

/** Output in a reply and in its row, in bytes of both streams together: head and tail of each are kept. */
export const COMMAND_OUTPUT_BYTES_MAX = 64 * 1024;

/** How a command ended, as the process layer reports it. */
export interface CommandResult {
  readonly started: boolean;
  readonly startError?: { readonly code: string; readonly message: string } | undefined;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly ended: 'timeout' | 'cancelled' | 'interrupted' | 'abandoned' | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly cutBytes: number;
  readonly durationMs: number;
  /** Processes that had to be ended after it, or with it. */
  readonly leftovers: number;
}

/**
 * The reply: what it printed, then, unless it ended well, how it ended. Never empty. `endedBecause` completes
 * "was ended after N s: …" when the gateway ended it.
 */
export function commandReply(name: string, result: CommandResult, endedBecause: string): string {
  if (!result.started) {
    const why = (result.startError?.message ?? 'the program could not be started').replace(/\.$/, '');
    const less = result.startError?.code === 'E2BIG' ? 'Send it less, or check' : 'Check';
    return `/${name} could not be started: ${why}. ${less} quick_commands.${name}.`;
  }
  const output = outputOf(result);
  const how = howItEnded(name, result, endedBecause);
  const left = whatWasLeft(name, result);
  if (output === '' && how === null && left === null) return `/${name}: done, no output.`;
  return [output, how, left].filter((part) => part !== '' && part !== null).join('\n');
}

/** Everything it printed: stdout, then stderr, as plain text. */
export function outputOf({ stdout, stderr, cutBytes }: CommandResult): string {
  const parts = [stdout, stderr].map((part) => printedText(part).trimEnd());
  const cut = cutBytes > 0 ? `[${counted(cutBytes, 'byte')} cut from the middle]` : '';
  return [...parts, cut].filter((part) => part !== '').join('\n');
}

/** That something was ended although the command had ended well: whoever starts a service would look for it. */
function whatWasLeft(name: string, { ended, leftovers }: CommandResult): string | null {
  if (ended !== null || leftovers === 0) return null;
  const what = leftovers === 1 ? 'a process that' : `${leftovers} processes that`;
  return `/${name} left ${what} held its output: ended. To keep it, send its output elsewhere (>/dev/null 2>&1).`;
}

function howItEnded(name: string, result: CommandResult, endedBecause: string): string | null {
  const took = duration(result.durationMs);
  if (result.ended !== null) return `/${name} was ended after ${took}: ${endedBecause}.`;
  if (result.signal !== null) return `/${name} ended by ${result.signal} after ${took}.`;
  if (result.exitCode !== 0) return `/${name} failed: exit code ${result.exitCode} after ${took}.`;
  return null;
}

/** `1.2 s`, `75 s`: as people are told how long a command ran. */
export const duration = (ms: number): string =>
  ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
