/** What Tab makes of a draft that begins with a slash. Pure. */
import { type Draft, draftOf } from './draft.ts';

/** A command as `GET /v1/commands` tells it. */
export interface KnownCommand {
  readonly name: string;
  readonly usage: string;
  readonly help: string;
}

/** Commands that are listed at once. */
export const SUGGESTIONS_MAX = 20;

export interface Completed {
  readonly draft: Draft;
  /** What it could become, when there is more than one way on. */
  readonly suggestions: readonly KnownCommand[];
}

/** Completes the name of a command as far as it is certain; anything else stays as it is. */
export function complete(draft: Draft, commands: readonly KnownCommand[]): Completed {
  const { text, cursor } = draft;
  const typed = /^\/(?<name>[^\s/]*)$/u.exec(text)?.groups?.name?.toLowerCase();
  if (typed === undefined || cursor !== text.length) return { draft, suggestions: [] };
  const fitting = commands.filter(({ name }) => name.startsWith(typed));
  const [only] = fitting;
  if (only === undefined) return { draft, suggestions: [] };
  if (fitting.length === 1) return { draft: draftOf(`/${only.name} `), suggestions: [] };
  const common = fitting.reduce((prefix, { name }) => commonPrefix(prefix, name), only.name);
  if (common.length > typed.length) return { draft: draftOf(`/${common}`), suggestions: [] };
  return { draft, suggestions: fitting.slice(0, SUGGESTIONS_MAX) };
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return a.slice(0, length);
}
