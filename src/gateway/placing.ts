/**
 * Gives a judged message its place and the rows that say so. Limits and arguments are looked at here, after the chart
 * (`obstacles.ts`). What a limit refuses after the chart counted it leaves by `work.settled`.
 */
import type { Refusal } from '../../machines/events.ts';
import { bindArguments } from '../messages/arguments.ts';
import { fitsMessage, MESSAGE_BYTES_MAX } from '../messages/inbound.ts';
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import type { MessageRow, Phase } from '../store/records.ts';
import type { Write } from '../store/write.ts';
import type { Dispatch } from './dispatch.ts';
import type { Held } from './held.ts';
import type { InHand, Rule } from './in-hand.ts';
import type { Judged } from './judge.ts';
import type { Ledger, Prepared } from './ledger.ts';
import { type Obstacle, type ObstacleOptions, obstacleOf } from './obstacles.ts';
import { COMMAND_WAIT_MS_MAX, type Command } from './quick-command.ts';
import { COMMANDS_WAITING_MAX, type QuickCommands } from './quick-commands.ts';
import type { Refusals } from './refusals.ts';
import type { Turn } from './turn.ts';
import { TURNS_WAITING_MAX, type Turns } from './turns.ts';

/** A message in its place: what is committed, what its sender is told at once, and how it goes on. */
export interface Placed {
  readonly message: InHand;
  readonly unit: readonly Write[];
  readonly rule: Rule | null;
  readonly text: string | null;
  readonly place:
    | { readonly as: 'refused'; readonly prepared: Prepared }
    | { readonly as: 'control' }
    | { readonly as: 'exec'; readonly command: Command; readonly waits: boolean }
    | { readonly as: 'turn'; readonly turn: Turn | 'waiting' }
    | { readonly as: 'resume' }
    | { readonly as: 'held' };
}

export interface PlacingOptions extends ObstacleOptions {
  readonly ledger: Ledger;
  readonly held: Held;
  readonly refusals: Refusals;
  readonly turns: Turns;
  readonly commands: QuickCommands;
  readonly dispatch: Dispatch;
  /** Where the gateway goes while it is on its way out, so that what is held waits for the next start. */
  readonly going: () => replies.Going | null;
  /** What keeps the store from being written. */
  readonly storeObstacle: () => replies.StoreObstacle;
  readonly settled: (messageId: string) => void;
  /** Of a message that took its place among the held it is known by now whether it is on disk. */
  readonly heldDecided: () => void;
  /** The state of the gateway refused it, or an agent that is down. */
  readonly refusedByChart: (row: Unplaced, refusal: Refusal) => void;
}

/** What is kept of a refused message that is too long. */
const KEPT_CHARS_MAX = 1000;

export type Unplaced = Omit<MessageRow, 'admission' | 'reason' | 'phase'>;

export class Placing {
  readonly #options: PlacingOptions;

  constructor(options: PlacingOptions) {
    this.#options = options;
  }

  /** `takenUp`: it was held, and its turn has come. */
  place(row: Unplaced, judged: Judged, takenUp = false): Placed {
    if (judged.admission === 'refuse') {
      if (judged.refusal !== null) this.#options.refusedByChart(row, judged.refusal);
      const told =
        judged.rule === 'state' && this.#options.refusals.toldAlready(row, judged.refusal, judged.hint);
      return this.#refused(row, judged, told || comesAgain(row, judged));
    }
    if (judged.admission === 'hold') return this.#held(row, judged, 'full');
    const obstacle = obstacleOf(row, judged.classified, this.#options);
    if (obstacle !== undefined) return this.#turnedAway(row, obstacle);
    const { classified } = judged;
    if (classified.kind === 'exec') return this.#exec(row, classified);
    if (classified.kind === 'turn' && classified.builtin === undefined) {
      return !takenUp && this.#options.held.hasOf(row.conversation)
        ? this.#behindHeld(row, classified)
        : this.#turn(row, classified);
    }
    const message = inHand(row, 'received', classified);
    const as = classified.kind === 'turn' ? 'resume' : 'control';
    return { message, unit: [received(message)], rule: null, text: null, place: { as } };
  }

  /** True when what was dispatched is sure of a place; without it, what was promised one has to wait. */
  hasRoomFor({ kind }: InHand['classified']): boolean {
    if (kind === 'turn') return !this.#options.turns.full;
    return kind !== 'exec' || !this.#options.commands.full;
  }

  /** Takes a place back whose row turned out to be a duplicate. */
  withdraw({ message, place }: Placed): void {
    if (place.as === 'exec') this.#options.commands.release(place.command);
    if (place.as === 'turn') this.#options.turns.release(message);
    if (place.as === 'held' || place.as === 'turn') this.#options.held.remove(message.row.id);
    if (place.as === 'exec' || place.as === 'turn' || place.as === 'resume') {
      this.#options.settled(message.row.id);
    }
    if (place.as === 'held') this.#options.heldDecided();
  }

  /**
   * What becomes of a message whose unit could not be committed: exec and control run, nothing else is kept. Whoever waits
   * for a refusal hears why all the same; a platform delivers it again, and is told then, when it can be noted.
   */
  unwritable(placed: Placed): Placed {
    const { message, place } = placed;
    message.recorded = false;
    if (place.as === 'exec' || place.as === 'control') return placed;
    if (place.as !== 'refused') return this.notKept(placed);
    if (waitsAtConnection(message.row)) return placed;
    const { replies: told } = place.prepared.settlement;
    if (told.length > 0) this.#options.refusals.forgetTold(message.row.conversation);
    return this.notKept(placed);
  }

  /** Refuses a message that the store did not take; its sender may send it again under the same id. */
  notKept(placed: Placed): Placed {
    this.withdraw(placed);
    const obstacle = { rule: 'store', text: replies.storeRefusal(this.#options.storeObstacle()) } as const;
    const { row } = placed.message;
    const refused = this.#refused(row, obstacle, comesAgain(row, obstacle));
    refused.message.recorded = false;
    return refused;
  }

  /** Goes on with a message whose unit is committed, or that runs without. */
  begin({ message, place }: Placed): void {
    const { dispatch, ledger, commands, turns } = this.#options;
    if (place.as === 'refused') ledger.finish(place.prepared, message.recorded);
    else if (place.as === 'control') dispatch.runControl(message);
    else if (place.as === 'resume') dispatch.runResume(message);
    else if (place.as === 'exec' && place.waits) commands.written(place.command);
    else if (place.as === 'exec') dispatch.runCommand(place.command);
    else if (place.as === 'held') this.#kept(message.row);
    else if (place.turn === 'waiting') turns.written(message);
    else dispatch.runTurn(place.turn);
  }

  #kept(row: MessageRow): void {
    const { held, heldDecided } = this.#options;
    held.written(row.id);
    held.announceLater(row);
    heldDecided();
  }

  #exec(row: Unplaced, classified: InHand['classified'] & { kind: 'exec' }): Placed {
    const bound = bindArguments(classified.command, classified.words);
    if (!bound.ok) {
      const text = replies.usage(classified.command, bound.problem);
      return this.#turnedAway(row, { rule: 'arguments', text });
    }
    const message = inHand(row, 'started', classified);
    const command = this.#options.commands.reserve(message, classified.command, bound);
    if (command === undefined) {
      return this.#turnedAway(row, { rule: 'limit', text: replies.commandLimit(COMMANDS_WAITING_MAX) });
    }
    const waits = command.startedAt === null;
    const started: Write[] = waits
      ? []
      : [{ op: 'command.start', id: command.row.id, at: command.startedAt ?? 0 }];
    const unit: Write[] = [
      { op: 'receive', message: waits ? { ...message.row, phase: 'received' } : message.row },
      { op: 'command.receive', command: command.row },
      ...started,
    ];
    const text = waits ? replies.commandWaits(classified.command.name, COMMAND_WAIT_MS_MAX) : null;
    return { message, unit, rule: null, text, place: { as: 'exec', command, waits } };
  }

  #turn(row: Unplaced, classified: InHand['classified'] & { kind: 'turn' }): Placed {
    const message = inHand(row, 'started', classified);
    const turn = this.#options.turns.reserve(message);
    if (turn === 'full') {
      return this.#turnedAway(row, { rule: 'limit', text: replies.waitingLimit(TURNS_WAITING_MAX) });
    }
    const unit: Write[] =
      turn === 'waiting'
        ? [{ op: 'receive', message: { ...message.row, phase: 'waiting' } }]
        : [received(message), { op: 'turn.start', turn: turn.row, messages: [row.id] }];
    return { message, unit, rule: null, text: null, place: { as: 'turn', turn } };
  }

  /** The chart has counted it, and its conversation has older ones that wait. */
  #behindHeld(row: Unplaced, classified: InHand['classified']): Placed {
    this.#options.settled(row.id);
    return this.#held(row, { classified });
  }

  /** `spell`: that there is no room is said once in it; undefined: each time. */
  #held(row: Unplaced, { classified }: { classified: InHand['classified'] }, spell?: 'full'): Placed {
    const full = this.#options.held.fullFor(row.conversation);
    const text = full && replies.heldLimit(full.limit, full.what);
    if (text !== undefined) return this.#refused(row, { rule: 'limit', text }, this.#isSaid(row, spell));
    if (!fitsMessage(row.text)) {
      return this.#refused(row, { rule: 'limit', text: replies.tooLong(MESSAGE_BYTES_MAX) }, false);
    }
    const message: InHand = {
      row: { ...row, admission: 'hold', reason: 'state', phase: 'held' },
      classified,
      recorded: true,
    };
    this.#options.held.add(message.row);
    const told = replies.held(this.#options.going());
    return { message, unit: [received(message)], rule: null, text: told, place: { as: 'held' } };
  }

  /** Refuses what the chart had dispatched and counted. */
  #turnedAway(row: Unplaced, obstacle: Obstacle): Placed {
    this.#options.settled(row.id);
    return this.#refused(row, obstacle, this.#isSaid(row, obstacle.spell));
  }

  #isSaid(row: Unplaced, spell: Obstacle['spell']): boolean {
    return spell !== undefined && this.#options.refusals.toldAlready(row, spell);
  }

  #refused(row: Unplaced, { rule, text }: Obstacle, silent: boolean): Placed {
    const kept = fitsMessage(row.text) ? row.text : `${row.text.slice(0, KEPT_CHARS_MAX)}…`;
    const message: InHand = {
      row: { ...row, text: kept, admission: 'refuse', reason: rule, phase: 'received' },
      classified: { kind: 'turn', text: row.text },
      recorded: true,
    };
    const prepared = this.#options.ledger.prepare(message, {
      outcome: 'refused',
      reason: rule,
      replies: silent ? [] : [text],
    });
    const unit = [received(message), ...prepared.unit];
    const said = prepared.settlement.replies[0] ?? text;
    return { message, unit, rule, text: said, place: { as: 'refused', prepared } };
  }
}

function inHand(row: Unplaced, phase: Phase, classified: InHand['classified']): InHand {
  return { row: { ...row, admission: 'dispatch', reason: null, phase }, classified, recorded: true };
}

/** A platform delivers again what the store did not take: nobody is told to send it again, at each attempt. */
const comesAgain = (row: Unplaced, { rule }: Obstacle): boolean =>
  rule === 'store' && !waitsAtConnection(row);

const received = ({ row }: InHand): Write => ({ op: 'receive', message: row });
