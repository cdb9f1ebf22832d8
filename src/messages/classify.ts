/**
 * What a text is: one of the gateway's commands, a quick command, or something for the agent. Pure, and the
 * same in every state; what happens with it is the chart's business.
 */
import type { AliasCommand, ExecCommand, QuickCommand } from '../config/schema.ts';
import { builtinNamed, type ControlName } from './commands.ts';

export type Classified =
  | { readonly kind: 'control'; readonly name: ControlName; readonly words: string }
  /** A slash word nobody knows: answered by the gateway with near names, never sent to an agent. */
  | { readonly kind: 'control'; readonly name: 'unknown'; readonly word: string; readonly words: string }
  | { readonly kind: 'exec'; readonly command: ExecCommand; readonly words: string }
  | { readonly kind: 'alias'; readonly command: AliasCommand; readonly words: string }
  /** `resume`: it continues a turn instead of asking an agent anything. */
  | { readonly kind: 'turn'; readonly text: string; readonly builtin?: 'resume'; readonly words?: string };

/** `/name`, `/name@bot`, then its words. A name has no slash in it, so a file path is text. */
const COMMAND = /^\/(?<name>[\p{L}\p{N}][\p{L}\p{N}_-]*)(?:@[^\s/]+)?(?:\s+(?<words>[\s\S]*))?$/u;

/** True for what may stand after the slash of a command, whether there is one of that name or not. */
export const isCommandName = (word: string): boolean => /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u.test(word);

/**
 * Classifies `text`. Names are case-blind, a leading newline and trailing spaces are nothing, `//x` is the
 * text `/x`, and a path like `/etc/hosts is broken` is text.
 */
export function classify(text: string, quickCommands: Readonly<Record<string, QuickCommand>>): Classified {
  const trimmed = text.trim();
  if (trimmed.startsWith('//')) return { kind: 'turn', text: trimmed.slice(1) };
  const groups = COMMAND.exec(trimmed)?.groups;
  if (groups === undefined) return { kind: 'turn', text };
  const name = (groups.name ?? '').toLowerCase();
  const words = (groups.words ?? '').trim();
  const builtin = builtinNamed(name);
  if (builtin?.kind === 'turn') return { kind: 'turn', text: trimmed, builtin: builtin.name, words };
  if (builtin !== undefined) return { kind: 'control', name: builtin.name, words };
  const quick = Object.hasOwn(quickCommands, name) ? quickCommands[name] : undefined;
  if (quick === undefined) return { kind: 'control', name: 'unknown', word: name, words };
  return quick.type === 'exec'
    ? { kind: 'exec', command: quick, words }
    : { kind: 'alias', command: quick, words };
}

export type Command = Exclude<Classified, { kind: 'turn' }>;

/** The name that stands behind the slash of a command, also of one that nobody knows. */
export function commandName(command: Command): string {
  if (command.kind !== 'control') return command.command.name;
  return command.name === 'unknown' ? command.word : command.name;
}

/** The text that `classify` reads back as this command: its name and its words. */
export const commandText = (command: Command): string =>
  [`/${commandName(command)}`, command.words].filter((part) => part !== '').join(' ');

/** The text an alias stands for: its target, and the words that were given to it. */
export const rewritten = (alias: AliasCommand, words: string): string =>
  words === '' ? alias.target : `${alias.target} ${words}`;
