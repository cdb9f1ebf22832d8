/**
 * Tells those who were refused because an agent was down that it is back: once each conversation, as soon as turns for
 * it are taken. Of this machine's own people those hear of it who watch their conversation by then. Kept in memory only.
 */
import type { Admission } from '../../machines/events.ts';
import { waitsAtConnection } from '../messages/local.ts';
import type { MessageRow } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * Conversations that are remembered as refused, for each agent: of platforms so many, of which further ones are not
 * told, and of this machine so many, of which the first ones are forgotten. A script makes a new one each time.
 */
export const REFUSED_KEPT_MAX = 1000;

type Told = Pick<MessageRow, 'platform' | 'conversation'>;

export interface BackNoticesOptions {
  readonly log: Log;
  /** What a turn for this agent would meet now. */
  readonly turnAdmission: (agent: string) => Admission;
  readonly say: (to: Told, agent: string) => void;
}

interface Refused {
  readonly conversations: Map<string, Told>;
  /** Of this machine, whose people only hear of it while they watch. */
  readonly atConnections: Map<string, Told>;
  isBack: boolean;
}

export class BackNotices {
  readonly #options: BackNoticesOptions;
  /** By agent: those that are down, or back and not told yet. */
  readonly #refused = new Map<string, Refused>();

  constructor(options: BackNoticesOptions) {
    this.#options = options;
  }

  down(agent: string): void {
    const refused = this.#refused.get(agent) ?? {
      conversations: new Map(),
      atConnections: new Map(),
      isBack: false,
    };
    refused.isBack = false;
    this.#refused.set(agent, refused);
  }

  /** A turn for this agent was refused; remembered while the agent is down. */
  refused(agent: string, { platform, conversation }: Told): void {
    const refused = this.#refused.get(agent);
    if (refused === undefined) return;
    const { conversations, atConnections } = refused;
    if (waitsAtConnection({ platform })) {
      atConnections.delete(conversation);
      atConnections.set(conversation, { platform, conversation });
      const [first] = atConnections.keys();
      if (atConnections.size > REFUSED_KEPT_MAX && first !== undefined) atConnections.delete(first);
      return;
    }
    if (conversations.has(conversation)) return;
    if (conversations.size < REFUSED_KEPT_MAX) conversations.set(conversation, { platform, conversation });
    else this.#options.log.debug({ agent, conversation }, 'refused, and not told when the agent is back');
  }

  back(agent: string): void {
    const refused = this.#refused.get(agent);
    if (refused === undefined) return;
    refused.isBack = true;
    this.tell();
  }

  /** There is no such agent any more: nothing is left to tell. */
  gone(agent: string): void {
    this.#refused.delete(agent);
  }

  /** Tells whom it can: an agent may be back while the gateway takes no turns for another reason. */
  tell(): void {
    for (const [agent, { isBack, conversations, atConnections }] of [...this.#refused]) {
      if (!isBack || this.#options.turnAdmission(agent) !== 'dispatch') continue;
      this.#refused.delete(agent);
      for (const to of [...conversations.values(), ...atConnections.values()]) this.#options.say(to, agent);
    }
  }
}
