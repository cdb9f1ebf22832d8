/**
 * The quick commands of a configuration as people and programs are told of them: name, arguments, what it is for, and
 * who may. One list for a chat, the command line and HTTP. Pure.
 */

import { namesSecret, withoutSecrets } from '../config/redact.ts';
import type { ArgSpec, QuickCommand, Role } from '../config/schema.ts';
import { textOnly } from '../telemetry/terminal-text.ts';
import { usageOf } from './words.ts';

/** One argument, for a program. */
export interface ListedArgument {
  readonly name: string;
  readonly required: boolean;
  readonly rest: boolean;
  /** Null where there is none, or where it is nobody's to read. */
  readonly default: string | null;
  readonly pattern: string | null;
  readonly choices: readonly string[] | null;
}

export interface ListedCommand {
  readonly name: string;
  readonly kind: 'exec' | 'alias';
  /** What may follow the name. */
  readonly usage: string;
  readonly help: string;
  /** Who may use it. */
  readonly allow: readonly Role[];
  readonly args: readonly ListedArgument[];
}

export function listedCommand(command: QuickCommand): ListedCommand {
  const { name, type: kind } = command;
  const description = textOnly(command.description);
  // Owners may always, whatever stands there.
  const allow: Role[] = command.allow.includes('user') ? ['owner', 'user'] : ['owner'];
  if (command.type === 'alias') {
    const help = [description, `same as ${textOnly(withoutSecrets(command.target))}`]
      .filter((part) => part !== '')
      .join('; ');
    return { name, kind, usage: '', help, allow, args: [] };
  }
  const usage = usageOf(name, command.args).slice(`/${name}`.length).trim();
  return { name, kind, usage, help: description, allow, args: command.args.map(listedArgument) };
}

/** One line: `/logs [LINES]: the last lines (owners)`. */
export function listedLine({ name, usage, help, allow }: Omit<ListedCommand, 'kind' | 'args'>): string {
  const about = help === '' ? '' : `: ${help}`;
  return `/${name}${usage === '' ? '' : ` ${usage}`}${about} (${whoMay(allow)})`;
}

/** The same with a line for each argument. */
export function listedLines(command: ListedCommand): string {
  const args = command.args.map((arg) => [arg, argumentText(arg)] as const);
  return [
    listedLine(command),
    ...args.flatMap(([{ name }, text]) => (text === '' ? [] : [`  ${name}: ${text}`])),
  ].join('\n');
}

export const whoMay = (allow: readonly Role[]): string =>
  allow.includes('user') ? 'owners and users' : 'owners';

function argumentText({ required, rest, default: usual, pattern, choices }: ListedArgument): string {
  const parts = [
    ...(choices === null ? [] : [`one of ${choices.join(', ')}`]),
    ...(pattern === null ? [] : [`must match ${pattern}`]),
    ...(rest ? ['takes all words that are left'] : []),
    ...(usual === null ? [] : [`"${usual}" unless given`]),
    ...(required && usual === null ? ['must be given'] : []),
  ];
  return textOnly(parts.join('; '));
}

function listedArgument(arg: ArgSpec): ListedArgument {
  const { name, required, rest, pattern = null, choices = null } = arg;
  const usual = namesSecret(name) ? null : (arg.default ?? null);
  return { name, required, rest, default: usual, pattern, choices };
}
