/** The commands below `sluice messages` and their options; the code of each is loaded when it is used. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Signals } from '../../process/signals.ts';
import type { CommonOptions, Context } from '../context.ts';

export interface MessageCommands {
  /** Adds a command below `sluice messages`. */
  readonly add: (name: string, description: string) => Command;
  readonly contextOf: (options: CommonOptions) => Context;
  /** Runs a command to its exit code. */
  readonly run: (action: Promise<number>) => Promise<void>;
  /** Heard while a copy is made. */
  readonly signals: Signals;
}

/** The longest list; the gateway makes none longer either. */
const LIMIT_MAX = 1000;

const OUTCOMES = [
  ...['answered', 'ran', 'done', 'refused', 'failed', 'expired', 'interrupted', 'merged', 'discarded'],
];

const ID = "of a message, ours or its platform's; of a turn, a command or a reply; or the beginning of one";

export function addMessageCommands({ add, contextOf, run, signals }: MessageCommands): void {
  add('list', 'the newest messages, each with its one outcome')
    .option('--limit <count>', `how many, ${LIMIT_MAX} at most (default: 20)`, limitOf)
    .addOption(new Option('--outcome <outcome>', 'only those that came to this end').choices(OUTCOMES))
    .addOption(new Option('--state <state>', 'only open or only settled ones').choices(['open', 'settled']))
    .option(
      '--undelivered',
      'only those with a reply that is dead, or of which nobody knows whether it arrived',
    )
    .action(async (options) => {
      const { listMessages } = await import('./list.ts');
      await run(listMessages(contextOf(options), options));
    });
  add('show', 'everything that is known of one message: what became of it and why')
    .argument('<id>', ID, idOf)
    .action(async (id: string, options: CommonOptions) => {
      const { showMessage } = await import('./show.ts');
      await run(showMessage(contextOf(options), id));
    });
  add('retry', 'have replies sent after all that could not be delivered')
    .argument('<id>', ID, idOf)
    .action(async (id: string, options: CommonOptions) => {
      const { changeMessage } = await import('./change.ts');
      await run(changeMessage(contextOf(options), 'retry', id, {}));
    });
  add('discard', 'give up a message that waits to be answered, or replies that have not arrived')
    .argument('<id>', ID, idOf)
    .option('--reason <text>', 'why; whoever wrote the message is told')
    .action(async (id: string, options) => {
      const { changeMessage } = await import('./change.ts');
      await run(changeMessage(contextOf(options), 'discard', id, options));
    });
  add('backup', 'copy the store to a new file, while a gateway runs or without one')
    .argument('<file>', 'where to; it must not exist yet')
    .action(async (file: string, options: CommonOptions) => {
      const { backupMessages } = await import('./backup.ts');
      await run(backupMessages(contextOf(options), file, signals));
    });
}

function limitOf(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > LIMIT_MAX) throw new InvalidArgumentError(`give a number from 1 to ${LIMIT_MAX}.`);
  return limit;
}

/** An empty one would be the beginning of every id. Refused while the line is read, where commander says why. */
function idOf(text: string): string {
  const id = text.trim();
  if (id === '') throw new InvalidArgumentError('give an id.');
  return id;
}
