/** `sluice messages list`: the newest messages, each with its one outcome and what could not be delivered. */

import type { MessageList, ToldMessage } from '../../gateway/message-list.ts';
import { type Context, EXIT, reportReply } from '../context.ts';
import { askLedger } from '../ledger-reads.ts';
import { linesOf } from './table.ts';

export interface ListFlags {
  readonly limit?: number;
  readonly outcome?: NonNullable<ToldMessage['outcome']>;
  readonly state?: ToldMessage['state'];
  readonly undelivered?: boolean;
}

export async function listMessages(context: Context, flags: ListFlags): Promise<number> {
  const { output, json } = context;
  const { limit, outcome, state, undelivered } = flags;
  const which = {
    ...(outcome === undefined ? {} : { outcome }),
    ...(state === undefined ? {} : { state }),
    ...(undelivered ? { undelivered } : {}),
  };
  const query = new URLSearchParams(Object.entries({ limit, ...which }).flatMap(parameter));
  const asked = await askLedger(
    context,
    (reads, storePath) => reads.readMessages(storePath, { limit, ...which }),
    `/v1/messages?${query}`,
    (document) => document as unknown as MessageList,
  );
  if ('refusal' in asked) return reportReply(context, asked.refusal);
  const { messages } = asked.told;
  if (json) output.json(asked.told);
  else if (messages.length === 0)
    output.note(Object.keys(which).length === 0 ? 'no message has come yet' : 'no message is like that');
  else for (const line of linesOf(messages, output.columns)) output.print(line);
  return EXIT.done;
}

const parameter = ([key, value]: [string, unknown]): [string, string][] =>
  value === undefined ? [] : [[key, String(value)]];
