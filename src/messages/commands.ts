/**
 * The gateway's own commands: the list that `classify`, access, `/help` and configuration checks read. One that
 * continues a turn is of kind `turn` and is admitted as one; all others are `control`, and answer in every state.
 */
import type { Kind } from '../../machines/events.ts';

export type Role = 'owner' | 'user';

export interface Builtin {
  readonly name: string;
  readonly kind: Extract<Kind, 'control' | 'turn'>;
  /** The least role that may use it. */
  readonly role: Role;
  /** What may follow the name; empty when nothing may. */
  readonly usage: string;
  readonly help: string;
}

export const BUILTINS = [
  { name: 'status', kind: 'control', role: 'user', usage: '', help: 'what the gateway is doing' },
  { name: 'help', kind: 'control', role: 'user', usage: '', help: 'this list' },
  {
    name: 'commands',
    kind: 'control',
    role: 'user',
    usage: '',
    help: 'the quick commands, with their arguments and who may',
  },
  {
    name: 'ps',
    kind: 'control',
    role: 'user',
    usage: '',
    help: 'turns and commands in flight, with their ids',
  },
  {
    name: 'agent',
    kind: 'control',
    role: 'user',
    usage: '[NAME]',
    help: 'which agent this conversation talks to; or choose another one',
  },
  {
    name: 'interrupt',
    kind: 'control',
    role: 'user',
    usage: '',
    help: 'stop the running turn of this conversation',
  },
  {
    name: 'resume',
    kind: 'turn',
    role: 'user',
    usage: '',
    help: 'have answered what was interrupted in this conversation',
  },
  {
    name: 'resume-turns',
    kind: 'control',
    role: 'owner',
    usage: '',
    help: 'take turns again after a crash loop',
  },
  { name: 'cancel', kind: 'control', role: 'owner', usage: 'ID', help: 'end one turn or command by its id' },
  {
    name: 'drain',
    kind: 'control',
    role: 'owner',
    usage: '[cancel]',
    help: 'take no new turns, let the work end; or take turns again',
  },
  {
    name: 'restart',
    kind: 'control',
    role: 'owner',
    usage: '[now]',
    help: 'restart when the work is done, or now',
  },
  {
    name: 'stop',
    kind: 'control',
    role: 'owner',
    usage: '[now]',
    help: 'stop when the work is done, or now',
  },
] as const satisfies readonly Builtin[];

export type BuiltinName = (typeof BUILTINS)[number]['name'];

/** Those that answer in every state. */
export type ControlName = Extract<(typeof BUILTINS)[number], { kind: 'control' }>['name'];

export const BUILTIN_NAMES: readonly string[] = BUILTINS.map((builtin) => builtin.name);

/**
 * Names of built-ins that a later version brings. No quick command may take one, or that version would refuse a
 * configuration that this one took.
 */
export const RESERVED_NAMES: readonly string[] = [
  'agent',
  'busy',
  'new',
  'retry',
  'resume',
  'resume-turns',
  'approve',
  'deny',
].filter((name) => !BUILTIN_NAMES.includes(name));

type Listed = (typeof BUILTINS)[number];

const BY_NAME: ReadonlyMap<string, Listed> = new Map(BUILTINS.map((builtin) => [builtin.name, builtin]));

export const builtinNamed = (name: string): Listed | undefined => BY_NAME.get(name);

/**
 * What a request to stop, restart or drain is answered with when it changed nothing, because it could not. It is the
 * reason of the message that asked, so that a script hears of it; so is `NOT_IN_FLIGHT` of a `/cancel`.
 */
export const UNDONE_VERDICTS: readonly string[] = [
  'nothing-to-cancel',
  'nothing-to-clear',
  'too-late',
  'still-starting',
  'refused',
  'left',
];

export const NOT_IN_FLIGHT = 'not-in-flight';

/** True when someone of role `has` may use what asks for `asks`. */
export const satisfies = (has: Role, asks: Role): boolean => has === 'owner' || asks === 'user';
