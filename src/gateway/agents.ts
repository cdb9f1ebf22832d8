/** What the gateway knows of its agents: which there are, which of them are down, and whom each conversation talks to. */
import type { Agent } from '../agents/agent.ts';
import * as replies from '../messages/replies.ts';
import { AgentChoice } from './agent-choice.ts';
import { BackNotices } from './back-notices.ts';
import { Circuits } from './circuits.ts';
import type { Conversations } from './conversations.ts';
import type { Lifecycle } from './lifecycle.ts';
import { agentIncident, type Notices } from './notices.ts';
import type { GatewayOptions } from './options.ts';

/** A configured agent with its limits. */
export interface ConfiguredAgent {
  readonly agent: Agent;
  readonly timeoutMs: number;
  /** Turns at the same time. */
  readonly maxTurns: number;
  /** A turn of it may change something outside. */
  readonly effects: boolean;
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
  const { turnTimeoutMs: timeoutMs, effects, failureThreshold } = settings;
  return { agent, timeoutMs, effects, maxTurns: settings.maxTurns ?? maxTurns, failureThreshold };
}

/** An open circuit is a reason of the chart's degraded set, under the name of its agent. */
const reasonOf = (name: string): string => `agent:${name}`;

/** What the agents' part speaks to: the chart, people on platforms, and whoever watches a conversation. */
interface Hearers {
  readonly lifecycle: Lifecycle;
  readonly notices: Notices;
  readonly conversations: Conversations;
}

/** Puts together what watches over the agents. */
export function assembleAgents(options: GatewayOptions, { lifecycle, notices, conversations }: Hearers) {
  const { clock, log, store, config } = options;
  const incidentOf = (agent: string, since: number) => agentIncident(agent, lifecycle.epoch, since);
  const backNotices = new BackNotices({
    turnAdmission: (agent) => lifecycle.turnAdmission(agent),
    say: ({ conversation }, agent) =>
      conversations.tell(conversation, { type: 'notice', text: replies.agentBack(agent) }),
    promise: (to, agent, since) => void notices.promise(to, incidentOf(agent, since), 'back'),
    keepPromises: () => void notices.tell(),
    forget: (agent, since) => void notices.giveUp(incidentOf(agent, since)),
    wallMs: () => clock.wallMs(),
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
      // Before the chart, or those who were promised it would hear that the agent is back.
      if (because === 'gone') backNotices.gone(name);
      lifecycle.send({ type: 'degraded.cleared', reason: reasonOf(name) });
      if (because === 'answers') backNotices.back(name);
    },
    proven: (name) => backNotices.back(name),
  });
  const agentChoice = new AgentChoice({ config, store, clock, log });
  return { backNotices, circuits, agentChoice };
}
