/**
 * What a person is told who asked something of the gateway itself: to leave, to go on, to end work, to show what it has.
 * Pure.
 */
import type { Intent, Verdict } from '../../machines/events.ts';
import { counted, seconds } from './amounts.ts';
import { echoed } from './echoed.ts';
import { GOING } from './replies.ts';

/** What a person who asked for a stop, a restart, a drain or its end is told. */
export function verdict(
  of: Verdict,
  asked: Intent | 'cancel',
  now: {
    intent: Intent | null;
    cause: string | null;
    /** It leaves because it failed, whatever was asked before or since. */
    failed: boolean;
    turns: number;
    commands: number;
    leftMs: number | null;
  },
): string {
  const holding = holders(now.turns, now.commands);
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
        return `Draining: no new turns${holding === null ? '' : `, ${holding} to finish`}. Commands still run; /drain cancel takes turns again.`;
      }
      return holding === null
        ? `${asked === 'restart' ? 'Restarting' : 'Stopping'} now.`
        : `${asked === 'restart' ? 'Restarting' : 'Stopping'} when ${holding} ${now.turns + now.commands === 1 ? 'is' : 'are'} done${limit}. Commands still run.`;
    case 'hurried':
      return `${asked === 'restart' ? 'Restarting' : 'Stopping'} now${holding === null ? '' : `: ${holding} interrupted`}.`;
    case 'joined':
      return `Already ${doing}${holding === null ? '' : `: ${holding} to finish${limit}`}.`;
    case 'cancelled':
      return 'Cancelled: the gateway takes turns again.';
    case 'nothing-to-cancel':
      return 'Nothing to cancel: the gateway is not draining.';
    case 'too-late':
      return `Too late to cancel: the gateway is ${doing}${now.cause === null || now.failed ? '' : ` (${now.cause})`}.`;
    case 'still-starting':
      return 'The gateway is still starting. Try again in a moment.';
  }
}

function holders(turns: number, commands: number): string | null {
  const parts = [
    ...(turns > 0 ? [counted(turns, 'turn')] : []),
    ...(commands > 0 ? [counted(commands, 'command')] : []),
  ];
  return parts.length === 0 ? null : parts.join(' and ');
}

/** A drain with a time, while one is under way. */
export const drainTimeNotTaken = (): string =>
  'The time given was not taken: what is under way keeps its own end.';

/** A request from inside a command or a turn. */
export const deferred = (): string => 'Asked; it happens when this work has settled.';

/** `problem` says what is wrong with the configuration, and where. */
export const restartRefusal = (problem: string): string =>
  `Not restarted: the configuration is invalid.\n${problem}`;

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
