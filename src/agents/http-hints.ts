/**
 * What a failed request to a model server means for the person who waits: the table from what was seen (status, error
 * body, headers, network error, end of the stream) to cause, time and one next step. Pure; the first row that fits
 * holds. No text repeats what a server wrote: it may hold the key.
 *
 * `backend` tells a server that fails everybody (it counts for the agent's circuit) from one request that was refused.
 */
import { seconds } from '../messages/amounts.ts';
import { NO_BODY } from './http-error-body.ts';
import { NETWORK_ROWS } from './http-network-hints.ts';
import { resetAtMs } from './http-reset-time.ts';
import { STATUS_ROWS } from './http-status-hints.ts';
import { type Case, type Endpoint, type Hint, type Row, serverLog, type Trouble } from './http-trouble.ts';

/** The hint for a failure. There is one for every failure. */
export function hintFor(trouble: Trouble, at: Endpoint, nowMs: number): Hint {
  const one: Case = {
    status: 0,
    body: NO_BODY,
    headers: {},
    network: trouble.kind === 'network' ? trouble.code : '',
    at,
    section: at.agent === 'default' ? 'agent' : `agents.${at.agent}`,
    ...(trouble.kind === 'status' ? trouble : { kind: trouble.kind }),
  };
  const row = ROWS.find(({ fits }) => fits(one)) ?? UNKNOWN;
  const retryAtMs = row.next === undefined ? resetAtMs(one.headers, nowMs) : undefined;
  const wait = retryAtMs === undefined ? 'in a minute' : `in ${seconds(Math.max(1000, retryAtMs - nowMs))}`;
  return {
    code: row.code,
    cause: `the agent ${at.agent} (${at.model} at ${at.url}) ${row.what(one)}`,
    next: row.next?.(one) ?? `Send it again ${wait}.`,
    retryAtMs,
    backend: row.backend,
  };
}

const kind =
  (wanted: Trouble['kind']) =>
  (one: Case): boolean =>
    one.kind === wanted;

/** Streams that came, but brought no answer. */
const ANSWER_ROWS: readonly Row[] = [
  {
    code: 'AGENT_ANSWER_BROKEN',
    backend: true,
    fits: kind('cut'),
    what: () => 'stopped in the middle: its stream ended without an end',
    next: serverLog,
  },
  {
    code: 'AGENT_NO_ANSWER',
    backend: false,
    fits: kind('empty'),
    what: () => 'ended without a word',
    next: () => 'Send it again, or ask otherwise.',
  },
  {
    code: 'AGENT_NO_ANSWER',
    backend: false,
    fits: kind('filtered'),
    what: () => "was kept from answering by its provider's content filter",
    next: () => 'Ask otherwise.',
  },
  {
    code: 'AGENT_NO_ANSWER',
    backend: false,
    fits: kind('out-of-tokens'),
    what: () => 'used up its tokens before it said a word',
    next: () => 'Ask for less at once, or give the model a larger context.',
  },
];

/** Also what came with a status of success and is no answer. */
const UNKNOWN: Row = {
  code: 'AGENT_ANSWER_BROKEN',
  backend: true,
  fits: () => true,
  what: () => 'sent something that cannot be read as an answer',
  next: ({ section }) =>
    `Send it again; if it stays, correct ${section}.base_url or look at that server's log.`,
};

const ROWS: readonly Row[] = [...STATUS_ROWS, ...NETWORK_ROWS, ...ANSWER_ROWS];
