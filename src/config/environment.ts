/**
 * The environment variables that override keys of the configuration. A bad value never stops the gateway and never
 * falls back to a default: it becomes a warning that names it, and the file's value holds.
 */
import { durationProblem, show } from './fields.ts';
import { BUSY_INPUT_MODES, type BusyInputMode } from './schema.ts';
import { parseDurationMs } from './units.ts';

export interface Overridable {
  readonly drainTimeoutMs: number;
  readonly busyInputMode: BusyInputMode;
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
