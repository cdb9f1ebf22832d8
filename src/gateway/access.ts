/** Who may do what: judged before anything else, in every state. */
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Classified } from '../messages/classify.ts';
import { builtinNamed, type Role, satisfies } from '../messages/commands.ts';
import { isLocalOwner } from '../messages/local.ts';

/** How often a stranger is told; between, their messages meet silence. */
const STRANGER_NOTICE_MS = 60 * 60 * 1000;

/** Strangers that are remembered as told; the oldest is forgotten first. */
const STRANGERS_MAX = 1000;

export class Access {
  readonly #config: () => Config;
  readonly #clock: Clock;
  readonly #told = new Map<string, number>();

  constructor(config: () => Config, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** The role of `platform:id`; undefined for a stranger. */
  roleOf(sender: string): Role | undefined {
    if (isLocalOwner(sender)) return 'owner';
    const { owners, users } = this.#config().access;
    if (owners.includes(sender)) return 'owner';
    return users.includes(sender) ? 'user' : undefined;
  }

  /** True when someone of this role may use what the text is. */
  allows(role: Role, classified: Classified): boolean {
    if (classified.kind === 'turn') return true;
    if (classified.kind === 'control') {
      return classified.name === 'unknown' || satisfies(role, builtinNamed(classified.name)?.role ?? 'owner');
    }
    return role === 'owner' || classified.command.allow.includes(role);
  }

  /** True when this stranger is to be told that the gateway does not know them; once in a while. */
  tellsStranger(sender: string): boolean {
    const now = this.#clock.monotonicMs();
    const last = this.#told.get(sender);
    if (last !== undefined && now - last < STRANGER_NOTICE_MS) return false;
    this.#told.delete(sender);
    this.#told.set(sender, now);
    const [oldest] = this.#told.keys();
    if (this.#told.size > STRANGERS_MAX && oldest !== undefined) this.#told.delete(oldest);
    return true;
  }
}
