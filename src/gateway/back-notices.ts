/**
 * Tells those who were refused because an agent was down that it is back: once each conversation, as soon as turns for
 * it are taken. Whoever waits at a connection was told to come again and is not there any more. Kept in memory only.
 */
import type { Admission } from '../../machines/events.ts';
import { waitsAtConnection } from '../messages/local.ts';
import type { MessageRow } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/** Conversations that are remembered as refused, for each agent; further ones are not told. */
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
    const refused = this.#refused.get(agent) ?? { conversations: new Map(), isBack: false };
    refused.isBack = false;
    this.#refused.set(agent, refused);
  }

  /** A turn for this agent was refused; remembered while the agent is down. */
  refused(agent: string, { platform, conversation }: Told): void {
    const refused = this.#refused.get(agent);
    if (refused === undefined || waitsAtConnection({ platform })) return;
    const { conversations } = refused;
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
    for (const [agent, { isBack, conversations }] of [...this.#refused]) {
      if (!isBack || this.#options.turnAdmission(agent) !== 'dispatch') continue;
      this.#refused.delete(agent);
      for (const to of conversations.values()) this.#options.say(to, agent);
    }
  }
}
