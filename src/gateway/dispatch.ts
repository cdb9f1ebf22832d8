/**
 * Carries out what was dispatched, and brings it to its outcome: run, settle, free the place, tell the chart.
 * In that order: the chart may end the process once its work is empty, so by then the outcome is on disk. Whatever
 * fails on the way, place and chart are given theirs back.
 */
import type { Clock } from '../clock.ts';
import { isSluiceError, messageOf } from '../errors.ts';
import * as endingReplies from '../messages/ending-replies.ts';
import type { Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import type { ControlCommands } from './control-commands.ts';
import type { Conversations } from './conversations.ts';
import type { InHand, Settlement, Suspension } from './in-hand.ts';
import type { Ledger } from './ledger.ts';
import type { Command } from './quick-command.ts';
import type { QuickCommands } from './quick-commands.ts';
import type { Turn } from './turn.ts';
import type { Turns } from './turns.ts';
import { logUnlessOutage } from './unexpected.ts';

/** A defect of ours: the message has an outcome all the same, and the log the error. */
const INTERNAL_FAILURE: Settlement = {
  outcome: 'failed',
  reason: 'internal',
  replies: [endingReplies.internalFailure()],
};

export interface DispatchOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly conversations: Conversations;
  /** Shows in a conversation that an answer is on its way, or no longer. */
  readonly showTyping: (conversation: string, on: boolean) => void;
  readonly turns: () => Turns;
  readonly commands: () => QuickCommands;
  readonly control: () => ControlCommands;
  /** The work of this message has left: tells the chart. */
  readonly settled: (messageId: string) => void;
  /** Work under this marker has settled: requests that came from inside it are handed on. */
  readonly workEnded: (workId: string) => void;
  /** Holds a turn whose start could not be written, and those behind it; they are on disk as waiting. */
  readonly hold: (message: InHand) => Promise<void>;
  /** Leaves a message open whose turn was cut off. */
  readonly suspend: (message: InHand, suspension: Suspension) => Promise<void>;
  /** What a person asks to be resumed; resolves once it has a place. */
  readonly resume: (message: InHand) => Promise<Settlement>;
}

export class Dispatch {
  readonly #options: DispatchOptions;
  readonly #inHand = new Set<Promise<void>>();

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is in hand any more. */
  async idle(): Promise<void> {
    while (this.#inHand.size > 0) await Promise.all(this.#inHand);
  }

  runControl(message: InHand): void {
    this.#carry(message, async () => {
      const settlement = await this.#guarded(message, () => this.#options.control().run(message));
      await this.#options.ledger.settle(message, settlement);
    });
  }

  /** Runs a command that was committed as started. */
  runCommand(command: Command): void {
    this.#carry(command.message, () => this.#command(command));
  }

  /** Runs a command whose slot came free: its start is a commit of its own, before the spawn. */
  startCommand(command: Command): void {
    this.#carry(command.message, async () => {
      if (command.message.recorded && command.startedAt !== null) {
        const { id } = command.row;
        const unit: Write[] = [
          { op: 'command.start', id, at: command.startedAt },
          { op: 'phase', id: command.message.row.id, phase: 'started' },
        ];
        // A command does not depend on a writable store: what cannot be written runs all the same.
        await this.#options.store.commit(unit).catch((error: unknown) => {
          logUnlessOutage(this.#options.log, error, 'the start of a command was not written', {
            command: id,
          });
        });
      }
      await this.#command(command);
    });
  }

  /** Has taken up what waits for a person's word, and settles the message that is it. */
  runResume(message: InHand): void {
    this.#carry(message, async () => {
      const settlement = await this.#guarded(message, () => this.#options.resume(message));
      try {
        await this.#options.ledger.settle(message, settlement);
      } finally {
        this.#options.settled(message.row.id);
      }
    });
  }

  runTurn(turn: Turn): void {
    this.#carry(turn.message, () => this.#turn(turn));
  }

  /** Runs a turn whose place came free, once its start is written. */
  startTurn(turn: Turn): void {
    this.#carry(turn.message, async () => {
      const { id } = turn.message.row;
      const unit: Write[] = [
        { op: 'turn.start', turn: turn.row, messages: [id] },
        { op: 'phase', id, phase: 'started' },
      ];
      try {
        await this.#options.store.commit(unit);
      } catch (error) {
        await this.#notStarted(turn, error);
        return;
      }
      await this.#turn(turn);
    });
  }

  /** A store that cannot be written keeps the turn waiting; one that is well and does not take it ends it. */
  async #notStarted(turn: Turn, error: unknown): Promise<void> {
    const { message } = turn;
    if (isSluiceError(error, 'STORE_UNAVAILABLE')) {
      const held = this.#options.hold(message);
      this.#options.turns().ended(turn);
      await held;
      return;
    }
    const { id } = message.row;
    this.#options.log.error({ message: id, error: messageOf(error) }, 'the start of a turn was not written');
    try {
      await this.#options.ledger.settle(message, INTERNAL_FAILURE);
    } finally {
      this.#options.turns().ended(turn);
      this.#left(message, turn.row.id);
    }
  }

  async #command(command: Command): Promise<void> {
    const { id, name, actor } = command.row;
    const run = this.#guarded(command.message, () => this.#options.commands().run(command));
    // After the start, so that it does not wait for the log.
    if (command.endedEarly === null) this.#options.log.info({ command: id, name, actor }, `/${name} started`);
    const settlement = await run;
    const recorded = command.message.recorded;
    const row = recorded ? [] : receivedLate(command);
    const writes = [...row, ...(settlement.writes ?? [])];
    try {
      await this.#options.ledger.settle(command.message, { ...settlement, writes });
    } finally {
      this.#options.commands().release(command);
      this.#left(command.message, id);
    }
  }

  async #turn(turn: Turn): Promise<void> {
    const { id, conversation, agent } = turn.row;
    this.#options.log.info({ turn: id, conversation, agent }, 'turn started');
    const typing = (on: boolean) => {
      this.#options.showTyping(conversation, on);
      this.#options.conversations.tell(conversation, { type: 'typing', on, turn: id, agent });
    };
    typing(true);
    const ending = await this.#guarded(turn.message, () => this.#options.turns().run(turn));
    typing(false);
    try {
      if ('phase' in ending) await this.#options.suspend(turn.message, ending);
      else await this.#options.ledger.settle(turn.message, ending);
    } finally {
      this.#options.turns().ended(turn);
      this.#left(turn.message, id);
    }
  }

  /** The work has left: the chart hears of it, then whoever waited for it. */
  #left(message: InHand, workId: string): void {
    this.#options.settled(message.row.id);
    this.#options.workEnded(workId);
  }

  /** A handler that throws is a defect; its message still gets an outcome, and the log has the error. */
  async #guarded<Ending>(message: InHand, run: () => Promise<Ending>): Promise<Ending | Settlement> {
    try {
      return await run();
    } catch (error) {
      this.#options.log.error({ message: message.row.id, error: messageOf(error) }, 'a handler failed');
      return INTERNAL_FAILURE;
    }
  }

  #carry(message: InHand, run: () => Promise<void>): void {
    const carried = run()
      .catch((error: unknown) => {
        this.#options.log.error(
          { message: message.row.id, error: messageOf(error) },
          'a message could not be settled',
        );
      })
      .finally(() => this.#inHand.delete(carried));
    this.#inHand.add(carried);
  }
}

/** What ran unrecorded is noted at its end, and its start with it. */
const receivedLate = ({ row, startedAt }: Command): Write[] => [
  { op: 'command.receive', command: row },
  ...(startedAt === null ? [] : [{ op: 'command.start', id: row.id, at: startedAt } as const]),
];
