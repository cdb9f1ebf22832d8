/**
 * Every sentence the gateway itself says in a chat: short, calm, no stack, no secret, always the next step.
 * Pure: values in, text out.
 */

import type { Intent, Refusal, Verdict } from '../../machines/events.ts';
import type { ExecCommand } from '../config/schema.ts';
import { echoed } from './echoed.ts';
import { usageOf } from './words.ts';

export const seconds = (ms: number): string => {
  const whole = Math.max(0, Math.round(ms / 1000));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.round(whole / 60)} min`;
  return `${Math.round(whole / 3600)} h`;
};

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const GOING: Readonly<Record<Intent, string>> = {
  stop: 'stopping',
  restart: 'restarting',
  drain: 'draining: it takes no new turns',
};

/** What a refusal can say besides its rule. */
export interface Circumstances {
  /** Milliseconds that are left before the drain ends its waiting; null where nothing limits it. */
  readonly leftMs: number | null;
  /** Its sender can ask for it to be kept, at the command line or over HTTP. */
  readonly canQueue: boolean;
  /** Why the store cannot be written, where that is the rule. */
  readonly storeObstacle: StoreObstacle;
  /** Why the agent that the message is for is down, and what can be done. */
  readonly outage?: { readonly cause: string; readonly next: string } | undefined;
}

/** Why a message was not taken, and what to do instead. `alias` names the exec command an alias points at. */
export function refusal(
  refused: Refusal,
  { leftMs, canQueue, storeObstacle, outage }: Circumstances,
  aliasOfExec?: string,
): string {
  if (aliasOfExec !== undefined) {
    return `Not taken: aliases wait while the gateway is leaving. Send /${aliasOfExec} itself, it runs while draining.`;
  }
  if (refused.because === 'degraded') {
    return refused.degraded.includes('store')
      ? storeRefusal(storeObstacle)
      : degradedRefusal(refused.degraded, outage);
  }
  const intent = refused.request?.intent ?? 'stop';
  const kept = canQueue ? ', or have it kept: `sluice send --queue`, over HTTP `whenBusy: queue`' : '';
  const next = {
    restart: `Send it again in about ${seconds(Math.max(leftMs ?? 0, 5000))}${kept}.`,
    stop: 'Send it again when the gateway is back.',
    drain: 'Send it again when the drain is over; commands still run.',
  }[intent];
  return `Not taken: the gateway is ${GOING[intent]}. ${next}`;
}

function degradedRefusal(reasons: readonly string[], outage: Circumstances['outage']): string {
  if (reasons.includes('safe-mode')) {
    return 'Not taken: the gateway is in safe mode after several crashes, and runs commands only. It takes turns again after a quiet while, or when an owner sends /resume-turns.';
  }
  if (outage !== undefined) {
    return `Not taken: ${outage.cause}. ${outage.next} The gateway looks by itself whether the agent is back; commands still run.`;
  }
  const agents = reasons.filter((r) => r.startsWith('agent:')).map((r) => r.slice('agent:'.length));
  return `Not taken: the agent ${agents.join(', ')} does not answer at present. Commands still run; send it again later, or see /status.`;
}

/** What keeps the store from being written: another program's lock, or a disk that is full or fails. */
export type StoreObstacle = 'lock' | 'disk';

/** The store could not take the message: it is not kept. */
export const storeRefusal = (obstacle: StoreObstacle): string =>
  obstacle === 'lock'
    ? "Not taken: another program has the gateway's store locked, so it could not keep this. Commands still run; close that program, then send it again."
    : 'Not taken: the gateway cannot write to its disk at present, so it could not keep this. Commands still run; free some space, then send it again.';

/** For whoever looks at a gateway that cannot write its store. */
export const storeLocked = (): string =>
  'another program has the store locked: close it; the gateway tries again every second';

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

/** What a gateway on its way out goes to. */
export type Going = 'stopping' | 'restarting';

/** A message is kept; null while the gateway is not leaving. */
export const held = (going: Going | null): string => {
  if (going === 'stopping')
    return 'Kept for the next start: the gateway is stopping. It is answered when it is back.';
  return going === 'restarting'
    ? 'Kept: the gateway is restarting. It is answered as soon as it is back.'
    : 'Kept: it is answered as soon as the gateway takes turns again.';
};

export const elsewhere = (): string =>
  'Another process of this home has it in hand and has not ended yet. Send it again under the same id to hear how it ended.';

export const heldLimit = (limit: number, what: 'conversation' | 'gateway'): string =>
  what === 'conversation'
    ? `Not kept: ${limit} messages of this conversation wait already. Send it again when they are answered.`
    : `Not kept: ${limit} messages wait already. Send it again later.`;

export const waitingLimit = (limit: number): string =>
  `Not taken: ${limit} turns wait for a free place already. Send it again in a while.`;

export const commandLimit = (limit: number): string =>
  `Not run: ${limit} commands wait for a free place already. Send it again in a moment, or see /ps.`;

export const tooLong = (bytesMax: number): string =>
  `Not taken: a message may be ${Math.round(bytesMax / 1024)} KB long at most. Send a shorter one.`;

export const empty = (): string =>
  'There is nothing in that message. Write something, or /help for the commands.';

export const tooLateToRun = (): string =>
  'Not run: its sender stopped waiting before it could start. Send it again.';

export const stranger = (): string => 'This gateway answers to people it knows. Ask its owner to add you.';

export const roleRefusal = (name: string): string => `/${name} is for the owner of this gateway.`;

export const unknownAgent = (name: string, near: readonly string[]): string =>
  `There is no agent named ${echoed(name)}.${near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : ''} /agent lists them.`;

export const agentBack = (name: string): string =>
  `The agent ${name} is back. Send again what was not taken.`;

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

export const unknownCommand = (word: string, near: readonly string[]): string =>
  near.length > 0
    ? `There is no command /${word}. Did you mean ${near.map((name) => `/${name}`).join(' or ')}? To send it as text, write //${word}.`
    : `There is no command /${echoed(word)}. /help lists them. To send it as text, write //${echoed(word)}.`;

/** Of a command line that runs exec commands alone: a name that stands for something else. */
export const notAnExec = (name: string): string =>
  `/${echoed(name)} is no exec command, and nothing else is run here. To send it as a message: sluice send "/${echoed(name)}"`;

/** The same, of a name that nobody knows. */
export const noSuchExec = (name: string, near: readonly string[]): string =>
  near.length > 0
    ? `There is no exec command "${echoed(name)}". Did you mean ${near.join(' or ')}?`
    : `There is no exec command "${echoed(name)}". Usage: sluice exec NAME [ARG…]; without a NAME they are listed.`;

export const usage = (command: ExecCommand, problem: string): string =>
  `Not run: ${problem}. Usage: ${usageOf(command.name, command.args)}`;

export const surplusWords = (name: string, usageText: string): string =>
  `Not done: /${name} takes ${usageText === '' ? 'nothing after it' : usageText}.`;

export const aliasTooDeep = (depthMax: number): string =>
  `Not run: that alias leads through more than ${depthMax} others. Correct quick_commands.`;

/** Added to a message that is sent again although nobody knows whether it arrived. */
export const possiblyTwice = (): string => '(possibly sent twice: nobody saw whether it had arrived)';

/** Added to the reply of what ran while the store could not be written. */
export const notRecorded = (obstacle: StoreObstacle): string =>
  obstacle === 'lock'
    ? '(not recorded: another program had the store locked)'
    : '(not recorded: the gateway could not write to its disk)';

export const interruptedTurn = (why: string): string =>
  `Interrupted: ${why}. Send it again if it is still wanted.`;

/** Completes "Interrupted: …" for a turn, and "was ended after N s: …" for a command, that is not waited for any longer. */
export const timeIsOver = (going: Going): string => `the gateway is ${going} and its time to wait is over`;

/** The same, where a person did not let it wait. */
export const askedToGoAtOnce = (going: Going): string =>
  `the gateway is ${going}, and was asked to go at once`;

/** The same, and for a command, where the gateway itself has failed. */
export const gatewayFailed = (): string => 'the gateway itself has failed; its log says why';

/** Completes "Interrupted: …" for a turn that a person ended. */
export const askedBy = (actor: string): string => `${actor} asked for it`;

/** Completes "was ended after N s: …" for a command that a person ended. */
export const cancelledBy = (actor: string): string => `${actor} cancelled it`;

/** Completes "was ended after N s: …" for a command that took too long. */
export const commandTimeout = (timeoutMs: number): string =>
  `it took longer than its timeout of ${seconds(timeoutMs)}`;

export const commandNotRun = (name: string, because: string): string => `/${name} was not run: ${because}.`;

/** No slot came free for it in time. */
export const commandWaitedInVain = (name: string, waitedMs: number): string =>
  `/${name} was not run: no place for it came free within ${seconds(waitedMs)}. Send it again; /ps lists what runs.`;

/** Told at once to whoever waits at the command line or over HTTP. */
export const commandWaits = (name: string, waitMsMax: number): string =>
  `/${name} waits for a free place, ${seconds(waitMsMax)} at most. /ps lists what runs.`;

export const nothingToInterrupt = (): string =>
  'Nothing to interrupt: no turn of this conversation is running.';

export const interrupting = (): string => 'Interrupting.';

export const ending = (id: string): string => `Ending ${id}.`;

export const notInFlight = (id: string): string =>
  `Nothing in flight is called ${echoed(id)}. /ps lists what is.`;

/** That `sluice exec` was given an id that is another command's: `text` as that one was sent. */
export const idOfAnother = (id: string, text: string): string =>
  `${echoed(id)} is the id of another command, which came before: ${echoed(text)}`;

export const nothingInFlight = (): string => 'Nothing in flight. A restart now would be instant.';

/** A drain with a time, while one is under way. */
export const drainTimeNotTaken = (): string =>
  'The time given was not taken: what is under way keeps its own end.';

/** Of `/commands`. */
export const noQuickCommands = (role: 'owner' | 'user'): string =>
  role === 'owner'
    ? 'There are no quick commands. They are written under quick_commands in the configuration.'
    : 'There are no quick commands for you here.';

/** A request from inside a command or a turn. */
export const deferred = (): string => 'Asked; it happens when this work has settled.';

/** `problem` says what is wrong with the configuration, and where. */
export const restartRefusal = (problem: string): string =>
  `Not restarted: the configuration is invalid.\n${problem}`;

/** The chart has ended: nobody decides any more. */
export const left = (): string => 'The gateway has left. Ask again when it is back.';

/** A handler failed, which is a defect. */
export const internalFailure = (): string => 'That failed inside the gateway; its log says why.';

/** A held message whose sender lost the access that it had. */
export const senderUnknown = (): string => 'Not run: its sender is not known any more.';

/** How an agent stood when its time was over: it never said a word, it had fallen silent, or it was still answering. */
export type LateAgent = 'silent' | 'stalled' | 'answering';

/** For `failedTurn`: cause and next step of a turn that took too long. `quietMs`: since the agent last said anything. */
export function agentTimeout(name: string, timeoutMs: number, late: LateAgent, quietMs: number) {
  const limit = seconds(timeoutMs);
  const cause = {
    silent: `said nothing within ${limit}`,
    stalled: `took longer than ${limit}, and said nothing in the last ${seconds(quietMs)}`,
    answering: `took longer than ${limit}`,
  }[late];
  const first = late === 'answering' ? 'Ask for less at once' : 'See whether what is behind it is stuck';
  const key = `${name === 'default' ? 'agent' : `agents.${name}`}.turn_timeout`;
  return { cause: `the agent ${name} ${cause}`, next: `${first}, or raise ${key}.` };
}

/** For `failedTurn`: cause and next step of a turn that ended well and said nothing. */
export const agentSilent = () => ({
  cause: 'the agent gave no answer',
  next: 'Send it again, or look at the log.',
});

export const agentDefect = (): string =>
  failedTurn('the agent failed unexpectedly', 'Send it again, or look at the log.');

/** Ends an answer that was longer than it may be. */
export const answerCut = (): string => '\n[cut: the answer was longer]';

export const failedTurn = (cause: string, next: string): string => `No answer: ${cause}. ${next}`;

export const restartedAgo = (agoMs: number): string =>
  `Restarted ${seconds(agoMs)} ago, because of this very message.`;
