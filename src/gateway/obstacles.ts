/**
 * What stands in the way of a message that the chart has dispatched: a limit, an argument, or its conversation, which rests.
 * Whether there is room for it is asked where it gets its place. Pure.
 */
import { builtinNamed } from '../messages/commands.ts';
import { fitsMessage, MESSAGE_BYTES_MAX } from '../messages/inbound.ts';
import { nearest } from '../messages/near.ts';
import * as replies from '../messages/replies.ts';
import * as resumeReplies from '../messages/resume-replies.ts';
import type { MessageRow } from '../store/records.ts';
import type { InHand, Rule } from './in-hand.ts';

/** Why it gets no place, and what its sender is told. */
export interface Obstacle {
  readonly rule: Rule;
  readonly text: string;
  /** It is in the way of all that comes for a while, and said once in that. */
  readonly spell?: 'full' | 'resting' | undefined;
}

export interface ObstacleOptions {
  readonly agentNames: () => readonly string[];
  /** No turn of this conversation runs until a person says so. */
  readonly isQuarantined: (conversation: string) => boolean;
}

/** Limits of a dispatched message, and its arguments where it is no exec command: those are bound where it gets its place. */
export function obstacleOf(
  row: Pick<MessageRow, 'text' | 'conversation' | 'agent'>,
  classified: InHand['classified'],
  { agentNames, isQuarantined }: ObstacleOptions,
): Obstacle | undefined {
  const limit = (text: string): Obstacle => ({ rule: 'limit', text });
  const wrong = (text: string): Obstacle => ({ rule: 'arguments', text });
  if (!fitsMessage(row.text)) return limit(replies.tooLong(MESSAGE_BYTES_MAX));
  if (classified.kind === 'turn' && classified.builtin !== undefined) {
    return classified.words ? wrong(replies.surplusWords(classified.builtin, '')) : undefined;
  }
  if (classified.kind === 'turn') {
    if (isQuarantined(row.conversation))
      return { rule: 'state', text: resumeReplies.quarantined(), spell: 'resting' };
    if (classified.text.trim() === '') return wrong(replies.empty());
    const names = agentNames();
    const agent = row.agent ?? '';
    return names.includes(agent) ? undefined : wrong(replies.unknownAgent(agent, nearest(agent, names)));
  }
  if (classified.kind !== 'control' || classified.name === 'unknown') return undefined;
  const usage = builtinNamed(classified.name)?.usage ?? '';
  return usageFits(usage, classified.words) ? undefined : wrong(replies.surplusWords(classified.name, usage));
}

/** `[now]` takes the word or nothing, `[NAME]` any one word or nothing, `ID` one word, the empty usage nothing. */
function usageFits(usage: string, words: string): boolean {
  const count = words === '' ? 0 : words.split(/\s+/).length;
  if (usage === '') return count === 0;
  if (/^\[[A-Z]+\]$/.test(usage)) return count <= 1;
  const optional = /^\[(?<word>[a-z]+)\]$/.exec(usage)?.groups?.word;
  return optional === undefined ? count === 1 : count === 0 || words.toLowerCase() === optional;
}
