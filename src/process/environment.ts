/**
 * Which variables a child process gets. Pure: the gateway's own environment comes in as a value.
 *
 * Commands get a short list, so that no secret of the gateway reaches a script by accident. Agents get
 * everything a person's shell would give them except the gateway's own `SLUICE_*` variables, the named secrets, and
 * what our supervisor said to us: a program that finds `NOTIFY_SOCKET` would speak to it in our name, and its READY,
 * STOPPING or WATCHDOG would be taken for the gateway's.
 */

import { WITHHELD_NAMES } from '../config/withheld.ts';

/** What a program needs to find other programs, its user and its language. */
const COMMAND_NAMES: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'TERM',
  'TZ',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
]);

/** The environment as Node types it: a name without a value is absent. */
type ParentEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The environment of a quick command: the short list and `LC_*` from `parent`, the variables of `parent` that
 * the operator named (not even then what the supervisor said to us), and `declared` values (arguments of the command),
 * which win.
 */
export function commandEnvironment(
  parent: ParentEnvironment,
  extraNames: readonly string[],
  declared: Readonly<Record<string, string>>,
): Record<string, string> {
  const extra = new Set(extraNames);
  const passes = (name: string) => COMMAND_NAMES.has(name) || name.startsWith('LC_') || extra.has(name);
  return { ...pick(parent, passes), ...declared };
}

/**
 * The environment of an agent: all of `parent` except `SLUICE_*`, the supervisor's words and `secretNames` (variables that the
 * configuration names as holding a token of the gateway), then `declared` values, which win.
 */
export function agentEnvironment(
  parent: ParentEnvironment,
  secretNames: readonly string[],
  declared: Readonly<Record<string, string>>,
): Record<string, string> {
  const secret = new Set(secretNames);
  return {
    ...pick(parent, (name) => !name.startsWith('SLUICE_') && !secret.has(name)),
    ...declared,
  };
}

function pick(parent: ParentEnvironment, passes: (name: string) => boolean): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(parent)) {
    if (value !== undefined && !WITHHELD_NAMES.has(name) && passes(name)) picked[name] = value;
  }
  return picked;
}
