/**
 * The rows for answers of a model server that are none, by status and error body; the first that fits holds. An order
 * that matters: what a server says by a code of its own goes before what the status alone means.
 */
import { type Case, hostOf, type Row, serverLog } from './http-trouble.ts';

const status =
  (...values: readonly number[]) =>
  (one: Case): boolean =>
    values.includes(one.status);

/** The server's own word for it, in the fields that are made for programs. */
const named = ({ body }: Case, ...words: readonly string[]): boolean =>
  words.includes(body.code) || words.includes(body.type);

const withStatus =
  (what: string) =>
  (one: Case): string =>
    `${what} (${one.status})`;

const address = ({ section }: Case): string =>
  `Correct ${section}.base_url; with most servers it ends in /v1.`;

const dashboard = ({ at }: Case, what: string): string =>
  `Look at ${what} in the provider's dashboard (${hostOf(at.url)}).`;

/** Fields that every request has; only these are named back, whatever the server says. */
const OUR_FIELDS: readonly string[] = ['model', 'messages', 'stream', 'stream_options'];

const TOO_LONG =
  /context (length|size|window)|maximum context|too many tokens|prompt is too long|input is too (long|large)/;
const NO_BALANCE = /credit balance|insufficient (balance|credits?|funds|quota)/;
const NO_MODEL =
  /model\b.*\b(not found|does not exist|not exist)|not a valid model|no endpoints found|unknown model/;

/** Statuses with which a page of HTML comes from a proxy that says the same as the status. */
const HTML_OWN_STATUSES = [404, 408, 413, 429, 500, 502, 503, 504, 529];

/** Answers that are none. */
export const STATUS_ROWS: readonly Row[] = [
  {
    code: 'AGENT_NOT_AN_API',
    backend: true,
    fits: ({ status }) => status >= 300 && status < 400,
    what: withStatus('was sent to another address'),
    next: ({ section, headers }) => `Correct ${section}.base_url${originOf(headers.location)}.`,
  },
  {
    code: 'AGENT_NOT_AN_API',
    backend: true,
    fits: ({ body, status }) => body.isHtml && !HTML_OWN_STATUSES.includes(status),
    what: withStatus("was answered with a web page instead of an API's answer"),
    next: address,
  },
  {
    code: 'AGENT_TOO_LONG',
    backend: false,
    fits: (one) =>
      named(one, 'context_length_exceeded', 'exceed_context_size_error') ||
      (one.status >= 400 && one.status !== 429 && TOO_LONG.test(one.body.message)),
    what: withStatus('was asked for more than its context takes'),
    next: ({ section }) => `Send less text, or lower ${section}.history_window.`,
  },
  {
    code: 'AGENT_TOO_LONG',
    backend: false,
    fits: status(413),
    what: withStatus('was sent more than its server takes'),
    next: ({ section }) => `Send less text, or lower ${section}.history_window.`,
  },
  {
    code: 'AGENT_BALANCE',
    backend: false,
    fits: (one) =>
      one.status === 402 ||
      named(one, 'insufficient_quota', 'insufficient_balance', 'billing_hard_limit_reached') ||
      (one.status >= 400 && one.status < 500 && NO_BALANCE.test(one.body.message)),
    what: withStatus('has no balance or quota left'),
    next: (one) => dashboard(one, 'balance and quota'),
  },
  {
    code: 'AGENT_KEY',
    backend: false,
    fits: ({ status, at }) => [401, 403].includes(status) && at.key.variable === undefined,
    what: withStatus('needs a key'),
    next: ({ section }) => `Name the environment variable that holds it in ${section}.api_key_env.`,
  },
  {
    code: 'AGENT_KEY',
    backend: false,
    fits: ({ status, at }) => [401, 403].includes(status) && !at.key.isSet,
    what: ({ at, status }) => `needs a key, and ${at.key.variable} is not set (${status})`,
    next: ({ at }) => `Set ${at.key.variable}, then restart the gateway.`,
  },
  {
    code: 'AGENT_KEY',
    backend: false,
    fits: status(401),
    what: ({ at }) => `does not take the key in ${at.key.variable} (401)`,
    next: ({ at }) => `Correct ${at.key.variable}, then restart the gateway.`,
  },
  {
    code: 'AGENT_KEY',
    backend: false,
    fits: status(403),
    what: ({ at }) => `may not be used with the key in ${at.key.variable} (403)`,
    next: (one) => dashboard(one, `what the key in ${one.at.key.variable} may use`),
  },
  {
    code: 'AGENT_NOT_FOUND',
    backend: false,
    fits: (one) =>
      one.status >= 400 &&
      one.status < 500 &&
      (named(one, 'model_not_found') || (one.status !== 429 && NO_MODEL.test(one.body.message))),
    what: ({ at, status }) => `does not know the model ${at.model} (${status})`,
    next: ({ section, at }) => `Correct ${section}.model, or load ${at.model} on that server.`,
  },
  {
    code: 'AGENT_NOT_FOUND',
    backend: false,
    fits: status(404, 405),
    what: ({ at, status }) => `found no chat API at ${at.url} (${status})`,
    next: ({ section }) => `Correct ${section}.base_url, which mostly ends in /v1, or ${section}.model.`,
  },
  {
    code: 'AGENT_TIMEOUT',
    backend: true,
    fits: status(408, 504),
    what: withStatus('took too long for its server'),
  },
  {
    code: 'AGENT_OVERLOADED',
    backend: true,
    fits: ({ status, body }) => status === 429 && /upstream|provider returned error/.test(body.message),
    what: withStatus('is held up: the provider behind its server takes no more at present'),
  },
  {
    code: 'AGENT_RATE_LIMIT',
    backend: false,
    fits: status(429),
    what: withStatus('has reached a rate limit of its provider'),
  },
  {
    code: 'AGENT_OVERLOADED',
    backend: true,
    fits: ({ status, body }) => status === 503 && /loading|starting up/.test(body.message),
    what: withStatus('is still loading its model'),
  },
  {
    code: 'AGENT_OVERLOADED',
    backend: true,
    fits: (one) =>
      one.status === 529 || named(one, 'overloaded_error') || /overloaded/.test(one.body.message),
    what: withStatus('is overloaded'),
  },
  {
    code: 'AGENT_UNREACHABLE',
    backend: true,
    fits: status(502),
    what: withStatus('is not reached by the proxy in front of it'),
  },
  {
    code: 'AGENT_OVERLOADED',
    backend: true,
    fits: status(503),
    what: withStatus('takes no requests at present'),
  },
  {
    code: 'AGENT_SERVER',
    backend: true,
    fits: ({ status }) => status >= 500,
    what: withStatus('failed inside its server'),
    next: serverLog,
  },
  {
    code: 'AGENT_REQUEST',
    backend: false,
    fits: ({ status }) => status >= 400,
    what: ({ body, status }) =>
      `refused the request${OUR_FIELDS.includes(body.param) ? ` because of ${body.param}` : ''} (${status})`,
    next: ({ section }) => `Check ${section}.model and ${section}.base_url, or see that server's log.`,
  },
];

/** Where a redirection leads, without path, credentials and query; nothing where it cannot be read. */
function originOf(location: string | readonly string[] | undefined): string {
  const text = String(location ?? '');
  return URL.canParse(text) ? `: it has moved to ${new URL(text).origin}` : '';
}
