/**
 * Decides for each open message of a dead life. Pure but for the ids of what it says.
 *
 * Commands: received and not begun, it runs while it is young; begun, it is interrupted and never repeated. Turns:
 * not begun, the message is held again; begun, the message goes on by itself, waits for a person's word or settles, as
 * the configuration and what is known of the turn say. What a turn had streamed is said to the person, unless the message
 * goes on by itself in a conversation that has heard of the incident: there its answer comes whole.
 */
import { newId } from '../messages/ids.ts';
import * as resumeReplies from '../messages/resume-replies.ts';
import type {
  CommandRow,
  MessageRow,
  OpenOutbound,
  OpenTurn,
  OutboundRow,
  StoredMessage,
  StoredOutbound,
} from '../store/records.ts';
import type { Life, OpenWork } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import { outboundRows } from './outbound-rows.ts';
import { Incident, type IncidentOptions, withStreamed } from './recovery-incident.ts';
import { isOld, type ResumeRules, type Resumption, resumptionOf } from './resume-policy.ts';

/** An exec command that was received and not started runs at the next start if it is younger than this. */
export const COMMAND_AGE_MS_MAX = 60_000;

/** A message that waits for a person's word longer than this settles as expired at the next start. */
export const AWAITING_AGE_MS_MAX = 7 * 24 * 3_600_000;

export interface PlanOptions extends IncidentOptions {
  readonly life: Life;
  readonly resume: ResumeRules;
  /** Lives that ended in the middle of what they worked on; the others whose rows are open have left in order. */
  readonly cutOffLives: ReadonlySet<number>;
  /** Of these those that were command lines, which ran a command themselves. */
  readonly deadClis: ReadonlySet<number>;
  /** The longest text of one message of a platform; undefined: any. */
  readonly textCharsMax: (platform: string) => number | undefined;
}

export interface Plan {
  readonly writes: Write[];
  readonly held: MessageRow[];
  readonly awaiting: MessageRow[];
  readonly commands: MessageRow[];
  readonly outbound: (StoredOutbound | OutboundRow)[];
  /** All that was open, by its ids, in order of arrival. */
  readonly arrived: readonly string[];
  /** Turns and commands that were cut off. */
  interrupted: number;
}

export function planOf(open: OpenWork, options: PlanOptions): Plan {
  return new Planner(open, options).plan();
}

class Planner {
  readonly #open: OpenWork;
  readonly #options: PlanOptions;
  readonly #turnOf: ReadonlyMap<string, OpenTurn>;
  readonly #commandOf: ReadonlyMap<string, OpenWork['commands'][number]>;
  /** Held messages that go on with a turn that was cut off; they come first. */
  readonly #resumed: MessageRow[] = [];
  readonly #incident: Incident;
  /** Conversations that have what there is to tell of their turns. */
  readonly #told = new Set<string>();
  readonly #plan: Plan;

  constructor(open: OpenWork, options: PlanOptions) {
    this.#open = open;
    this.#plan = {
      ...{ writes: [], held: [], awaiting: [], commands: [], outbound: [], interrupted: 0 },
      arrived: open.messages.map(({ id }) => id),
    };
    this.#options = options;
    this.#incident = new Incident(options);
    this.#turnOf = new Map(open.turns.flatMap((turn) => turn.messageIds.map((id) => [id, turn] as const)));
    this.#commandOf = new Map(open.commands.map((command) => [command.messageId, command]));
  }

  plan(): Plan {
    const plan = this.#plan;
    for (const row of this.#open.outbound) this.#outbound(row);
    plan.writes.push(...this.#incident.count(this.#open.turns));
    for (const turn of this.#open.turns) plan.writes.push(this.#turnEnd(turn));
    for (const message of this.#open.messages) this.#message(message);
    plan.held.unshift(...this.#resumed);
    return plan;
  }

  /** What was being sent may have arrived. */
  #outbound({ claimedAt, ...row }: OpenOutbound): void {
    const { writes, outbound } = this.#plan;
    const { now } = this.#options;
    if (row.state !== 'sending') {
      outbound.push({ ...row, nextAt: waitUntil(row.nextAt, claimedAt, now) });
      return;
    }
    const error = 'the gateway went down while it was being sent';
    writes.push({ op: 'outbound.end', id: row.id, at: now, state: 'unknown', error });
    outbound.push({ ...row, state: 'unknown', error });
  }

  #message(message: StoredMessage): void {
    const turn = this.#cutTurnOf(message);
    const command = this.#commandOf.get(message.id);
    if (command !== undefined) this.#command(message, command);
    else if (turn !== undefined) this.#interrupted(message, turn);
    else if (message.phase === 'awaiting-resume') this.#awaited(message);
    else if (message.phase === 'held' || message.phase === 'waiting') this.#holdAgain(message);
    else this.#builtin(message);
  }

  #command(message: StoredMessage, command: CommandRow & { readonly startedAt: number | null }): void {
    const { now } = this.#options;
    if (command.startedAt === null && message.phase !== 'started') {
      const isYoung = !isOld(message.receivedAt, COMMAND_AGE_MS_MAX, now);
      if (isYoung) this.#plan.commands.push(rowOf(message));
      else {
        this.#plan.writes.push(commandEnd(command.id, 'expired', now));
        this.#settle(message, 'expired', resumeReplies.expiredCommand(command.name));
      }
      return;
    }
    this.#plan.interrupted += 1;
    this.#plan.writes.push(commandEnd(command.id, 'interrupted', now));
    this.#settle(message, 'interrupted', this.#commandCutOff(command));
  }

  /** A life that left in order has let its commands end: this one has, and how could not be written. */
  #commandCutOff({ name, life }: CommandRow): string {
    const { cutOffLives, deadClis } = this.#options;
    if (deadClis.has(life)) return resumeReplies.cutOffWithItsCli(name);
    return cutOffLives.has(life) ? resumeReplies.interruptedAtBoot(name) : resumeReplies.endUnrecorded(name);
  }

  #interrupted(message: StoredMessage, turn: OpenTurn): void {
    const goesOn = this.#resumptionOf(message, turn);
    this.#plan.interrupted += 1;
    if (goesOn === 'end') {
      const text = resumeReplies.cutOff('end', this.#incident.rests(message.conversation));
      this.#settle(message, 'interrupted', withStreamed(turn.streamed, text));
      return;
    }
    const phase = goesOn === 'ask' ? 'awaiting-resume' : 'held';
    this.#adopt(message, phase);
    const row = { ...rowOf(message), phase, reason: 'resume' } as const;
    if (goesOn === 'ask') this.#plan.awaiting.push(row);
    else this.#resumed.push(row);
    this.#tell(message);
  }

  #resumptionOf({ conversation, receivedAt }: StoredMessage, { effects }: OpenTurn): Resumption {
    const { resume, now } = this.#options;
    return resumptionOf(
      { effects, receivedAt, quarantined: this.#incident.rests(conversation) },
      resume,
      now,
    );
  }

  /**
   * Of all that was cut off in one conversation its first message has it told, in one text. It has one turn at a time, but
   * one whose end an outage kept from being written is open beside the one that came after it.
   */
  #tell(message: StoredMessage): void {
    const { platform, conversation } = message;
    if (this.#told.has(conversation)) return;
    this.#told.add(conversation);
    const cut = this.#open.messages.flatMap((one) => {
      const turn = one.conversation === conversation ? this.#cutTurnOf(one) : undefined;
      return turn === undefined ? [] : [{ text: one.text, turn, goesOn: this.#resumptionOf(one, turn) }];
    });
    const turns = [...new Set(cut.map(({ turn }) => turn))];
    const { writes, text } = this.#incident.tell({
      ...{ platform, conversation, isAgain: turns.every(({ attempt }) => attempt > 1) },
      streamed: turns.flatMap(({ streamed }) => (streamed.trim() === '' ? [] : [streamed])).join('\n\n'),
      asked: cut.flatMap((one) => (one.goesOn === 'ask' ? [one.text] : [])),
    });
    this.#plan.writes.push(...writes);
    if (text !== null) this.#say(message, text, 'notice');
  }

  /** The turn that worked on this message when its life ended. */
  #cutTurnOf({ id, phase }: StoredMessage): OpenTurn | undefined {
    return phase === 'started' && !this.#commandOf.has(id) ? this.#turnOf.get(id) : undefined;
  }

  /** Of the gateway's own commands that of kind turn is `/resume`: what it was for came before it. */
  #builtin(message: StoredMessage): void {
    const isHere = ({ conversation }: MessageRow) => conversation === message.conversation;
    const waits = this.#plan.awaiting.some(isHere) || this.#incident.rests(message.conversation);
    const became = waits ? 'waits' : this.#resumed.some(isHere) ? 'goes-on' : 'nothing';
    const isResume = message.kind === 'turn';
    const text = isResume ? resumeReplies.resumeCutOff(became) : resumeReplies.builtinCutOff(message.text);
    this.#settle(message, 'interrupted', text);
  }

  /** Nobody has said for long whether it is still to be answered. */
  #awaited(message: StoredMessage): void {
    // A clock that was set back makes nothing older: to give up a message takes an age that is known.
    const ageMs = this.#options.now - message.receivedAt;
    if (message.receivedAt > 0 && ageMs >= AWAITING_AGE_MS_MAX) {
      this.#settle(message, 'expired', resumeReplies.notAskedFor(AWAITING_AGE_MS_MAX));
      return;
    }
    this.#adopt(message, 'awaiting-resume');
    this.#plan.awaiting.push(rowOf(message));
  }

  #holdAgain(message: StoredMessage): void {
    this.#adopt(message, 'held');
    const row = { ...rowOf(message), phase: 'held' } as const;
    if (message.reason === 'resume') this.#resumed.push(row);
    else this.#plan.held.push(row);
  }

  #adopt({ id, reason }: StoredMessage, phase: 'held' | 'awaiting-resume'): void {
    this.#plan.writes.push({ op: 'adopt', id, phase, life: this.#options.life.id });
    const resumed = this.#turnOf.has(id) ? 'resume' : undefined;
    if (resumed !== undefined && reason !== resumed)
      this.#plan.writes.push({ op: 'phase', id, phase, reason: resumed });
  }

  /** What it had streamed stays as its last progress wrote it. */
  #turnEnd(turn: OpenTurn): Write {
    const reason = this.#endOf(turn);
    return { op: 'turn.end', id: turn.id, at: this.#options.now, outcome: 'interrupted', reason };
  }

  /** How the life ended that had it. */
  #endOf({ life }: { readonly life: number }): 'cli-died' | 'gateway-died' | 'gateway-left' {
    const { cutOffLives, deadClis } = this.#options;
    if (deadClis.has(life)) return 'cli-died';
    return cutOffLives.has(life) ? 'gateway-died' : 'gateway-left';
  }

  #settle(message: StoredMessage, outcome: 'interrupted' | 'expired', text: string): void {
    const reason = outcome === 'expired' ? 'too-old' : this.#endOf(message);
    this.#plan.writes.push({ op: 'settle', id: message.id, outcome, reason, at: this.#options.now });
    this.#say(message, text, 'reply');
  }

  #say(
    { id: messageId, platform, conversation }: Pick<StoredMessage, 'id' | 'platform' | 'conversation'>,
    text: string,
    kind: OutboundRow['kind'],
  ): void {
    const { now: createdAt, life, textCharsMax } = this.#options;
    const id = newId('o', createdAt);
    const whole = { id, messageId, platform, conversation, text, kind, createdAt, life: life.id };
    for (const outbound of outboundRows(whole, textCharsMax(platform))) {
      this.#plan.writes.push({ op: 'reply', outbound });
      this.#plan.outbound.push(outbound);
    }
  }
}

/** A command that came to no end of its own. */
const commandEnd = (id: string, outcome: 'interrupted' | 'expired', at: number): Write => ({
  op: 'command.end',
  end: { id, at, outcome, exitCode: null, signal: null, durationMs: null, output: '' },
});

/**
 * What is left of a wait is never longer than it was when it was named: the clock may have been hours ahead then. Wall
 * milliseconds; null: there is none.
 */
function waitUntil(nextAt: number | null, namedAt: number | null, now: number): number | null {
  return nextAt === null ? null : Math.min(nextAt, now + Math.max(0, nextAt - (namedAt ?? nextAt)));
}

/** The row alone, without what settling adds. */
function rowOf({
  outcome: _outcome,
  settledAt: _settledAt,
  recorded: _recorded,
  ...row
}: StoredMessage): MessageRow {
  return row;
}
