/** What the gateway knows of its agents: which there are, which of them are down, and whom each conversation talks to. */
import type { Agent } from '../agents/agent.ts';
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import { AgentChoice } from './agent-choice.ts';
import { BackNotices } from './back-notices.ts';
import { Circuits } from './circuits.ts';
import type { Conversations } from './conversations.ts';
import type { Delivery } from './delivery.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { GatewayOptions } from './options.ts';

/** A configured agent with its limits. */
export interface ConfiguredAgent {
  readonly agent: Agent;
  readonly timeoutMs: number;
  /** Turns at the same time. */
  readonly maxTurns: number;
  /** Failures in a row that open its circuit. */
  readonly failureThreshold: number;
}

/** The agent of this name; undefined when the configuration has none. */
export function configuredAgent(
  { config, agent: agentNamed }: GatewayOptions,
  name: string,
): ConfiguredAgent | undefined {
  const { agents, maxTurns } = config();
  const settings = Object.hasOwn(agents, name) ? agents[name] : undefined;
  const agent = agentNamed(name);
  if (settings === undefined || agent === undefined) return undefined;
  const { turnTimeoutMs: timeoutMs, failureThreshold } = settings;
  return { agent, timeoutMs, maxTurns: settings.maxTurns ?? maxTurns, failureThreshold };
}

/** An open circuit is a reason of the chart's degraded set, under the name of its agent. */
const reasonOf = (name: string): string => `agent:${name}`;

/** What the agents' part speaks to: the chart, people on platforms, and whoever watches a conversation. */
interface Hearers {
  readonly lifecycle: Lifecycle;
  readonly delivery: Delivery;
  readonly conversations: Conversations;
}

/** Puts together what watches over the agents. */
export function assembleAgents(options: GatewayOptions, { lifecycle, delivery, conversations }: Hearers) {
  const { clock, log, store, config } = options;
  const backNotices = new BackNotices({
    log,
    turnAdmission: (agent) => lifecycle.turnAdmission(agent),
    say: (to, agent) => {
      const text = replies.agentBack(agent);
      conversations.tell(to.conversation, { type: 'notice', text });
      if (!waitsAtConnection(to)) delivery.say(to, text);
    },
  });
  const circuits = new Circuits({
    clock,
    log,
    agent: (name) => configuredAgent(options, name),
    opened: (name, { cause: detail }) => {
      backNotices.down(name);
      lifecycle.send({ type: 'degraded.raised', reason: reasonOf(name), detail });
    },
    closed: (name, because) => {
      lifecycle.send({ type: 'degraded.cleared', reason: reasonOf(name) });
      if (because === 'answers') backNotices.back(name);
      if (because === 'gone') backNotices.gone(name);
    },
    proven: (name) => backNotices.back(name),
  });
  const agentChoice = new AgentChoice({ config, store, clock, log });
  return { backNotices, circuits, agentChoice };
}
