/**
 * What may come of a message that was sent to be an exec command and nothing else (`sluice exec`): such a command, by
 * its name or behind aliases. Anything else is refused before the chart hears of it, so that no typo becomes a turn.
 * The same with a gateway and without one.
 */
import { ALIAS_DEPTH_MAX } from '../config/aliases.ts';
import type { QuickCommand } from '../config/schema.ts';
import { type Classified, classify, rewritten } from '../messages/classify.ts';
import { type ListedCommand, listedCommand } from '../messages/command-list.ts';
import { nearest } from '../messages/near.ts';
import * as replies from '../messages/replies.ts';

export type ExecText = Extract<Classified, { kind: 'exec' }>;

type QuickCommands = Readonly<Record<string, QuickCommand>>;

/** The exec command that `text` stands for, with its words; or why there is none, in a sentence. */
export function execIn(text: string, quickCommands: QuickCommands): ExecText | { readonly problem: string } {
  const classified = behindAliases(classify(text, quickCommands), quickCommands);
  if (classified.kind === 'exec') return classified;
  const [name = ''] = text.trim().replace(/^\//, '').split(/\s/, 1);
  const isKnown = Object.hasOwn(quickCommands, name.toLowerCase()) || isBuiltin(classify(text, {}));
  return { problem: isKnown ? replies.notAnExec(name) : noExec(name, quickCommands) };
}

/** That nothing has this name, with the names that were probably meant. */
export function noExec(name: string, quickCommands: QuickCommands): string {
  const others = Object.keys(quickCommands).filter((other) => isExec(other, quickCommands));
  return replies.noSuchExec(name, nearest(name, others));
}

/** True where this name is run here: an exec command's, or an alias' of one. */
export const isExec = (name: string, quickCommands: QuickCommands): boolean =>
  behindAliases(classify(`/${name}`, quickCommands), quickCommands).kind === 'exec';

/** Those that are run here, as people are told of them. */
export const listedExec = (quickCommands: QuickCommands): ListedCommand[] =>
  Object.values(quickCommands)
    .filter(({ name }) => isExec(name, quickCommands))
    .map(listedCommand);

/** What a text is once its aliases are followed; an alias still where they lead too deep. */
export function behindAliases(first: Classified, quickCommands: QuickCommands): Classified {
  let classified = first;
  for (let depth = 0; depth <= ALIAS_DEPTH_MAX && classified.kind === 'alias'; depth += 1) {
    classified = classify(rewritten(classified.command, classified.words), quickCommands);
  }
  return classified;
}

const isBuiltin = (classified: Classified): boolean =>
  classified.kind === 'control' && classified.name !== 'unknown';
