/**
 * Makes a configuration of what means the same in a hermes-agent `config.yaml`: quick commands, timeouts and the busy
 * mode, with their comments. What is left behind is named with its reason. The result is judged like any
 * configuration before anybody sees it; what would not be valid is left as well.
 */
import { Document, isMap, isScalar, type Node, Pair, parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { SluiceError } from '../errors.ts';
import { nearest } from '../messages/near.ts';
import { type Faulty, judgeConfig, type LoadOptions, withoutMark } from './load.ts';
import { keyText, type Problem, placed } from './problems.ts';
import { BUSY_INPUT_MODES } from './schema.ts';
import { readTree } from './tree.ts';
import {
  commentOf,
  hasValue,
  type Item,
  pairsOf,
  partOf,
  renamed,
  scalarOf,
  spellKeys,
  writeOutAliases,
} from './yaml-items.ts';

export interface Imported {
  /** The configuration; empty where nothing could be taken. */
  readonly text: string;
  /** Keys of the result. */
  readonly taken: readonly string[];
  /** Keys of the result that say something else than their origin did, each with what. */
  readonly adapted: readonly Note[];
  /** Keys of the origin that are not in the result, each with the reason. */
  readonly left: readonly Note[];
  /** What a check of the result warns of. */
  readonly warnings: readonly string[];
}

export interface Note {
  readonly key: string;
  readonly why: string;
}

/** The configuration in `text`, a hermes-agent `config.yaml`; its problems where that cannot be read. */
export function importHermes(text: string, options: LoadOptions): Imported | Faulty {
  const bare = withoutMark(text);
  const tree = readTree(bare);
  const problems = tree.problems.filter(({ path }) => path.at(-1) !== '<<');
  const faulty = (found: readonly Problem[]): Faulty => ({
    problems: placed(found, bare, tree.telling()),
    warnings: [],
  });
  if (!tree.whole || problems.length > 0) return faulty(problems);
  const document = parseDocument(bare, { schema: 'core', uniqueKeys: false, logLevel: 'error' });
  const { contents } = document;
  if (contents !== null && !isMap(contents)) {
    const message = 'is not a mapping, so it is no config.yaml of hermes-agent; name another file';
    return faulty([{ offset: 0, path: [], message }]);
  }
  writeOutAliases(document);
  const taking: Taking = { adapted: [], left: [] };
  const result = new YAMLMap<Node, Node>();
  for (const [name, pair] of pairsOf(contents)) {
    const section = SECTIONS.get(name);
    if (section !== undefined && isMap(pair.value)) addSection(result, pair, section(pair.value, taking));
    else if (pair.value !== null) taking.left.push({ key: keyText([name]), why: whyLeft(name, section) });
  }
  // A comment right above the first key stands with the whole.
  const first = contents?.items[0]?.key;
  const isKept = result.items[0]?.key === first;
  return judged(isKept ? Object.assign(result, commentOf(contents)) : result, taking, options);
}

interface Taking {
  readonly adapted: Note[];
  readonly left: Note[];
}

/** What is taken of each section; the others are left. */
const SECTIONS: ReadonlyMap<string, (section: YAMLMap, taking: Taking) => YAMLMap> = new Map([
  ['quick_commands', takeCommands],
  ['agent', takeAgent],
  ['display', takeDisplay],
]);

/** Why sections are left that people will look for. */
const WHY_LEFT: ReadonlyMap<string, string> = new Map([
  ['model', "is the agent's here; write agent: { type: openai, base_url: …, model: …, api_key_env: … }"],
  ['providers', "are the agents' here; write agent: { type: openai, … }"],
  ['platforms', 'this version has the local platform alone'],
]);

function whyLeft(name: string, section: unknown): string {
  if (section !== undefined) return 'is no mapping, so nothing in it can be taken';
  if (name === '<<') return 'is a merge key, and those are not read; write the keys out';
  const why = WHY_LEFT.get(name);
  if (why !== undefined) return why;
  const [near] = nearest(name, [...SECTIONS.keys()], 1);
  return near === undefined ? 'has no meaning here' : `unknown key; did you mean ${near}?`;
}

function takeCommands(section: YAMLMap, { adapted }: Taking): YAMLMap {
  for (const [name, { value }] of pairsOf(section)) {
    if (!isMap(value) || value.has('env')) continue;
    const names = variablesOf(value.get('command'));
    if (names.length === 0) continue;
    value.set(
      'env',
      Object.assign(new YAMLSeq(), { flow: true, items: names.map((each) => new Scalar(each)) }),
    );
    const why = `added: a command gets few variables of the environment here, and this one reads ${names.join(', ')}`;
    adapted.push({ key: keyText(['quick_commands', name, 'env']), why });
  }
  return section;
}

/** Every command has these, or its shell sets them. */
const USUAL_VARIABLES =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TERM|TZ|TMPDIR|XDG_RUNTIME_DIR|PWD|OLDPWD|IFS|OPTARG|OPTIND|PPID|UID|RANDOM|SECONDS|HOSTNAME)$/;

/** The variables that a shell text reads and does not set itself. */
function variablesOf(command: unknown): string[] {
  if (typeof command !== 'string') return [];
  const read = [...command.matchAll(/(?<!\\)\$\{?([A-Z_][A-Z0-9_]*)/g)].map(([, name]) => name ?? '');
  const isSet = (name: string) => new RegExp(`\\b(?:${name}=|(?:for|read)\\s+${name}\\b)`).test(command);
  return [...new Set(read)].filter((name) => !USUAL_VARIABLES.test(name) && !isSet(name));
}

const AGENT_WHY_LEFT: ReadonlyMap<string, string> = new Map([
  ['max_turns', 'counts tool calls there; agent.max_turns here are turns at the same time'],
  ['restart_after_turn_timeout', 'a drain has one limit here, agent.restart_drain_timeout'],
  ['cron_drain_timeout', 'there are no cron jobs here'],
]);

function takeAgent(section: YAMLMap, { adapted, left }: Taking): YAMLMap {
  const taken = new Map<Item, Item>();
  for (const [name, pair] of pairsOf(section)) {
    const leave = (why: string) => left.push({ key: keyText(['agent', name]), why });
    if (name === 'restart_drain_timeout' && hasValue(pair)) taken.set(pair, pair);
    else if (name !== 'gateway_timeout' || !hasValue(pair))
      leave(AGENT_WHY_LEFT.get(name) ?? 'has no meaning here');
    else if (Number(scalarOf(pair)) === 0)
      leave('0 is no limit there; here a turn has one, agent.turn_timeout');
    else {
      taken.set(pair, renamed(pair, 'turn_timeout'));
      const why =
        'is agent.gateway_timeout: there the longest silence of a turn, here the longest turn; raise it if turns take longer';
      adapted.push({ key: 'agent.turn_timeout', why });
    }
  }
  return partOf(section, taken);
}

function takeDisplay(section: YAMLMap, { left }: Taking): YAMLMap {
  const taken = new Map<Item, Item>();
  for (const [name, pair] of pairsOf(section)) {
    if (name !== 'busy_input_mode') {
      left.push({ key: keyText(['display', name]), why: 'has no meaning here' });
      continue;
    }
    // There case and white space do not count.
    const word = String(scalarOf(pair) ?? '')
      .trim()
      .toLowerCase();
    if (isScalar(pair.value) && BUSY_INPUT_MODES.some((mode) => mode === word)) pair.value.value = word;
    if (hasValue(pair)) taken.set(pair, pair);
  }
  return partOf(section, taken);
}

/** Judges the result, and takes out what is not valid until the rest is. */
function judged(result: YAMLMap, { adapted, left }: Taking, options: LoadOptions): Imported {
  const document = new Document(result);
  spellKeys(document);
  for (;;) {
    const text = result.items.length === 0 ? '' : document.toString({ lineWidth: 0 }).trimStart();
    const judgement = judgeConfig(text, options);
    if ('config' in judgement) {
      const taken = takenOf(result);
      const kept = (note: Note) => taken.some((key) => note.key === key || note.key.startsWith(`${key}.`));
      const warnings = taken.length === 0 ? [] : judgement.warnings;
      return { text, taken, adapted: adapted.filter(kept), left, warnings };
    }
    const before = left.length;
    for (const { path, message } of judgement.problems) {
      const culprit = culpritOf(path);
      if (!document.hasIn(culprit)) continue;
      document.deleteIn(culprit);
      left.push({ key: originOf(culprit), why: `would not be valid here: ${said(path, culprit, message)}` });
    }
    // Where nothing went it would go on for ever.
    if (left.length === before) throw new SluiceError('INTERNAL', 'an import that stays invalid');
    result.items = result.items.filter(({ value }) => !isMap(value) || value.items.length > 0);
  }
}

/** What must go for this problem: a command whose meaning is broken, or one key. */
function culpritOf(path: readonly PropertyKey[]): PropertyKey[] {
  const isCommand = path[0] === 'quick_commands';
  const essential = path.length < 3 || ['type', 'command', 'target', 'args'].includes(String(path[2]));
  return path.slice(0, isCommand && !essential ? 3 : 2);
}

/** The key as the origin has it. */
function originOf(culprit: readonly PropertyKey[]): string {
  const key = keyText(culprit);
  return key === 'agent.turn_timeout' ? 'agent.gateway_timeout' : key;
}

function said(path: readonly PropertyKey[], culprit: readonly PropertyKey[], message: string): string {
  const inside = path.slice(culprit.length);
  return inside.length === 0 ? message : `its ${keyText(inside)} ${message}`;
}

/** The keys of the result, each command as one. */
function takenOf(result: YAMLMap): string[] {
  return [...pairsOf(result)].flatMap(([section, { value }]) =>
    [...pairsOf(value)].map(([name]) => keyText([section, name])),
  );
}

function addSection(result: YAMLMap, pair: Pair<Node, Node | null>, section: YAMLMap): void {
  if (section.items.length === 0) return;
  result.items.push(section === pair.value ? pair : new Pair(pair.key, section));
}
