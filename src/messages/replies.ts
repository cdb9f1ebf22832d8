/**
 * What the sender of a message is told besides its answer: that it is not taken, and why; that it is kept, or waits; that
 * it is not recorded. Every sentence the gateway itself says in a chat is short and calm, with no stack and no secret in it,
 * and names the next step. Pure: values in, text out.
 *
 * How work ended is said in `ending-replies.ts`, what an asked gateway answers in `control-replies.ts`.
 */

import type { Intent, Refusal } from '../../machines/events.ts';
import type { ExecCommand } from '../config/schema.ts';
import { seconds } from './amounts.ts';
import { echoed } from './echoed.ts';
import { usageOf } from './words.ts';

/** What a gateway is doing that was asked to. */
export const GOING: Readonly<Record<Intent, string>> = {
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

/** What the message stands for that a refused alias is, by its `alias` name. */
export type AliasEnd =
  | { readonly alias: string; readonly is: 'turn' }
  /** A command that is admitted now, or one that nobody knows: `text` as it would be sent itself. */
  | { readonly alias: string; readonly is: 'command' | 'unknown'; readonly text: string };

/** Characters of an alias' command that a reply repeats: one is to be sent as it is said. */
const NAMED_CHARS_MAX = 1000;

/** Why a message was not taken, and what to do instead. `end`: of an alias, what it stands for. */
export function refusal(
  refused: Refusal,
  { leftMs, canQueue, storeObstacle, outage }: Circumstances,
  end?: AliasEnd,
): string {
  if (refused.because === 'degraded') {
    return refused.degraded.includes('store')
      ? storeRefusal(storeObstacle)
      : degradedRefusal(refused.degraded, outage);
  }
  const intent = refused.request?.intent ?? 'stop';
  if (end?.is === 'command') {
    const doing = intent === 'drain' ? 'draining' : GOING[intent];
    return `Not taken: aliases wait while the gateway is ${doing}. Send ${echoed(end.text, NAMED_CHARS_MAX)} itself, it runs while draining.`;
  }
  if (end?.is === 'unknown') {
    return `Not taken: /${end.alias} stands for ${echoed(end.text, NAMED_CHARS_MAX)}, and there is no such command. Correct quick_commands.${end.alias}.`;
  }
  const turn = end === undefined ? '' : `, and /${end.alias} stands for a turn`;
  const kept = canQueue ? ', or have it kept: `sluice send --queue`, over HTTP `whenBusy: queue`' : '';
  const next = {
    restart: `Send it again in about ${seconds(Math.max(leftMs ?? 0, 5000))}${kept}.`,
    stop: 'Send it again when the gateway is back.',
    drain: 'Send it again when the drain is over; commands still run.',
  }[intent];
  return `Not taken: the gateway is ${GOING[intent]}${turn}. ${next}`;
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

/** Told at once to whoever waits at the command line or over HTTP. */
export const commandWaits = (name: string, waitMsMax: number): string =>
  `/${name} waits for a free place, ${seconds(waitMsMax)} at most. /ps lists what runs.`;

/** That `sluice exec` was given an id that is another command's: `text` as that one was sent. */
export const idOfAnother = (id: string, text: string): string =>
  `${echoed(id)} is the id of another command, which came before: ${echoed(text)}`;

/** The chart has ended: nobody decides any more. */
export const left = (): string => 'The gateway has left. Ask again when it is back.';

/** A held message whose sender lost the access that it had. */
export const senderUnknown = (): string => 'Not run: its sender is not known any more.';

export const restartedAgo = (agoMs: number): string =>
  `Restarted ${seconds(agoMs)} ago, because of this very message.`;

/** The life that was asked for a restart came to another end, and its message comes again. */
export const wentDownSince = (upMs: number): string =>
  `The gateway has gone down since this message came first, and has been up again for ${seconds(upMs)}. It restarts nothing a second time: send /restart anew if it is still wanted.`;
