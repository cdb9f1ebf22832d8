/**
 * What aliases stand for. A target that begins with the name of a command is that command, with or without its slash
 * (hermes-agent takes both); any other text is for the agent. A chain of aliases ends within `ALIAS_DEPTH_MAX`, which
 * is judged when the configuration is loaded, so that following one at run time cannot hang.
 */
import { nearest } from '../messages/near.ts';
import { type Finding, keyText } from './problems.ts';

/** Most aliases a message may pass through. */
export const ALIAS_DEPTH_MAX = 8;

/** Targets without a command for which the nearest is looked for: among thousands of names each search takes its time. */
const NEAR_TARGETS_MAX = 100;

/** The command a text begins with: `/NAME`, also as `/NAME@bot` and in capitals; a path or `//x` is none. */
const COMMAND_WORD = /^\/([a-z0-9][a-z0-9_-]*)(?:@\S*)?(?=\s|$)/i;

/** The target as a message would carry it: trimmed, and with a slash when its first word names a command. */
export function targetText(target: string, names: ReadonlySet<string>): string {
  const trimmed = target.trim();
  const slashed = `/${trimmed}`;
  return names.has(commandOf(slashed) ?? '') ? slashed : trimmed;
}

/**
 * Judges all aliases of `quick_commands` as written; entries of another form are left to the schema.
 * `findings` are errors; a target that names no command is only a warning, because another version may know it.
 */
export function judgeAliases(
  quickCommands: unknown,
  builtinNames: readonly string[],
): { findings: Finding[]; warnings: string[] } {
  const entries =
    typeof quickCommands === 'object' && quickCommands !== null ? Object.entries(quickCommands) : [];
  const names = new Set([...builtinNames, ...entries.map(([name]) => name)]);
  const targets = new Map<string, string>();
  for (const [name, entry] of entries) {
    if (entry?.type !== 'alias' || typeof entry.target !== 'string') continue;
    const command = commandOf(targetText(entry.target, names));
    if (command !== undefined) targets.set(name, command);
  }
  const findings: Finding[] = [];
  const warnings: string[] = [];
  for (const [name, command] of targets) {
    const path = ['quick_commands', name, 'target'];
    const message = chainProblem(name, targets);
    if (message !== undefined) findings.push({ path, at: 'value', message });
    if (names.has(command)) continue;
    const others = [...names].filter((other) => other !== name);
    const near = warnings.length < NEAR_TARGETS_MAX ? nearest(command, others, 1)[0] : undefined;
    warnings.push(`${keyText(path)}: ${strangerText(command, near)}`);
  }
  return { findings, warnings };
}

function commandOf(text: string): string | undefined {
  return COMMAND_WORD.exec(text)?.[1]?.toLowerCase();
}

/** What is wrong with the chain that begins at `name`. An alias that only leads into a circle is not to blame. */
function chainProblem(name: string, targets: ReadonlyMap<string, string>): string | undefined {
  const chain = [name];
  let next = targets.get(name);
  while (next !== undefined && targets.has(next)) {
    if (next === name) return circleText([...chain, next]);
    if (chain.includes(next)) return undefined;
    if (chain.length === ALIAS_DEPTH_MAX) {
      return `goes through more than ${ALIAS_DEPTH_MAX} aliases; point it at the last one`;
    }
    chain.push(next);
    next = targets.get(next);
  }
  return undefined;
}

function circleText(chain: readonly string[]): string {
  if (chain.length === 2) return 'is the alias itself; name another command';
  return `goes in a circle, ${chain.map((name) => `/${name}`).join(' → ')}; point one of them elsewhere`;
}

function strangerText(command: string, near: string | undefined): string {
  return `/${command} is no command of this gateway${near === undefined ? '' : `; did you mean /${near}?`}`;
}
