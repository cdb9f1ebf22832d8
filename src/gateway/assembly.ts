/**
 * Puts the core's parts together: who is given whom. Three groups, each of which needs only the ones before it:
 * where the gateway stands and what leaves it; what carries work out; and the way in.
 *
 * A part that needs a later one gets a function that is called once both are there.
 */
import type { Config, ExecCommand } from '../config/schema.ts';
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import type { LastExit } from '../store/last-exit.ts';
import type { MessageRow } from '../store/records.ts';
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
import type { InHand, Settlement } from './in-hand.ts';
import { Intake } from './intake.ts';
import { Interventions } from './interventions.ts';
import { Judge } from './judge.ts';
import { storeBehindRecovery } from './late-recovery.ts';
import { Ledger } from './ledger.ts';
import { Lifecycle } from './lifecycle.ts';
import { Notices } from './notices.ts';
import type { GatewayOptions } from './options.ts';
import { Placing } from './placing.ts';
import { QuickCommands } from './quick-commands.ts';
import { Refusals, waitsFor } from './refusals.ts';
import { Requests } from './requests.ts';
import { resumptionOf } from './resume-policy.ts';
import { Resumes } from './resumes.ts';
import { Resuming } from './resuming.ts';
import { SafeMode } from './safe-mode.ts';
import type { StatusReport } from './status-report.ts';
import { TakeUp } from './take-up.ts';
import { TurnProgress } from './turn-progress.ts';
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
  /** Turns are about to be taken again after a crash loop. */
  readonly leavingSafeMode: () => void;
  /** Something was held that may be taken up by now. */
  readonly heldLate: () => void;
  /** What earlier lives left is found late, because the store could not be written. */
  readonly awaitsRecovery: () => boolean;
  /** A person's word for what waits for one. */
  readonly resume: (message: InHand) => Promise<Settlement>;
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
  const { clock, log, store, config, platforms, supervisor, inspect, redact, random = Math.random } = options;
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
  const connections: Connections = new Connections({
    clock,
    log,
    platforms,
    receive,
    random,
    up: (name) => delivery.linkUp(name),
    down: (name, reason) => delivery.linkDown(name, reason),
    changed: () => changed('counters'),
  });
  const delivery: Delivery = new Delivery({
    store: storeBehindRecovery(store, hooks.awaitsRecovery),
    clock,
    log,
    life,
    platform: (name) => connections.platform(name),
    isUp: (name) => connections.isUp(name),
    random,
  });
  const conversations = new Conversations(store, log);
  const ledger = new Ledger({ store, clock, log, delivery, conversations, life, redact });
  const held = new Held(clock, (row) => delivery.say(row, replies.held(goingWhere(lifecycle.view))));
  const resumes = new Resumes({ store, clock, log });
  const holding = new Holding({
    ...{ store, log, lifecycle, ledger, conversations, held, resumes, nowHeld, settled },
  });
  const notices: Notices = new Notices({
    ...{ store, clock, log, delivery, life },
    epoch: () => lifecycle.epoch,
    // No agent has the empty name, so that none of their outages is asked for.
    takesTurns: (agent = '') =>
      lifecycle.turnAdmission(agent) === 'dispatch' && !agents.backNotices.isDown(agent),
    rests: (conversation) => resumes.isQuarantined(conversation),
    watched: (conversation, text) => conversations.tell(conversation, { type: 'notice', text }),
  });
  const safeMode = new SafeMode({ store, clock, log, life, lifecycle, leaving: hooks.leavingSafeMode });
  const agents: ReturnType<typeof assembleAgents> = assembleAgents(options, {
    lifecycle,
    notices,
    conversations,
  });
  const kept = { held, holding, resumes };
  return { lifecycle, connections, delivery, conversations, ledger, notices, safeMode, ...kept, ...agents };
}

/** Turns, quick commands, the gateway's own commands, and the requests that these make. */
function assembleWork(options: GatewayOptions, hooks: Hooks, outward: Outward) {
  const { lifecycle, delivery, conversations, ledger, holding, notices, safeMode, circuits, agentChoice } =
    outward;
  const { clock, log, store, config, processes, environment, redact, configProblem } = options;
  const { programProblem = () => null } = options;
  const { life, settled } = hooks;
  const access = new Access(config, clock);
  const dispatch: Dispatch = new Dispatch({
    store,
    clock,
    log,
    ledger,
    conversations,
    showTyping: (conversation, on) => delivery.typing(conversation, on),
    turns: () => turns,
    commands: () => commands,
    control: () => control,
    settled,
    workEnded: (workId) => requests.workEnded(workId),
    hold: (message) => holding.hold([message, ...turns.takeUnstartedOf(message.row.conversation)], 'store'),
    suspend: (message, suspension) => holding.suspend(message, suspension),
    resume: (message) => hooks.resume(message),
  });
  const { turns, progress } = assembleTurns(options, hooks, outward, dispatch);
  const commands = new QuickCommands({
    clock,
    processes,
    life,
    environment,
    redact,
    concurrency: (command) => concurrencyNow(config(), command),
    start: (command) => dispatch.startCommand(command),
  });
  const requests = new Requests({
    clock,
    log,
    lifecycle,
    turns,
    configProblem,
    programProblem,
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
    leaveSafeMode: (because) => safeMode.leave(because),
    promiseBack: (row) => void notices.promiseBack(row),
  });
  return { access, dispatch, turns, progress, commands, requests };
}

/** Turns, and what of them is kept while they run. */
function assembleTurns(options: GatewayOptions, hooks: Hooks, outward: Outward, dispatch: Dispatch) {
  const { life, heldLate } = hooks;
  const { conversations, ledger, holding, resumes, circuits } = outward;
  const { clock, log, store, config } = options;
  const turns: Turns = new Turns({
    clock,
    log,
    life,
    agent: (name) => configuredAgent(options, name),
    maxTurns: () => config().maxTurns,
    start: (turn) => dispatch.startTurn(turn),
    agentEnded: ({ row, agent }, failure) => {
      if (failure !== null) return circuits.failed(row.agent, agent, failure);
      circuits.answered(row.agent, agent);
      resumes.endedWell(row.conversation);
    },
    // The drain that it was to wait for may be over.
    holdLate: (messages) => void holding.hold(messages, 'state').then(heldLate),
    delta: ({ message: { row: message }, answer }, text) => {
      ledger.tell(message.id, { type: 'delta', text });
      const offset = answer.length - text.length;
      conversations.tell(message.conversation, { type: 'delta', message, text, offset });
      progress.grew();
    },
    resumption: ({ row: { effects, conversation }, message }) => {
      const quarantined = resumes.isQuarantined(conversation);
      const cut = { effects, receivedAt: message.row.receivedAt, quarantined };
      const goesOn = resumptionOf(cut, config().turns, clock.wallMs());
      return goesOn === 'ask' && !resumes.hasRoom(conversation) ? 'end' : goesOn;
    },
  });
  const progress: TurnProgress = new TurnProgress({ store, clock, log, running: () => turns.running });
  return { turns, progress };
}

/** From a message to its place, and from the held ones back to theirs. */
function assembleInward(options: GatewayOptions, hooks: Hooks, parts: Outward & Work) {
  const { store, clock, log, config } = options;
  const { life, awaitsRecovery, lastExit, settled, heldLate, changed } = hooks;
  const { lifecycle, delivery, conversations, ledger, held, access, dispatch, turns, commands } = parts;
  const { circuits, backNotices, agentChoice, holding, notices, resumes } = parts;
  const leftMs = () => {
    const { deadlineAt } = lifecycle.view;
    return deadlineAt === null ? null : deadlineAt - clock.wallMs();
  };
  const outage = (agent: string) => circuits.outage(agent);
  const storeObstacle = () => store.obstacle;
  const judge = new Judge({ config, access, lifecycle, leftMs, outage, storeObstacle });
  const refusals = new Refusals();
  const placing = new Placing({
    ledger,
    held,
    refusals,
    turns,
    commands,
    dispatch,
    agentNames: () => Object.keys(config().agents),
    going: () => goingWhere(lifecycle.view),
    storeObstacle,
    settled,
    isQuarantined: (conversation) => resumes.isQuarantined(conversation),
    heldDecided: () => takeUp.heldDecided(),
    refusedByChart: (row, refusal) => {
      if (waitsFor(refusal) === 'agent') backNotices.refused(row.agent ?? DEFAULT_AGENT, row);
      else if (!waitsAtConnection(row)) void notices.promiseBack(row);
    },
  });
  const rules = () => config().turns;
  const takeUp: TakeUp = new TakeUp({
    ...{ store, clock, log, access, judge, placing, ledger, held, holding, resumes, rules, life, settled },
    isBecomingHeld: (conversation) => turns.isBecomingHeld(conversation),
  });
  const resuming = new Resuming({ store, clock, log, held, resumes, takeUp, turns });
  const intake = new Intake({
    ...{ store, clock, log, config, access, judge, ledger, held, placing, conversations, life, lastExit },
    agentFor: (inbound) => agentChoice.agentFor(inbound),
    epoch: () => lifecycle.epoch,
    saidBy: (messageId) => turns.running.find(({ message }) => message.row.id === messageId)?.answer ?? '',
    startedAt: options.about.startedAt,
    say: (row, text) => delivery.say(row, text),
  });
  const interventions = new Interventions({
    ...{ store, log, delivery, ledger, held, resumes, turns, life, awaitsRecovery, settled, heldLate },
    changed: () => changed('counters'),
  });
  return { refusals, takeUp, resuming, intake, interventions };
}

/** Of a command that was reloaded, or removed, since it was admitted. */
function concurrencyNow({ quickCommands }: Config, { name, concurrency }: ExecCommand): number {
  const now = Object.hasOwn(quickCommands, name) ? quickCommands[name] : undefined;
  return now?.type === 'exec' ? now.concurrency : concurrency;
}
