/**
 * `sluice messages show`: everything that is known of one message: what it said, what became of it and why, each turn
 * and command that worked on it with what that said, and each reply with whether it arrived.
 */
import type { MessageWay } from '../../gateway/message-way.ts';
import { duration } from '../../messages/command-reply.ts';
import { reasonInWords } from '../../messages/reasons.ts';
import type { Looked } from '../../offline/reads.ts';
import { type Context, EXIT, reportReply } from '../context.ts';
import { askMessage } from '../message-way.ts';
import { momentOf } from '../moments.ts';
import { wrapped } from '../wrap.ts';

type Turn = MessageWay['turns'][number];
type Command = MessageWay['commands'][number];
type Reply = MessageWay['replies'][number] | Extract<Looked, { notice: unknown }>['notice'];

export async function showMessage(context: Context, id: string): Promise<number> {
  const asked = await askMessage(context, id);
  if ('refusal' in asked) return reportReply(context, asked.refusal);
  const { output, json } = context;
  const looked = asked.told;
  if ('notice' in looked) {
    if (json) output.json({ notice: looked.notice });
    else output.print(wrapped(replyLines(looked.notice).join('\n'), output.columns));
    return EXIT.done;
  }
  if (json) output.json(looked.way);
  else {
    output.print(wrapped(linesOf(looked.way).join('\n'), output.columns));
    for (const line of nextSteps(looked.way)) output.note(line);
  }
  return EXIT.done;
}

function linesOf(way: MessageWay): string[] {
  const { id, kind, conversation, sender, platform, platformMessageId, receivedAt, settledAt, why, text } =
    way;
  return [
    `${id}  ${kind} from ${sender} in ${conversation}`,
    `known to ${platform} as ${platformMessageId}`,
    `received ${momentOf(receivedAt)}${settledAt === null ? '' : `, settled ${momentOf(settledAt)}`}`,
    becameLine(way),
    ...(why === null ? [] : [`${why.text}, at ${momentOf(why.at)}`]),
    ...(way.recorded ? [] : ['noted afterwards: the store could not be written while it ran']),
    ...section('text', text),
    ...way.turns.flatMap(turnLines),
    ...way.commands.flatMap(commandLines),
    ...way.replies.flatMap(replyLines),
  ];
}

/** `refused: the gateway took none of its kind then (state)`. */
function becameLine({ outcome, phase, reason, mergedInto }: MessageWay): string {
  const merged = mergedInto === null ? '' : ` into ${mergedInto}`;
  const word = outcome === null ? `open, ${phase}` : `${outcome}${merged}`;
  if (reason === null) return word;
  const words = reasonInWords(reason);
  return words === reason ? `${word}: ${reason}` : `${word}: ${words} (${reason})`;
}

function turnLines({
  id,
  agent,
  attempt,
  life,
  startedAt,
  endedAt,
  outcome,
  reason,
  streamed,
}: Turn): string[] {
  const ended =
    endedAt === null ? 'has not ended' : `${outcome}${reason === null ? '' : `: ${reasonInWords(reason)}`}`;
  return [
    '',
    `turn ${id}, attempt ${attempt}, by agent ${agent} in life ${life}: ${ended}`,
    `  ${span(startedAt, endedAt)}`,
    ...section('  said', streamed),
  ];
}

function commandLines(command: Command): string[] {
  const { id, name, actor, argsHash, life, startedAt, endedAt, outcome, exitCode, signal, output } = command;
  const { durationMs } = command;
  const how = signal ?? (exitCode === null ? null : `exit code ${exitCode}`);
  const ended = outcome === null ? 'has not ended' : `${outcome}${how === null ? '' : `, ${how}`}`;
  const ran = startedAt === null ? 'has not started' : span(startedAt, endedAt);
  return [
    '',
    `command ${id}, /${name} by ${actor} in life ${life}: ${ended}`,
    `  ${ran}${durationMs === null ? '' : `, took ${took(durationMs)}`}`,
    `  arguments sha256 ${argsHash}`,
    ...section('  printed', output ?? ''),
  ];
}

function replyLines(reply: Reply): string[] {
  const { id, kind, state, attempts, possibleDuplicate, createdAt, nextAt, error, text } = reply;
  const arrivedAt = 'deliveredAt' in reply ? reply.deliveredAt : null;
  const facts = [
    `made ${momentOf(createdAt)}`,
    ...(arrivedAt === null ? [] : [`delivered ${momentOf(arrivedAt)}`]),
    ...(attempts === 0 ? [] : [`${attempts} attempt${attempts === 1 ? '' : 's'}`]),
    ...(state === 'pending' && nextAt !== null ? [`next try at ${momentOf(nextAt)}`] : []),
    ...(possibleDuplicate ? ['possibly sent twice'] : []),
  ];
  return [
    '',
    `${kind} ${id}: ${state}${error === null ? '' : `: ${error}`}`,
    `  ${facts.join(', ')}`,
    ...section('  text', text),
  ];
}

/** To the millisecond where the times beside it are too coarse to tell. */
const took = (ms: number): string => (ms < 1000 ? `${ms} ms` : duration(ms));

const span = (from: number, to: number | null): string =>
  to === null ? `since ${momentOf(from)}` : `${momentOf(from)} to ${momentOf(to).slice(11)}`;

/** A text as it is, below its name and indented; nothing for an empty one. */
function section(name: string, text: string): string[] {
  if (text.trim() === '') return [];
  const indent = `${' '.repeat(name.length - name.trimStart().length)}  `;
  return [
    name,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `${indent}${line}`),
  ];
}

/** What its owner can do about it now. */
function nextSteps({ id, outcome, phase, replies }: MessageWay): string[] {
  const isLost = replies.some(({ state }) => state === 'dead' || state === 'unknown');
  const waits = outcome === null && (phase === 'held' || phase === 'waiting' || phase === 'awaiting-resume');
  return [
    ...(phase === 'awaiting-resume' ? ['answered after all by: /resume in its conversation'] : []),
    ...(isLost ? [`sent again by: sluice messages retry ${id}`] : []),
    ...(waits ? [`given up by: sluice messages discard ${id}`] : []),
    `step by step: sluice logs --message ${id}`,
  ];
}
