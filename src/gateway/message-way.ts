/**
 * One message's whole way, from what the store knows of it: each step with its time, and for one that was not simply
 * taken why, with state, rule, actor and time. Pure; the same for the interface and for a command without a gateway.
 */
import type { Admission, Request } from '../../machines/events.ts';
import type { JournalRow, MessageRow, Outcome } from '../store/records.ts';
import type { MessageTrail, TrailCommand, TrailReply, TrailTurn, TrailUsage } from '../store/trail.ts';

/** Characters of a text that a step quotes. */
export const STEP_TEXT_CHARS_MAX = 200;

/** One thing that happened. */
export interface Step {
  /** Wall milliseconds; null where only the fact is known. */
  readonly at: number | null;
  readonly what:
    | 'received'
    | 'decided'
    | 'judged again'
    | 'started'
    | 'ended'
    | 'reply'
    | 'delivered'
    | 'settled';
  /** For a person, one line. */
  readonly detail: string;
}

/** An agent that was down when a message came. */
export interface OutageThen {
  readonly agent: string;
  /** What was wrong with it when its circuit was opened, and when that was, in wall milliseconds; null: not known. */
  readonly reason: string | null;
  readonly since: number | null;
}

/** Why a message was refused or held. */
export interface Why {
  readonly admission: Exclude<Admission, 'dispatch'>;
  /** The rule: access, state, limit, arguments or store. */
  readonly rule: string;
  /** What the chart was in; null where the journal no longer knows. */
  readonly state: string | null;
  /** Whose doing it is: who asked the gateway to leave, the gateway itself, or the sender. */
  readonly actor: string;
  /** Of the rule `state`: the cause of the request, the failure, or the reasons of a degraded gateway. */
  readonly cause: string | null;
  /** Of a turn that was refused because its agent was down. */
  readonly outage: OutageThen | null;
  /** Wall milliseconds of the decision. */
  readonly at: number;
  /** Of the rule `state`: when that request was made, where the journal knows. */
  readonly askedAt: number | null;
  /** The same in one line for a person, without the times. */
  readonly text: string;
}

/** What is told of a message's row as it stands. */
type ToldOfRow =
  | ('id' | 'platform' | 'platformMessageId' | 'conversation' | 'sender')
  | ('kind' | 'text' | 'agent' | 'receivedAt' | 'epoch' | 'admission' | 'phase');

/** The document of `GET /v1/messages/{id}`. */
export interface MessageWay extends Pick<MessageRow, ToldOfRow> {
  readonly state: 'open' | 'settled';
  readonly outcome: Outcome | null;
  readonly reason: string | null;
  readonly settledAt: number | null;
  /** The message whose turn answers this one, too. */
  readonly mergedInto: string | null;
  readonly recorded: boolean;
  readonly why: Why | null;
  readonly turns: readonly TrailTurn[];
  readonly commands: readonly TrailCommand[];
  readonly replies: readonly TrailReply[];
  /** In the order of time. */
  readonly steps: readonly Step[];
}

/** What the journal keeps of the chart beside its state. */
interface Kept {
  readonly request: Request | null;
  readonly failure: { readonly kind: string } | null;
  readonly degraded: readonly string[];
}

/** Tells the way of a message. */
export function wayOf(trail: MessageTrail): MessageWay {
  const { message, turns, commands, replies } = trail;
  const { id, platform, platformMessageId, conversation, sender, kind, text, agent } = message;
  const { receivedAt, epoch, admission, phase, outcome, reason, settledAt, mergedInto, recorded } = message;
  return {
    ...{ id, platform, platformMessageId, conversation, sender, kind, text, agent, receivedAt, epoch },
    ...{ admission, state: outcome === null ? 'open' : 'settled', phase },
    ...{ outcome, reason, settledAt, mergedInto, recorded },
    why: whyOf(trail),
    ...{ turns, commands, replies },
    steps: stepsOf(trail),
  };
}

/** A refusal is the last decision about a message, which may have been held before; anything else is the first. */
function decisionOf({ message, journal }: MessageTrail): JournalRow | undefined {
  const judged = journal.filter(isJudgement);
  return message.outcome === 'refused' ? judged.at(-1) : judged[0];
}

function whyOf(trail: MessageTrail): Why | null {
  const { message, before, request } = trail;
  const admission = message.outcome === 'refused' ? 'refuse' : message.admission;
  if (admission === 'dispatch') return null;
  const decision = decisionOf(trail);
  const met = decision ?? before;
  const rule = ruleOf(message);
  const kept = met === null ? undefined : keptOf(met);
  const asked = rule === 'state' && kept !== undefined && kept.request !== null;
  const why = {
    admission,
    rule,
    state: met?.state ?? null,
    actor: actorOf(rule, kept, message.sender),
    cause: rule === 'state' && kept !== undefined ? causeOf(kept) : null,
    outage: rule === 'state' && kept !== undefined ? outageOf(kept, trail) : null,
    at: decision?.at ?? message.receivedAt,
    askedAt: asked ? (request?.at ?? null) : null,
  } as const;
  return { ...why, text: whyText(why) };
}

/**
 * The rule that refused or held it. Its row keeps one reason, the last: that of its outcome, or of what it waits for since.
 * Of a refusal this is the rule; a message is admitted as held by no other rule than the state.
 */
const ruleOf = ({ outcome, reason }: MessageRow & { readonly outcome: Outcome | null }): string =>
  outcome === 'refused' ? (reason ?? 'state') : 'state';

/** The gateway refuses for its own sake, or because somebody asked it to leave; the other rules are about the sender. */
function actorOf(rule: string, kept: Kept | undefined, sender: string): string {
  if (rule === 'store') return 'gateway';
  return rule === 'state' ? (kept?.request?.actor ?? 'gateway') : sender;
}

function causeOf({ request, failure, degraded }: Kept): string | null {
  if (failure !== null) return failure.kind;
  if (request !== null) return request.cause;
  return degraded.length === 0 ? null : degraded.join(', ');
}

/** Null where something else stood in the way: what a gateway is degraded by besides comes before its agents. */
function outageOf(
  { request, failure, degraded }: Kept,
  { message, opened }: MessageTrail,
): OutageThen | null {
  const { agent } = message;
  if (request !== null || failure !== null || agent === null) return null;
  if (!degraded.includes(`agent:${agent}`)) return null;
  if (degraded.includes('store') || degraded.includes('safe-mode')) return null;
  const { detail = null } = opened === null ? {} : (JSON.parse(opened.event) as { detail?: string });
  return { agent, reason: detail, since: opened?.at ?? null };
}

function stepsOf(trail: MessageTrail): Step[] {
  const { message, life, turns, commands, replies } = trail;
  const { text, rewrittenText, sender, conversation, kind, platform, platformMessageId } = message;
  const by =
    life === null
      ? ''
      : `, ${life.kind} ${life.epoch === null ? '' : `epoch ${life.epoch}, `}pid ${life.pid}`;
  const steps: Step[] = [
    {
      at: message.receivedAt,
      what: 'received',
      detail: `${quoted(text)} from ${sender} in ${conversation} (${platform} ${platformMessageId}${by})`,
    },
    ...judgements(trail, rewrittenText === null ? kind : `${kind}, as ${quoted(rewrittenText)}`),
    ...turns.flatMap(turnSteps),
    ...commands.flatMap(commandSteps),
    ...replies.flatMap(replySteps),
  ];
  if (message.outcome !== null) {
    const merged = message.mergedInto === null ? '' : `, with ${message.mergedInto}`;
    const noted = message.recorded ? '' : ' (noted afterwards: the store could not be written)';
    const detail = `${message.outcome}${because(message.reason)}${merged}${noted}`;
    steps.push({ at: message.settledAt, what: 'settled', detail });
  }
  // Equal times stay in the order in which the steps follow from one another.
  return steps.toSorted((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity));
}

function judgements(trail: MessageTrail, kind: string): Step[] {
  const { message, journal } = trail;
  const why = whyOf(trail);
  const decision = decisionOf(trail);
  // A turn is asked about twice before it is refused or held, and an alias once more as what it stands for: one decision.
  const others = journal.filter((row) => isJudgement(row) && row.state !== decision?.state);
  const first = {
    at: decision?.at ?? message.receivedAt,
    what: 'decided',
    detail:
      why === null
        ? `${kind}: ${message.admission}${decision === undefined ? '' : ` in ${decision.state}`}`
        : `${kind}: ${why.text}`,
  } as const;
  const again = others.map(
    ({ at, state }): Step => ({ at, what: 'judged again', detail: `the chart was asked in ${state}` }),
  );
  return [first, ...again];
}

function whyText({ admission, rule, state, actor, cause, outage }: Omit<Why, 'text'>): string {
  const met = state === null ? 'in a state that the journal no longer has' : `in ${state}`;
  const wrong = outage?.reason == null ? '' : `: ${outage.reason}`;
  const why = outage === null ? cause : `the agent ${outage.agent} was down${wrong}`;
  const caused = why === null ? '' : ` (${why})`;
  return `${admission} ${met}, rule ${rule}, by ${actor}${caused}`;
}

function turnSteps({ id, agent, attempt, startedAt, endedAt, outcome, reason, usage }: TrailTurn): Step[] {
  const nth = attempt > 1 ? `, attempt ${attempt}` : '';
  const began: Step = { at: startedAt, what: 'started', detail: `turn ${id} by agent ${agent}${nth}` };
  if (endedAt === null) return [began];
  const detail = `turn ${id}: ${outcome}${because(reason)}${usage === null ? '' : `, ${usageText(usage)}`}`;
  return [began, { at: endedAt, what: 'ended', detail }];
}

/** `1200 tokens in (1000 of them cached), 34 out`. */
function usageText({ inputTokens, outputTokens, cachedTokens }: TrailUsage): string {
  const cached = cachedTokens === undefined ? '' : ` (${cachedTokens} of them cached)`;
  return `${inputTokens} tokens in${cached}, ${outputTokens} out`;
}

function commandSteps({ id, name, startedAt, endedAt, outcome, exitCode, signal }: TrailCommand): Step[] {
  const began: Step[] =
    startedAt === null ? [] : [{ at: startedAt, what: 'started', detail: `command ${id}, /${name}` }];
  if (endedAt === null) return began;
  const how = signal === null ? (exitCode === null ? '' : `, exit code ${exitCode}`) : `, ${signal}`;
  return [...began, { at: endedAt, what: 'ended', detail: `command ${id}: ${outcome}${how}` }];
}

function replySteps(reply: TrailReply): Step[] {
  const { id, kind, text, createdAt, state, attempts, possibleDuplicate, deliveredAt, error } = reply;
  const made: Step = { at: createdAt, what: 'reply', detail: `${kind} ${id}: ${quoted(text)}` };
  const tries = attempts > 1 ? `, ${attempts} attempts` : '';
  const twice = possibleDuplicate ? ', possibly twice' : '';
  const failed = error === null ? '' : `: ${error}`;
  const detail = `${id} ${state}${tries}${twice}${failed}`;
  return [made, { at: deliveredAt, what: 'delivered', detail }].filter(
    ({ what }) => what !== 'delivered' || state !== 'pending' || attempts > 0,
  ) as Step[];
}

const isJudgement = ({ event }: JournalRow): boolean => event.startsWith('{"type":"message.');

const keptOf = ({ context }: JournalRow): Kept => JSON.parse(context) as Kept;

const because = (reason: string | null): string => (reason === null ? '' : ` (${reason})`);

function quoted(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return JSON.stringify(line.length > STEP_TEXT_CHARS_MAX ? `${line.slice(0, STEP_TEXT_CHARS_MAX)}…` : line);
}
