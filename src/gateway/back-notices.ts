/**
 * Tells those who were refused because an agent was down that it is back: once each conversation, as soon as turns for
 * it are taken. To people on platforms that is promised in the store, so that it outlives this life; of this machine's
 * own people those hear of it who watch their conversation by then.
 */
import type { Admission } from '../../machines/events.ts';
import { waitsAtConnection } from '../messages/local.ts';
import type { MessageRow } from '../store/records.ts';

/**
 * Conversations that are remembered as refused, for each agent; of this machine the first ones are forgotten past it: a
 * script makes a new one each time.
 */
export const REFUSED_KEPT_MAX = 1000;

type Told = Pick<MessageRow, 'platform' | 'conversation'>;

export interface BackNoticesOptions {
  /** What a turn for this agent would meet now. */
  readonly turnAdmission: (agent: string) => Admission;
  /** Tells whoever watches a conversation of this machine. */
  readonly say: (to: Told, agent: string) => void;
  /** Promises people on a platform that they are told; `since`: since when the agent is down. */
  readonly promise: (to: Told, agent: string, since: number) => void;
  /** Keeps the promises that can be kept. */
  readonly keepPromises: () => void;
  /** There is no such agent any more: what was promised of it is not kept. */
  readonly forget: (agent: string, since: number) => void;
  readonly wallMs: () => number;
}

interface Refused {
  readonly since: number;
  /** Of platforms: those that were promised. */
  readonly promised: Set<string>;
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

  /** True from the first refusal until an answer has shown that it is back. */
  isDown(agent: string): boolean {
    return this.#refused.get(agent)?.isBack === false;
  }

  down(agent: string): void {
    const refused = this.#refused.get(agent) ?? {
      since: this.#options.wallMs(),
      promised: new Set(),
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
    const { since, promised, atConnections } = refused;
    if (waitsAtConnection({ platform })) {
      atConnections.delete(conversation);
      atConnections.set(conversation, { platform, conversation });
      const [first] = atConnections.keys();
      if (atConnections.size > REFUSED_KEPT_MAX && first !== undefined) atConnections.delete(first);
      return;
    }
    if (promised.has(conversation)) return;
    // Forgotten past a limit, which costs no more than a promise that is made twice: the store keeps one.
    if (promised.size >= REFUSED_KEPT_MAX) promised.clear();
    promised.add(conversation);
    this.#options.promise({ platform, conversation }, agent, since);
  }

  back(agent: string): void {
    const refused = this.#refused.get(agent);
    if (refused === undefined) return;
    refused.isBack = true;
    this.tell();
  }

  /** There is no such agent any more: nothing is left to tell. */
  gone(agent: string): void {
    const refused = this.#refused.get(agent);
    this.#refused.delete(agent);
    if (refused !== undefined && refused.promised.size > 0) this.#options.forget(agent, refused.since);
  }

  /** Tells whom it can: an agent may be back while the gateway takes no turns for another reason. */
  tell(): void {
    const { turnAdmission, say, keepPromises } = this.#options;
    for (const [agent, { isBack, atConnections }] of [...this.#refused]) {
      if (!isBack || turnAdmission(agent) !== 'dispatch') continue;
      this.#refused.delete(agent);
      for (const to of atConnections.values()) say(to, agent);
    }
    keepPromises();
  }
}
