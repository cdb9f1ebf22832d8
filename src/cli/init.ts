/**
 * `sluice init`: looks for what could answer on this machine, asks as little as it can, and writes a first
 * configuration that the gateway's own reader has found valid. Local before paid; a key never enters the file.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemClock } from '../clock.ts';
import { judgeConfig } from '../config/load.ts';
import { absolutePath, findConfig, packagedFile, userConfigPath } from '../config/paths.ts';
import { messageOf, SluiceError } from '../errors.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import type { Signals } from '../process/signals.ts';
import { findAgentPrograms } from '../setup/agent-programs.ts';
import { findApiKeys } from '../setup/api-keys.ts';
import { type Candidate, describe, judgeModel, modelsOf } from '../setup/candidates.ts';
import { type Choice, configurationText } from '../setup/configuration-text.ts';
import { findModelServers } from '../setup/model-servers.ts';
import { Asker } from './ask.ts';
import { lineOf } from './command-line.ts';
import { type Context, EXIT } from './context.ts';
import { writeNew } from './new-file.ts';

export interface InitOptions {
  readonly home?: string;
  readonly config?: string;
  readonly yes?: boolean;
  readonly agent?: string;
  readonly model?: string;
  readonly global?: boolean;
  readonly force?: boolean;
  /** Heard while a person is asked: who leaves is told that nothing was written. */
  readonly signals: Signals;
}

/** How often a person may answer with something that is none of the choices. */
const TRIES_MAX = 3;

export async function init(context: Context, options: InitOptions): Promise<number> {
  const { env, output } = context;
  const path = targetOf(context, options);
  if (existsSync(path) && options.force !== true) return refused(context, path, `${path} exists`);
  using asker = options.yes || context.json ? undefined : Asker.at(context);
  if (asker !== undefined) {
    options.signals.install();
    options.signals.attach(() => asker.leave());
    output.note('Looking for model servers, agent programs and keys …');
  }
  const found: Candidate[] = [
    ...(await findModelServers(env.SLUICE_INIT_PORTS || undefined, systemClock)),
    ...findAgentPrograms(env.PATH),
    ...findApiKeys(env),
    { kind: 'demo', name: 'demo' },
  ];
  const choice = asker === undefined ? firstOf(found, options) : await choose(context, asker, found, options);
  if (choice === undefined) {
    output.note('\nLeft: nothing was written.');
    return EXIT.failed;
  }
  if ('problem' in choice) return refused(context, path, choice.problem, found);
  const { doubt } = options.model === undefined ? {} : judgeModel(choice.candidate, options.model);
  if (doubt !== undefined) output.note(`warning: ${doubt}`);
  const text = configurationText(choice, packagedFile('gateway.schema.json'));
  hold(path, text, env);
  if (asker === undefined && options.yes !== true) return wouldDo(context, path, choice, found);
  const problem = write(path, text, options.force === true);
  if (problem !== undefined) return refused(context, path, problem, found);
  tell(context, path, choice, found, options);
  return EXIT.done;
}

function targetOf({ cwd, env }: Context, options: InitOptions): string {
  if (options.config !== undefined) return absolutePath(options.config, cwd);
  return options.global === true ? userConfigPath(env) : absolutePath('sluice.yaml', cwd);
}

/** What is offered first, or what was named. */
function firstOf(found: readonly Candidate[], { agent, model }: InitOptions): Choice | { problem: string } {
  const has = (candidate: Candidate) => model !== undefined && modelsOf(candidate).includes(model);
  const candidate = agent === undefined ? (found.find(has) ?? found[0]) : named(found, agent);
  if (candidate === undefined) {
    return {
      problem: `nothing here is called "${agent}"; there is ${found.map(({ name }) => name).join(', ')}`,
    };
  }
  return withModel(candidate, model);
}

/** The one that was asked for, or the first there is. */
function withModel(candidate: Candidate, model: string | undefined): Choice | { problem: string } {
  const { problem } = model === undefined ? {} : judgeModel(candidate, model);
  return problem === undefined ? { candidate, model: model ?? modelsOf(candidate)[0] } : { problem };
}

function named(found: readonly Candidate[], name: string): Candidate | undefined {
  return found.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
}

/** Offers choices; gives the index of one. */
type Pick = (question: string, choices: readonly string[]) => Promise<number | undefined>;

/** Asks only where there is a choice. Undefined when the person left. */
async function choose(
  { output }: Context,
  asker: Asker,
  found: readonly Candidate[],
  options: InitOptions,
): Promise<Choice | { problem: string } | undefined> {
  const pick: Pick = (question, choices) => pickFrom(asker, output.note, question, choices);
  if (options.agent !== undefined) return chooseModel(pick, firstOf(found, options), options);
  const [only] = found;
  if (found.length === 1 && only !== undefined) return withModel(only, options.model);
  const at = await pick('Who shall answer?', found.map(describe));
  const candidate = at === undefined ? undefined : found[at];
  return candidate && chooseModel(pick, withModel(candidate, options.model), options);
}

async function chooseModel(
  pick: Pick,
  choice: Choice | { problem: string },
  { model }: InitOptions,
): Promise<Choice | { problem: string } | undefined> {
  if ('problem' in choice) return choice;
  const models = modelsOf(choice.candidate);
  if (model !== undefined || models.length < 2) return choice;
  const at = await pick('Which model?', models);
  return at === undefined ? undefined : { ...choice, model: models[at] };
}

/** The index of the chosen one: Enter takes the first. Undefined when the person left, or never chose. */
async function pickFrom(
  asker: Asker,
  note: (text: string) => void,
  question: string,
  choices: readonly string[],
): Promise<number | undefined> {
  const listed = choices.map((choice, at) => `  ${at + 1}  ${choice}`);
  note(`\n${question}\n${listed.join('\n')}`);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const typed = await asker.ask('Number, or Enter for 1:');
    if (typed === undefined) return undefined;
    const number = typed === '' ? 1 : Number(typed);
    if (Number.isInteger(number) && number >= 1 && number <= choices.length) return number - 1;
    note(`There is no ${typed}: give a number from 1 to ${choices.length}.`);
  }
  return undefined;
}

/** The gateway's own reader has the last word. What it does not take is a defect of ours. */
function hold(path: string, text: string, env: NodeJS.ProcessEnv): void {
  const judged = judgeConfig(text, { path, origin: 'flag', env, builtinNames: BUILTIN_NAMES });
  if ('config' in judged) return;
  const [first] = judged.problems;
  throw new SluiceError(
    'INTERNAL',
    `what was to be written is not valid: ${first?.message ?? 'no reason given'}`,
  );
}

function write(path: string, text: string, force: boolean): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    return `${dirname(path)} cannot be made: ${messageOf(error)}`;
  }
  return writeNew(path, text, force).problem;
}

/** A person who cannot be asked is told what `--yes` would do; nothing is written. */
function wouldDo(context: Context, path: string, choice: Choice, found: readonly Candidate[]): number {
  const { output, json } = context;
  if (json) output.json(documentOf(path, choice, found, { written: false }));
  else for (const line of foundLines(found)) output.note(line);
  output.note(`With --yes: writes ${path}, where ${chosenText(choice)} answers. Nothing was written.`);
  return EXIT.usage;
}

function refused(context: Context, path: string, problem: string, found: readonly Candidate[] = []): number {
  const { output, json } = context;
  if (json) output.json({ ok: false, written: false, file: path, problem, found: found.map(shownOf) });
  const hint = problem.endsWith('exists') ? '; replace it with --force, or name another with --config' : '';
  output.note(`sluice: ${problem}${hint}`);
  return EXIT.failed;
}

function tell(
  context: Context,
  path: string,
  choice: Choice,
  found: readonly Candidate[],
  options: InitOptions,
): void {
  const { output, json } = context;
  const { run, send } = nextOf(context, path, options);
  if (json) {
    output.json({ ...documentOf(path, choice, found, { written: true }), next: [run, send] });
    return;
  }
  output.print(`Wrote ${path}: ${chosenText(choice)} answers.`);
  output.print(`\nStart it   ${run}\nSay hello  ${send}`);
}

/** The two lines to type next, in this folder. The file is named where another one, or none, would be found by itself. */
function nextOf({ cwd, env }: Context, path: string, options: InitOptions): { run: string; send: string } {
  const home = options.home === undefined ? [] : ['--home', options.home];
  const config = findConfig({ env, cwd }).path === path ? [] : ['--config', path];
  return {
    run: lineOf(['run', ...home, ...config], cwd),
    send: `${lineOf(['send', ...home], cwd)} "say hello"`,
  };
}

function documentOf(
  path: string,
  choice: Choice,
  found: readonly Candidate[],
  { written }: { written: boolean },
) {
  const { candidate, model = null } = choice;
  return {
    ok: written,
    written,
    file: path,
    chosen: { ...shownOf(candidate), model },
    found: found.map(shownOf),
  };
}

const shownOf = (candidate: Candidate) => ({ ...candidate, models: modelsOf(candidate) });

const foundLines = (found: readonly Candidate[]): string[] =>
  found.map((candidate) => `found  ${describe(candidate)}`);

function chosenText({ candidate, model }: Choice): string {
  if (candidate.kind === 'demo') return 'the built-in demo agent';
  return model === undefined ? candidate.name : `${candidate.name} with ${model}`;
}
