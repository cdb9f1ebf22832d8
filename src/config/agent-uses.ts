/**
 * Where a file speaks of its agents from another place: the agent of a conversation must be one, and none may have more
 * turns than all together. It is judged on what stands there, however wrong the rest of the file is.
 */
import { nearest } from '../messages/near.ts';
import { isMapping } from './forms.ts';
import { quoted } from './quoted.ts';

/** Unknown agents for which the nearest name is looked for: among thousands of names each search takes its time. */
const NEAR_AGENTS_MAX = 100;

/** Names that a message lists. */
const NAMES_LISTED_MAX = 20;

/** The sections, as far as they could be read. */
interface Sections {
  readonly agent: unknown;
  readonly agents: unknown;
  readonly conversations: unknown;
}

/** What is wrong, each at its value. Values of a wrong kind are left to the schema. */
export function judgeAgentUses({ agent, agents, conversations }: Sections): Use[] {
  // Without the names nobody can tell which agents there are.
  if (!isMapping(agents)) return [];
  const names = ['default', ...Object.keys(agents)];
  const known = new Set(names);
  const unknown = entriesOf(conversations, 'agent').filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === 'string' && entry[1].trim() !== '' && !known.has(entry[1]),
  );
  const max = isMapping(agent) ? agent.max_turns : undefined;
  return [
    ...unknown.map(([key, name], at) => unknownAgent(key, name, names, at < NEAR_AGENTS_MAX)),
    ...entriesOf(agents, 'max_turns').flatMap(([name, turns]) => tooManyTurns(name, turns, max)),
  ];
}

interface Use {
  readonly path: readonly string[];
  readonly message: string;
}

/** The names of a section, each with what stands below it under `key`. */
function entriesOf(section: unknown, key: string): [string, unknown][] {
  if (!isMapping(section)) return [];
  return Object.entries(section).map(([name, inside]) => [name, isMapping(inside) ? inside[key] : undefined]);
}

function unknownAgent(key: string, name: string, names: readonly string[], looks: boolean): Use {
  const [near] = looks ? nearest(name, names, 1) : [];
  const more = names.length > NAMES_LISTED_MAX ? ', …' : '';
  const listed = `${names.slice(0, NAMES_LISTED_MAX).join(', ')}${more}`;
  const right = near === undefined ? `use one of ${listed}` : `did you mean ${near}?`;
  return { path: ['conversations', key, 'agent'], message: `${quoted(name)} is no agent; ${right}` };
}

function tooManyTurns(name: string, turns: unknown, max: unknown): Use[] {
  if (typeof turns !== 'number' || typeof max !== 'number' || turns <= max) return [];
  const message = `${turns} is more than agent.max_turns allows; use at most ${max}`;
  return [{ path: ['agents', name, 'max_turns'], message }];
}
