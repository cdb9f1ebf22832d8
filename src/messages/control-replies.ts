/**
 * What a person is told who asked something of the gateway itself: to leave, to go on, to end work, to show what it has.
 * Pure.
 */
import type { Cause, Intent, SignalCause, Verdict } from '../../machines/events.ts';
import { counted, seconds } from './amounts.ts';
import { echoed } from './echoed.ts';
import { GOING } from './replies.ts';

/** What a person who asked for a stop, a restart, a drain or its end is told. */
export function verdict(
  of: Verdict,
  asked: Intent | 'cancel',
  now: {
    intent: Intent | null;
    cause: Cause | null;
    /** The signal that asks for it, alone or as well. */
    signal: SignalCause | null;
    /** It leaves because it failed, whatever was asked before or since. */
    failed: boolean;
    /** Turns that have begun. */
    turns: number;
    commands: number;
    /** Messages whose turn had not begun when this was asked, and that are held because of it. */
    kept: number;
    leftMs: number | null;
  },
): string {
  const holding = holders(now.turns, now.commands);
  const kept = keptFor(now.kept, asked);
  const limit = now.leftMs === null ? '' : `, in ${seconds(now.leftMs)} at most`;
  const doing = now.failed
    ? `${GOING.stop} after a fault`
    : now.intent === null
      ? 'running'
      : GOING[now.intent];
  switch (of) {
    case 'taken':
    case 'raised':
      if (asked === 'drain') {
        return `Draining: no new turns${holding === null ? '' : `, ${holding} to finish`}.${kept} Commands still run; /drain cancel takes turns again.`;
      }
      return holding === null
        ? `${asked === 'restart' ? 'Restarting' : 'Stopping'} now.${kept}`
        : `${asked === 'restart' ? 'Restarting' : 'Stopping'} when ${holding} ${now.turns + now.commands === 1 ? 'is' : 'are'} done${limit}.${kept} Commands still run.`;
    case 'hurried':
      return `${asked === 'restart' ? 'Restarting' : 'Stopping'} now${holding === null ? '' : `: ${holding} interrupted`}.${kept}`;
    case 'joined':
      return `Already ${doing}${holding === null ? '' : `: ${holding} to finish${limit}`}.`;
    case 'cancelled':
      return 'Cancelled: the gateway takes turns again.';
    case 'nothing-to-cancel':
      return 'Nothing to cancel: the gateway is not draining.';
    case 'too-late':
      return `Too late to cancel: the gateway is ${doing}${now.failed ? '' : why(now)}.`;
    case 'still-starting':
      return 'The gateway is still starting. Try again in a moment.';
  }
}

/** Why it leaves, behind what it does: the cause, and a signal beside it. */
function why({ cause, signal }: { cause: Cause | null; signal: SignalCause | null }): string {
  if (cause === null) return '';
  if (signal === null || signal === cause) return ` (${nameOf(cause)})`;
  return ` (${nameOf(cause)}), and ${nameOf(signal)} asked it to leave as well, which nobody can take back`;
}

/** As a person knows it: the signals by their names. */
const nameOf = (cause: Cause): string => (cause === 'hangup' ? 'SIGHUP' : cause);

function holders(turns: number, commands: number): string | null {
  const parts = [
    ...(turns > 0 ? [counted(turns, 'turn')] : []),
    ...(commands > 0 ? [counted(commands, 'command')] : []),
  ];
  return parts.length === 0 ? null : parts.join(' and ');
}

/** A sentence of its own, with the space before it; empty where nothing is kept. */
function keptFor(count: number, asked: Intent | 'cancel'): string {
  if (count === 0) return '';
  const when = asked === 'stop' ? 'the next start' : 'afterwards';
  return ` ${counted(count, 'message')} ${count === 1 ? 'is' : 'are'} kept for ${when}.`;
}

/** A drain with a time, while one is under way. */
export const drainTimeNotTaken = (): string =>
  'The time given was not taken: what is under way keeps its own end.';

/** A request from inside a command or a turn. */
export const deferred = (): string => 'Asked; it happens when this work has settled.';

/** `problem` says what is wrong with the configuration, and where. */
export const restartRefusal = (problem: string): string =>
  `Not restarted: the configuration is invalid.\n${problem}`;

export const restartImpossible = (problem: string): string =>
  `Not restarted: the gateway could not be started again in place, because ${problem}.\nInstall it again where it was, or stop it and start it from where it is now.`;

export const nothingToInterrupt = (): string =>
  'Nothing to interrupt: no turn of this conversation is running.';

export const interrupting = (): string => 'Interrupting.';

export const ending = (id: string): string => `Ending ${id}.`;

export const notInFlight = (id: string): string =>
  `Nothing in flight is called ${echoed(id)}. /ps lists what is.`;

export const nothingInFlight = (): string => 'Nothing in flight. A restart now would be instant.';

/** Of `/commands`. */
export const noQuickCommands = (role: 'owner' | 'user'): string =>
  role === 'owner'
    ? 'There are no quick commands. They are written under quick_commands in the configuration.'
    : 'There are no quick commands for you here.';

/** Whom a conversation talks to and why, and whom it could talk to: each with what is wrong with it, if anything is. */
export function agentShown(
  agent: string,
  by: 'choice' | 'configuration' | 'default',
  agents: readonly { readonly name: string; readonly outage?: string | undefined }[],
): string {
  const why = {
    choice: 'chosen here',
    configuration: 'by the configuration',
    default: 'nothing else is chosen',
  };
  const lines = agents.map(({ name, outage }) => `${name}${outage === undefined ? '' : `: down, ${outage}`}`);
  return [
    `This conversation talks to the agent ${agent} (${why[by]}). /agent NAME chooses another one:`,
    ...lines,
  ].join('\n');
}

export const agentChosen = (name: string, outage: string | undefined): string =>
  `From the next message on this conversation talks to the agent ${name}.${outage === undefined ? '' : ` It is down at present: ${outage}.`}`;
