/**
 * `sluice config plan`: what would become of each key of a configuration that differs from the one that runs, and
 * when. It asks the gateway of this home what runs; where there is none it compares with the last configuration that
 * reached `running`. Changes nothing.
 */
import { dirname } from 'node:path';
import { checkedOf, checkFile } from '../config/check.ts';
import { readConfigText } from '../config/config-file.ts';
import type { PlannedChange, RunningConfiguration } from '../config/configuration.ts';
import { heldByEnvironment } from '../config/environment.ts';
import { latest } from '../config/key-facts.ts';
import type { Applies } from '../config/keys.ts';
import { readLastGood } from '../config/last-good.ts';
import { judgeConfig } from '../config/load.ts';
import { absolutePath, packagedFile } from '../config/paths.ts';
import { type Change, planOf, reloadedFile } from '../config/plan.ts';
import type { ConfigFile } from '../config/schema.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { counted, documentOf, type FileOptions, printProblems } from './config-check.ts';
import { type Context, EXIT } from './context.ts';
import { gatewayEnvironment, type JudgedBy, shellEnvironment } from './gateway-environment.ts';

/** What is compared with, and whose it is. */
interface Baseline extends RunningConfiguration {
  readonly of: 'gateway' | 'last-good';
}

/** Prints the plan. 0: there is one, 1: the file is not valid. Throws NO_GATEWAY where there is nothing to compare with. */
export async function configPlan(
  context: Context,
  file: string | undefined,
  options: FileOptions,
): Promise<number> {
  const baseline = (await askGateway(context)) ?? lastGood(context);
  if (baseline === undefined) {
    throw new SluiceError(
      'NO_GATEWAY',
      'no gateway is running here, and none ever was: there is nothing to compare with',
    );
  }
  const named = file ?? options.config;
  const path = named === undefined ? baseline.file : absolutePath(named, context.cwd);
  const origin =
    named !== undefined ? 'flag' : path === packagedFile('quickstart.yaml') ? 'quickstart' : 'gateway';
  const found = { path, origin } as const;
  // It is judged as what would stand in the place of the gateway's own file.
  const { env, environment } = await judgedBy(context, baseline, path);
  const folder = dirname(baseline.file);
  const { problems, warnings, loaded } = checkFile({ ...found, folder, env, builtinNames: BUILTIN_NAMES });
  if (loaded === undefined) {
    if (context.json)
      context.output.json({ ...documentOf(found, problems), environment, changes: [], warnings });
    else printProblems(context, found, problems);
    return EXIT.failed;
  }
  const changes = planOf(runningFile(env, baseline), loaded.file).map(
    (change): PlannedChange => ({ ...change, heldBy: baseline.heldBy[change.key] ?? null }),
  );
  if (context.json) {
    const against = { of: baseline.of, file: baseline.file, isLastGood: baseline.isLastGood };
    context.output.json({
      ...documentOf(found, []),
      ...{ environment, against, changes, needs: needsOf(changes), warnings },
    });
  } else {
    print(context, { path, baseline, changes, warnings });
  }
  return EXIT.done;
}

/** What the gateway of this home runs on; undefined where none answers, or one of a version that does not tell. */
async function askGateway({ control, output }: Context): Promise<Baseline | undefined> {
  try {
    const { status, json } = await control.request('GET', '/v1/configuration');
    if (status === 200) return { ...(json as unknown as RunningConfiguration), of: 'gateway' };
    output.note('the running gateway does not tell its configuration: compared with its last good one');
    return undefined;
  } catch (error) {
    if (isSluiceError(error, 'NO_GATEWAY')) return undefined;
    throw error;
  }
}

/** All three texts are judged alike: by what the gateway has, where one runs. */
async function judgedBy(context: Context, baseline: Baseline, path: string): Promise<JudgedBy> {
  const { text, startText = text, of, variables } = baseline;
  const candidate = readConfigText(path);
  const texts = [text, startText, ...(typeof candidate === 'string' ? [candidate] : [])];
  if (of === 'last-good') return shellEnvironment(context, texts, 'no gateway is running here');
  const judged = await gatewayEnvironment(context, texts);
  return { ...judged, env: { ...judged.env, ...variables } };
}

function lastGood({ paths, env }: Context): Baseline | undefined {
  const kept = readLastGood(paths.lastGood);
  return (
    kept && {
      ...kept,
      of: 'last-good',
      startText: kept.text,
      remade: [],
      isLastGood: true,
      heldBy: heldByEnvironment(env),
      variables: {},
    }
  );
}

/** What runs: the text that was loaded last, with what waits for a restart as it was at the start. */
function runningFile(env: NodeJS.ProcessEnv, baseline: Baseline): ConfigFile {
  const loaded = fileOf(env, baseline, baseline.text);
  // A gateway of a version that did not reload does not tell it.
  const { startText = baseline.text, remade = [] } = baseline;
  return startText === baseline.text
    ? loaded
    : reloadedFile(fileOf(env, baseline, startText), loaded, remade);
}

/** A text of the gateway, as this version reads it. Throws CONFIG_INVALID where it would not take it any more. */
function fileOf(env: NodeJS.ProcessEnv, { file }: Baseline, text: string): ConfigFile {
  const options = { path: file, origin: 'gateway', env, builtinNames: BUILTIN_NAMES } as const;
  const judged = judgeConfig(text, options);
  if ('config' in judged) return judged.file;
  const [first] = checkedOf(judged).problems;
  const why = `${first?.key} ${first?.message}`;
  throw new SluiceError(
    'CONFIG_INVALID',
    `what ran cannot be read here, so nothing can be compared with it: ${why}`,
    {
      hint: 'It may be of another version, or name variables that are not set in this shell.',
    },
  );
}

const WHEN: Readonly<Record<Applies, string>> = { now: 'now', turn: 'next turn', restart: 'restart' };

const NEEDS: Readonly<Record<Applies, string>> = {
  now: 'A reload is enough.',
  turn: 'A reload is enough; turns that run keep what they began with.',
  restart: 'A restart is needed for what says so: sluice restart',
};

/** The latest moment that any of the changes waits for; null where there is none. */
function needsOf(changes: readonly PlannedChange[]): Applies | null {
  return changes.length === 0 ? null : latest(changes.map(({ applies }) => applies));
}

interface Plan {
  readonly path: string;
  readonly baseline: Baseline;
  readonly changes: readonly PlannedChange[];
  readonly warnings: readonly string[];
}

function print({ output }: Context, { path, baseline, changes, warnings }: Plan): void {
  const against = baseline.of === 'gateway' ? 'what runs' : 'the last configuration that ran';
  if (baseline.of === 'gateway' && baseline.isLastGood) {
    output.note('the gateway runs on its last good configuration, because its file was not valid');
  }
  for (const { applies, key, heldBy, ...change } of changes) {
    const held = heldBy === null ? '' : ` (no effect: ${heldBy} holds in the gateway's environment)`;
    output.print(`${WHEN[applies].padEnd(9)}  ${key}  ${changeText(change)}${held}`);
  }
  for (const warning of warnings) output.print(`warning: ${warning}`);
  const needs = needsOf(changes);
  output.print(
    needs === null
      ? `${path} changes nothing in ${against}`
      : `${path} makes ${counted(changes.length, 'change')} to ${against}. ${NEEDS[needs]}`,
  );
}

/** The change as people read it: `30s → 90s`, or that a whole thing was added or removed. */
export function changeText({ change, before, after }: Pick<Change, 'change' | 'before' | 'after'>): string {
  if (before === null && after === null) return change;
  return `${before ?? '(not set)'} → ${after ?? '(not set)'}`;
}
