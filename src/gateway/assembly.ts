/**
 * Puts the core's parts together: who is given whom. Three groups, each of which needs only the ones before it:
 * where the gateway stands and what leaves it; what carries work out; and the way in.
 *
 * A part that needs a later one gets a function that is called once both are there.
 */
import type { Config, ExecCommand } from '../config/schema.ts';
import * as replies from '../messages/replies.ts';
import type { LastExit, MessageRow } from '../store/store.ts';
import { Access } from './access.ts';
import { DEFAULT_AGENT } from './agent-choice.ts';
import { assembleAgents, configuredAgent } from './agents.ts';
import { Connections, type ConnectionsOptions } from './connections.ts';
import { ControlCommands } from './control-commands.ts';
import { Conversations } from './conversations.ts';
import { shutdownTimes } from './deadlines.ts';
import { Delivery } from './delivery.ts';
import { goingWhere } from './departure.ts';
import { Dispatch } from './dispatch.ts';
import { Held } from './held.ts';
import { Holding } from './holding.ts';
import { Intake } from './intake.ts';
import { Judge } from './judge.ts';
import { Ledger } from './ledger.ts';
import { Lifecycle } from './lifecycle.ts';
import type { GatewayOptions } from './options.ts';
import { Placing } from './placing.ts';
import { QuickCommands } from './quick-commands.ts';
import { Refusals } from './refusals.ts';
import { Requests } from './requests.ts';
import type { StatusReport } from './status-report.ts';
import { TakeUp } from './take-up.ts';
import { Turns } from './turns.ts';

/** What the parts are told by, and tell, the gateway that they are the parts of. */
export interface Hooks {
  /** The number of this life; 0 until the store has given one. */
  readonly life: () => number;
  readonly lastExit: () => LastExit | null;
  readonly status: () => StatusReport;
  readonly receive: ConnectionsOptions['receive'];
  /** Something that a status shows has changed; `state` when it is the chart's. */
  readonly changed: (what: 'state' | 'counters') => void;
  /** The work of this message has left: tells the chart. */
  readonly settled: (messageId: string) => void;
  /** A message that waited for its place has become held. */
  readonly nowHeld: (row: MessageRow) => void;
}

export type Parts = ReturnType<typeof assemble>;

export function assemble(options: GatewayOptions, hooks: Hooks) {
  const outward = assembleOutward(options, hooks);
  const work = assembleWork(options, hooks, outward);
  return { ...outward, ...work, ...assembleInward(options, hooks, { ...outward, ...work }) };
}

type Outward = ReturnType<typeof assembleOutward>;
type Work = ReturnType<typeof assembleWork>;

/** The chart, the links, and what is said through them. */
function assembleOutward(options: GatewayOptions, hooks: Hooks) {
  const { life, receive, changed, settled, nowHeld } = hooks;
  const { clock, log, store, config, platforms, supervisor, inspect } = options;
  const lifecycle = new Lifecycle({
    supervisor,
    clock,
    log,
    journal: (row) => store.journal(row),
    times: () => shutdownTimes(config()),
    usual: () => ({ agent: DEFAULT_AGENT, whenBusy: config().busyInputMode }),
    changed: () => changed('state'),
    ...(inspect === undefined ? {} : { inspect }),
  });
  const connections = new Connections({
    clock,
    log,
    platforms,
    receive,
    changed: () => changed('counters'),
  });
  const delivery = new Delivery({
    store,
    clock,
    log,
    life,
    platform: (name) => connections.platform(name),
    canSend: (name) => connections.canSend(name),
  });
  const conversations = new Conversations(store, log);
  const ledger = new Ledger({ store, clock, log, delivery, conversations, life });
  const held = new Held(clock, (row) => delivery.say(row, replies.held(goingWhere(lifecycle.view))));
  const holding = new Holding({
    ...{ store, log, lifecycle, ledger, conversations, held, nowHeld, settled },
  });
  const agents = assembleAgents(options, { lifecycle, delivery, conversations });
  return { lifecycle, connections, delivery, conversations, ledger, held, holding, ...agents };
}

/** Turns, quick commands, the gateway's own commands, and the requests that these make. */
function assembleWork(options: GatewayOptions, hooks: Hooks, outward: Outward) {
  const { lifecycle, conversations, ledger, holding, circuits, agentChoice } = outward;
  const { clock, log, store, config, processes, environment, configProblem } = options;
  const { life, settled } = hooks;
  const access = new Access(config, clock);
  const dispatch: Dispatch = new Dispatch({
    store,
    clock,
    log,
    ledger,
    conversations,
    turns: () => turns,
    commands: () => commands,
    control: () => control,
    settled,
    workEnded: (workId) => requests.workEnded(workId),
    hold: (message) => holding.hold([message], 'store'),
  });
  const turns = new Turns({
    clock,
    log,
    life,
    agent: (name) => configuredAgent(options, name),
    maxTurns: () => config().maxTurns,
    start: (turn) => dispatch.startTurn(turn),
    agentEnded: ({ row, agent }, failure) => {
      if (failure === null) circuits.answered(row.agent, agent);
      else circuits.failed(row.agent, agent, failure);
    },
    delta: ({ message: { row: message }, answer }, text) => {
      ledger.tell(message.id, { type: 'delta', text });
      const offset = answer.length - text.length;
      conversations.tell(message.conversation, { type: 'delta', message, text, offset });
    },
  });
  const commands = new QuickCommands({
    clock,
    processes,
    life,
    environment,
    concurrency: (command) => concurrencyNow(config(), command),
    start: (command) => dispatch.startCommand(command),
  });
  const requests = new Requests({
    clock,
    log,
    lifecycle,
    configProblem,
    isWork: (workId) =>
      turns.running.some(({ row }) => row.id === workId) ||
      commands.inFlight.some(({ row }) => row.id === workId),
  });
  const wallMs = () => clock.wallMs();
  const { status } = hooks;
  const outage = (agent: string) => circuits.outage(agent);
  const control = new ControlCommands({
    config,
    access,
    requests,
    turns,
    commands,
    agentChoice,
    outage,
    status,
    wallMs,
  });
  return { access, dispatch, turns, commands, requests };
}

/** From a message to its place, and from the held ones back to theirs. */
function assembleInward(options: GatewayOptions, hooks: Hooks, parts: Outward & Work) {
  const { store, clock, log, config } = options;
  const { life, lastExit, settled } = hooks;
  const { lifecycle, delivery, conversations, ledger, held, access, dispatch, turns, commands } = parts;
  const { circuits, backNotices, agentChoice } = parts;
  const leftMs = () => {
    const { deadlineAt } = lifecycle.view;
    return deadlineAt === null ? null : deadlineAt - clock.wallMs();
  };
  const outage = (agent: string) => circuits.outage(agent);
  const judge = new Judge({ config, access, lifecycle, leftMs, outage });
  const refusals = new Refusals();
  const placing = new Placing({
    clock,
    ledger,
    held,
    refusals,
    turns,
    commands,
    dispatch,
    agentNames: () => Object.keys(config().agents),
    going: () => goingWhere(lifecycle.view),
    settled,
    refusedByChart: (row) => backNotices.refused(row.agent ?? DEFAULT_AGENT, row),
  });
  const takeUp = new TakeUp({ store, log, access, judge, placing, ledger, held, life, settled });
  const intake = new Intake({
    store,
    clock,
    log,
    config,
    access,
    judge,
    ledger,
    held,
    placing,
    conversations,
    life,
    agentFor: (inbound) => agentChoice.agentFor(inbound),
    epoch: () => lifecycle.epoch,
    lastExit,
    say: (row, text) => delivery.say(row, text),
  });
  return { refusals, takeUp, intake };
}

/** Of a command that was reloaded, or removed, since it was admitted. */
function concurrencyNow({ quickCommands }: Config, { name, concurrency }: ExecCommand): number {
  const now = Object.hasOwn(quickCommands, name) ? quickCommands[name] : undefined;
  return now?.type === 'exec' ? now.concurrency : concurrency;
}
