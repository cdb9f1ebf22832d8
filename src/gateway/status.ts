/** The status document, put together from the parts of a gateway. */
import type { LastExit } from '../store/last-exit.ts';
import type { Outage } from './circuits.ts';
import type { Held } from './held.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { LinkView } from './link.ts';
import type { QuickCommands } from './quick-commands.ts';
import type { Resumes } from './resumes.ts';
import type { StatusReport } from './status-report.ts';
import type { Turns } from './turns.ts';

export interface StatusSources {
  readonly lifecycle: Lifecycle;
  readonly held: Held;
  readonly resumes: Resumes;
  readonly turns: Turns;
  readonly commands: QuickCommands;
  readonly links: () => readonly LinkView[];
  readonly agents: () => readonly { name: string; type: string }[];
  /** What is wrong with an agent that is down. */
  readonly outage: (agent: string) => Outage | undefined;
  readonly about: Pick<StatusReport, 'pid' | 'version' | 'startedAt' | 'supervisor'>;
  readonly warnings: () => readonly string[];
  readonly http: () => string | null;
  readonly lastExit: () => LastExit | null;
  readonly deadlines: () => StatusReport['deadlines'];
  /** The text without known secrets: people name conversations as they like, and problems quote what they are about. */
  readonly redact: (text: string) => string;
}

export function statusReport(sources: StatusSources): StatusReport {
  const view = sources.lifecycle.view;
  const report: StatusReport = {
    state: view.state,
    epoch: sources.lifecycle.epoch,
    pid: sources.about.pid,
    version: sources.about.version,
    startedAt: sources.about.startedAt,
    intent: view.request?.intent ?? null,
    cause: view.request?.cause ?? null,
    actor: view.request?.actor ?? null,
    deadlineAt: view.deadlineAt,
    accepts: view.accepts,
    degraded: view.degraded,
    warnings: sources.warnings(),
    held: sources.held.count,
    waiting: sources.turns.waitingCount,
    awaitingResume: sources.resumes.count,
    inFlight: {
      turns: sources.turns.running.map(({ row }) => ({
        id: row.id,
        conversation: row.conversation,
        agent: row.agent,
        startedAt: row.startedAt,
      })),
      commands: sources.commands.inFlight.map(({ row, startedAt }) => ({
        id: row.id,
        name: row.name,
        actor: row.actor,
        startedAt: startedAt ?? row.receivedAt,
        waiting: startedAt === null,
      })),
    },
    platforms: sources.links(),
    agents: sources.agents().map(({ name, type }) => {
      const outage = sources.outage(name);
      return {
        name,
        type,
        health: outage === undefined ? 'usable' : 'circuit-open',
        reason: outage?.cause ?? null,
        accepts: sources.lifecycle.turnAdmission(name),
      };
    }),
    http: sources.http(),
    supervisor: sources.about.supervisor,
    lastExit: sources.lastExit(),
    deadlines: sources.deadlines(),
  };
  return inTexts(report, sources.redact) as StatusReport;
}

/** The same value with each text in it changed; keys stay. */
function inTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => inTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inTexts(inner, change)]));
}
