/**
 * The environment variables that override keys of the configuration. A bad value never stops the gateway and never
 * falls back to a default: it becomes a warning that names it, and the file's value holds.
 */
import { durationProblem } from './fields.ts';
import { show } from './quoted.ts';
import { BUSY_INPUT_MODES, type BusyInputMode } from './schema.ts';
import { parseDurationMs } from './units.ts';

export interface Overridable {
  readonly drainTimeoutMs: number;
  readonly busyInputMode: BusyInputMode;
}

/** The keys that a variable overrides. */
const VARIABLES = {
  'agent.restart_drain_timeout': 'SLUICE_RESTART_DRAIN_TIMEOUT',
  'display.busy_input_mode': 'SLUICE_BUSY_INPUT_MODE',
} as const;

/** The variables that override keys. */
export const OVERRIDES: readonly string[] = Object.values(VARIABLES);

/** The keys whose values this environment holds over any file's, each with the variable that does. */
export function heldByEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const holds = {
    'agent.restart_drain_timeout': (value: string) => durationProblem(value, true) === undefined,
    'display.busy_input_mode': (value: string) => BUSY_INPUT_MODES.some((mode) => mode === value),
  } satisfies Record<keyof typeof VARIABLES, (value: string) => boolean>;
  const held = Object.entries(VARIABLES).filter(([key, name]) => {
    const value = env[name]?.trim();
    return value ? holds[key as keyof typeof VARIABLES](value) : false;
  });
  return Object.fromEntries(held);
}

/** `fromFile` with what `env` overrides; an empty variable counts as not set. */
export function applyOverrides(
  env: NodeJS.ProcessEnv,
  fromFile: Overridable,
): { values: Overridable; warnings: string[] } {
  const warnings: string[] = [];
  let { drainTimeoutMs, busyInputMode } = fromFile;

  const timeout = env.SLUICE_RESTART_DRAIN_TIMEOUT?.trim();
  if (timeout) {
    const problem = durationProblem(timeout, true);
    if (problem === undefined) drainTimeoutMs = parseDurationMs(timeout) ?? drainTimeoutMs;
    else
      warnings.push(warning('SLUICE_RESTART_DRAIN_TIMEOUT', timeout, problem, `${drainTimeoutMs / 1000}s`));
  }

  const mode = env.SLUICE_BUSY_INPUT_MODE?.trim();
  if (mode) {
    const known = BUSY_INPUT_MODES.find((candidate) => candidate === mode);
    const problem = 'is not a busy input mode; use interrupt, queue or steer';
    if (known === undefined) warnings.push(warning('SLUICE_BUSY_INPUT_MODE', mode, problem, busyInputMode));
    else busyInputMode = known;
  }
  return { values: { drainTimeoutMs, busyInputMode }, warnings };
}

function warning(name: string, value: string, problem: string, holds: string): string {
  return `${name}: ${show(value)} ${problem}; the configuration's ${holds} holds`;
}
