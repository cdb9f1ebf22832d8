/** The gateway's own commands. They answer in every state, and only from what is in memory. */
import type { Config } from '../config/schema.ts';
import { counted, seconds } from '../messages/amounts.ts';
import { type ListedCommand, listedCommand, listedLine, listedLines } from '../messages/command-list.ts';
import {
  BUILTIN_NAMES,
  BUILTINS,
  type ControlName,
  NOT_IN_FLIGHT,
  type Role,
  satisfies,
  UNDONE_VERDICTS,
} from '../messages/commands.ts';
import * as controlReplies from '../messages/control-replies.ts';
import * as endingReplies from '../messages/ending-replies.ts';
import { commandLines } from '../messages/in-flight.ts';
import { waitsAtConnection } from '../messages/local.ts';
import { nearest } from '../messages/near.ts';
import * as replies from '../messages/replies.ts';
import * as resumeReplies from '../messages/resume-replies.ts';
import type { MessageRow } from '../store/records.ts';
import type { Access } from './access.ts';
import type { AgentChoice } from './agent-choice.ts';
import type { Outage } from './circuits.ts';
import type { InHand, Settlement } from './in-hand.ts';
import type { QuickCommands } from './quick-commands.ts';
import type { Ask, Requests } from './requests.ts';
import type { StatusReport } from './status-report.ts';
import type { TurnAbort } from './turn.ts';
import type { Turns } from './turns.ts';

export interface ControlCommandsOptions {
  readonly config: () => Config;
  readonly access: Access;
  readonly requests: Requests;
  readonly turns: Turns;
  readonly commands: QuickCommands;
  readonly agentChoice: AgentChoice;
  /** What is wrong with an agent that is down. */
  readonly outage: (agent: string) => Outage | undefined;
  readonly status: () => StatusReport;
  /** Ends safe mode; false when it is not on. */
  readonly leaveSafeMode: (because: string) => boolean;
  /** Whoever asked for the end of this life hears that the gateway is back. */
  readonly promiseBack: (row: MessageRow) => void;
  readonly wallMs: () => number;
}

export class ControlCommands {
  readonly #options: ControlCommandsOptions;

  constructor(options: ControlCommandsOptions) {
    this.#options = options;
  }

  async run(message: InHand): Promise<Settlement> {
    const { classified } = message;
    if (classified.kind !== 'control') throw new Error(`not a control command: ${classified.kind}`);
    if (classified.name === 'unknown') {
      return done(replies.unknownCommand(classified.word, this.#near(classified.word)), 'unknown-command');
    }
    const words = classified.words.toLowerCase();
    if (classified.name === 'agent') return this.#agent(words, message.row.conversation);
    return this.#answer(classified.name, words, message);
  }

  #answer(name: Exclude<ControlName, 'agent'>, words: string, message: InHand): Settlement {
    const actor = message.row.sender;
    switch (name) {
      case 'status':
        return done(statusText(this.#options.status(), this.#options.wallMs()));
      case 'help':
        return done(this.#help(this.#options.access.roleOf(actor) ?? 'user'));
      case 'commands':
        return done(this.#commands(this.#options.access.roleOf(actor) ?? 'user'));
      case 'ps':
        return done(psText(this.#options.status(), this.#options.wallMs()));
      case 'resume-turns':
        return this.#options.leaveSafeMode(`${actor} asked for it`)
          ? done(resumeReplies.safeModeLeft())
          : done(resumeReplies.notInSafeMode(), 'nothing-to-clear');
      case 'interrupt':
        return done(this.#interrupt(message));
      case 'cancel':
        return this.#cancel(message);
      case 'drain':
        return this.#ask({ intent: words === 'cancel' ? 'cancel-drain' : 'drain', cause: 'drain', actor });
      case 'restart':
      case 'stop':
        return this.#leave({ intent: name, cause: name, actor, hurry: words === 'now' }, message.row);
    }
  }

  /** Shows the agent of this conversation, or chooses one for it. */
  async #agent(name: string, conversation: string): Promise<Settlement> {
    const { agentChoice, config, outage } = this.#options;
    const names = Object.keys(config().agents);
    if (name === '') {
      const { agent, by } = await agentChoice.of(conversation);
      const agents = names.map((each) => ({ name: each, outage: outage(each)?.cause }));
      return done(controlReplies.agentShown(agent, by, agents));
    }
    if (!names.includes(name)) return done(replies.unknownAgent(name, nearest(name, names)), 'unknown-agent');
    const chosen = done(controlReplies.agentChosen(name, outage(name)?.cause));
    return { ...chosen, writes: [agentChoice.choose(conversation, name)] };
  }

  #leave(ask: Ask, row: MessageRow): Settlement {
    const asked = this.#ask(ask);
    if (asked.reason === null && !waitsAtConnection(row)) this.#options.promiseBack(row);
    return asked;
  }

  #ask(ask: Ask): Settlement {
    const { verdict, text } = this.#options.requests.ask(ask);
    return done(text, UNDONE_VERDICTS.includes(verdict) ? verdict : null);
  }

  #interrupt({ row }: InHand): string {
    const turn = this.#options.turns.abort({ conversation: row.conversation }, stoppedBy(row.sender));
    return turn === undefined ? controlReplies.nothingToInterrupt() : controlReplies.interrupting();
  }

  #cancel({ row, classified }: InHand): Settlement {
    const id = classified.kind === 'control' ? classified.words : '';
    const { platform } = row;
    const found =
      this.#options.turns.abort({ id, platform }, stoppedBy(row.sender)) !== undefined ||
      this.#options.commands.cancel(id, endingReplies.cancelledBy(row.sender), platform);
    return found ? done(controlReplies.ending(id)) : done(controlReplies.notInFlight(id), NOT_IN_FLIGHT);
  }

  #near(word: string): readonly string[] {
    return nearest(word, [...BUILTIN_NAMES, ...Object.keys(this.#options.config().quickCommands)]);
  }

  #help(role: Role): string {
    const own = BUILTINS.filter((builtin) => satisfies(role, builtin.role)).map((builtin) =>
      listedLine({ ...builtin, allow: builtin.role === 'user' ? ['owner', 'user'] : ['owner'] }),
    );
    return [...this.#quickCommands(role).map(listedLine), ...own].join('\n');
  }

  #commands(role: Role): string {
    const lines = this.#quickCommands(role).map(listedLines);
    return lines.length === 0 ? controlReplies.noQuickCommands(role) : lines.join('\n');
  }

  /** Those that someone of this role may use. */
  #quickCommands(role: Role): ListedCommand[] {
    return Object.values(this.#options.config().quickCommands)
      .map(listedCommand)
      .filter(({ allow }) => allow.includes(role));
  }
}

const done = (text: string, reason: string | null = null): Settlement => ({
  outcome: 'done',
  reason,
  replies: [text],
});

const stoppedBy = (actor: string): TurnAbort => ({
  outcome: 'interrupted',
  reason: `interrupted by ${actor}`,
  text: endingReplies.interruptedTurn(endingReplies.askedBy(actor)),
});

function statusText(status: StatusReport, now: number): string {
  const { state, intent, cause, actor, deadlineAt, inFlight, held } = status;
  const why = intent === null ? '' : ` (${intent} asked by ${actor}, ${cause})`;
  const left = deadlineAt === null ? '' : `, ${seconds(deadlineAt - now)} left`;
  const lines = [
    `${state}${why}${left}, up ${seconds(now - status.startedAt)}, epoch ${status.epoch}`,
    `${counted(inFlight.turns.length, 'turn')} and ${counted(inFlight.commands.length, 'command')} in flight, ${held} held`,
    ...status.degraded.map((reason) => `degraded: ${reason}`),
    ...status.warnings.map((warning) => `warning: ${warning}`),
    ...status.agents.flatMap(({ name, reason }) => (reason === null ? [] : [`agent ${name}: ${reason}`])),
    ...status.platforms.map(
      ({ name, state, reason }) => `${name}: ${state}${reason === null ? '' : `, ${reason}`}`,
    ),
  ];
  return lines.join('\n');
}

function psText({ inFlight }: StatusReport, now: number): string {
  const age = (at: number) => seconds(now - at);
  const lines = [
    ...inFlight.turns.map(
      (turn) => `${turn.id} turn of ${turn.agent} in ${turn.conversation}, ${age(turn.startedAt)}`,
    ),
    ...commandLines(
      inFlight.commands,
      ({ id, name, actor, startedAt, waiting }) =>
        `${id} /${name} by ${actor}, ${waiting ? 'waits for a free place, ' : ''}${age(startedAt)}`,
    ),
  ];
  return lines.length === 0 ? controlReplies.nothingInFlight() : lines.join('\n');
}
