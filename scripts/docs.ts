/**
 * Prints what the documents say of the code from the code:
 *
 *     node scripts/docs.ts           writes docs/errors.md, the tables in docs/operating.md and docs/configuration.md,
 *                                    and config/gateway.schema.json
 *     node scripts/docs.ts --check   writes nothing; exits 1 and names the files that are stale
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAILURE_CODES } from '../machines/exit.ts';
import { type ErrorBody, NO_BODY } from '../src/agents/http-error-body.ts';
import { hintFor } from '../src/agents/http-hints.ts';
import type { Trouble } from '../src/agents/http-trouble.ts';
import { configJsonSchema, leavesOf } from '../src/config/json-schema.ts';
import { type Applies, KEYS } from '../src/config/keys.ts';
import { configFileSchema } from '../src/config/schema.ts';
import { ERRORS, type ErrorCode, failureOf, SluiceError } from '../src/errors.ts';

const ROOT = join(import.meta.dirname, '..');

/** A named limit as it stands in the sources. */
export interface Limit {
  readonly name: string;
  /** From the project's root. */
  readonly file: string;
  /** Of its comment, the first sentence. */
  readonly meaning: string;
  /** For a person: `256 KB`, `1,000`, `4 × cores`. */
  readonly value: string;
}

/** The limits that people meet, in the order in which a message meets them; the words are the reader's. */
const MET: readonly (readonly [what: string, name: string, past: string])[] = [
  ['Request body', 'REQUEST_BYTES_MAX', 'answered with 413'],
  ['Text of a message', 'MESSAGE_BYTES_MAX', 'refused, and the reply says so'],
  ['Id of a message or conversation', 'ID_CHARS_MAX', 'answered with 400'],
  ['Aliases that lead to aliases', 'ALIAS_DEPTH_MAX', 'an error in the configuration'],
  ['Turns that wait for a free place', 'TURNS_WAITING_MAX', 'refused with the count'],
  ['Held messages of a conversation', 'HELD_PER_CONVERSATION_MAX', 'refused with the count'],
  ['Held messages in all', 'HELD_MAX', 'refused with the count'],
  ['Commands at the same time', 'COMMANDS_RUNNING_MAX', 'the next one waits'],
  ['Commands that wait for a free place', 'COMMANDS_WAITING_MAX', 'refused with the count'],
  [
    'Wait of a command for a free place',
    'COMMAND_WAIT_MS_MAX',
    'it expires: not run, and the sender is told',
  ],
  ['Output of a command in its reply', 'COMMAND_OUTPUT_BYTES_MAX', 'its middle is left out'],
  ['An answer of an agent', 'ANSWER_CHARS_MAX', 'what comes after is left out'],
  ['Messages to one conversation in one burst', 'CONVERSATION_BURST_MAX', 'the next ones wait, in order'],
  ['Messages a minute to one conversation', 'CONVERSATION_MESSAGES_PER_MINUTE_MAX', 'they wait, in order'],
  [
    'Messages to one conversation that wait in memory',
    'QUEUED_PER_CONVERSATION_MAX',
    'they wait on disk, and are read when there is room',
  ],
  [
    'Attempts whose end nobody saw',
    'UNKNOWN_ATTEMPTS_MAX',
    'the message is dead, until a person has it sent',
  ],
  ['Age of a message that could not be sent', 'OUTBOX_AGE_MS_MAX', 'it is dead, and says why'],
  ['Age of a command found at a start', 'COMMAND_AGE_MS_MAX', 'it expires: not run, and the sender is told'],
  ['Clients of event streams', 'EVENT_STREAMS_MAX', 'answered with 503'],
  [
    'Events a client may be behind',
    'EVENTS_BEHIND_MAX',
    'those of the moment and then the oldest are left out, and it is told how many',
  ],
  ['Log of one life on disk', 'LOG_BYTES_MAX', 'the older half is forgotten'],
  ['Crash reports', 'CRASH_REPORTS_MAX', 'the oldest are removed'],
  ['Followers of the log', 'LOG_STREAMS_MAX', 'answered with 503'],
  ['Bytes a client may be behind', 'EVENTS_BEHIND_BYTES_MAX', 'the same'],
  [
    'Messages sent to a client that was away',
    'MISSED_MESSAGES_MAX',
    'the oldest are left out, and it is told',
  ],
  ['Configuration file', 'CONFIG_BYTES_MAX', 'not read'],
];

const HEAD = '<!-- Printed by scripts/docs.ts from src/; do not edit. -->';

/** The parts of a page that are printed: each stands between `<!-- NAME: … -->` and `<!-- /NAME -->`. */
type Part = 'failures' | 'limits' | 'keys';

/** Each printed file by its path from the root, with what it should hold. Throws where a limit has lost its name. */
export function renderDocs(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/errors.md', errorsMarkdown()],
    withParts('docs/operating.md', { failures: failuresMarkdown(), limits: limitsMarkdown(limitsOf()) }),
    withParts('docs/configuration.md', { keys: keysMarkdown() }),
    ['config/gateway.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`],
  ]);
}

/** The paths of printed files that are missing or hold something else. */
export function staleDocs(): string[] {
  return [...renderDocs()].filter(([path, text]) => textOf(path) !== text).map(([path]) => path);
}

function errorsMarkdown(): string {
  const rows = Object.entries(ERRORS).map(([code, { hint, retryable }]) => {
    return row([`\`${code}\``, cell(hint), retryable ? 'yes' : 'no', leavesWith(code as ErrorCode)]);
  });
  return `${[
    HEAD,
    '',
    '# Errors',
    '',
    'An error carries one of these codes, a message with the value in it, and a hint: what to do now. Compare codes,',
    'never texts. A log line, a reply of the [control interface](http.md) and the standard error of a command show all',
    'three. "Again" says whether the same call may succeed later unchanged. The last column is the exit code of a',
    'gateway whose start fails with it; commands have [exit codes of their own](operating.md#exit-codes-of-commands).',
    '',
    row(['code', 'hint', 'again', 'a start leaves with']),
    row(['---', '---', '---', '---']),
    ...rows,
  ].join('\n')}\n`;
}

/** The exit code of a start that fails with this error, where it is more than a defect. */
function leavesWith(code: ErrorCode): string {
  const { kind } = failureOf(new SluiceError(code, code));
  return kind === 'fault' && code !== 'INTERNAL' ? '' : String(FAILURE_CODES[kind]);
}

/** The page with its printed parts as they should be. */
function withParts(path: string, parts: Partial<Readonly<Record<Part, string>>>): [string, string] {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const printed = Object.entries(parts).reduce(
    (page, [part, markdown]) => withPart(page, path, part, markdown),
    text,
  );
  return [path, printed];
}

/** Throws where the page has lost the part's marks. */
function withPart(text: string, path: string, part: string, markdown: string): string {
  const [first, last] = [
    `<!-- ${part}: printed by scripts/docs.ts from src/; do not edit -->`,
    `<!-- /${part} -->`,
  ];
  const [begin, end] = [text.indexOf(first), text.indexOf(last)];
  if (begin < 0 || end < begin) throw new Error(`${path} has lost ${first} … ${last}`);
  return `${text.slice(0, begin)}${first}\n\n${markdown}\n\n${text.slice(end)}`;
}

const status = (value: number, body: Partial<ErrorBody> = {}): Trouble => ({
  kind: 'status',
  status: value,
  body: { ...NO_BODY, ...body },
  headers: {},
});

const network = (code: string): Trouble => ({ kind: 'network', code });

/** What a model server can do instead of answering, as people name it; what each means is asked of the code. */
const FAILURES: readonly (readonly [seen: string, trouble: Trouble])[] = [
  ['refused connection', network('ECONNREFUSED')],
  ['host that is not found', network('ENOTFOUND')],
  ['connection that is lost', network('ECONNRESET')],
  ['no answer in time', network('ETIMEDOUT')],
  ['expired certificate', network('CERT_HAS_EXPIRED')],
  ['redirection (3xx)', status(302)],
  ['web page instead of an answer', status(200, { isHtml: true })],
  ['400, and any other 4xx that is not named here', status(400)],
  ['401, 403', status(401)],
  ['402, or no balance left', status(402)],
  ['404, 405', status(404)],
  ['model that the server does not know', status(400, { code: 'model_not_found' })],
  ['408, 504', status(504)],
  ['413, or more than the context takes', status(413)],
  ['429', status(429)],
  ['429 of the provider behind the server', status(429, { message: 'provider returned error' })],
  ['502', status(502)],
  ['503, 529, or overloaded in its own words', status(503)],
  ['500, and any other 5xx', status(500)],
  ['stream that ends in the middle', { kind: 'cut' }],
  ['stream that cannot be read', { kind: 'unreadable' }],
  ['answer without a word', { kind: 'empty' }],
  ["answer kept back by the provider's filter", { kind: 'filtered' }],
  ['tokens used up before a word was said', { kind: 'out-of-tokens' }],
];

function failuresMarkdown(): string {
  const at = { agent: 'default', model: 'm', url: 'http://h/v1', key: { variable: 'KEY', isSet: true } };
  const rows = FAILURES.map(([seen, trouble]) => {
    const { code, backend } = hintFor(trouble, at, 0);
    return row([seen, `\`${code}\``, backend ? 'yes' : 'no']);
  });
  return [row(['of a model server', 'code', 'counts']), row(['---', '---', '---']), ...rows].join('\n');
}

const APPLIES: Readonly<Record<Applies, string>> = { now: 'at once', turn: 'next turn', restart: 'restart' };

/** A row for each key, with the default as a file would say it. */
function keysMarkdown(): string {
  const rows = leavesOf(configJsonSchema()).flatMap(({ pattern, schemas }) => {
    const facts = KEYS[pattern];
    if (facts === undefined) throw new Error(`src/config/keys.ts has no row for ${pattern}`);
    // The same key of every agent stands once.
    if (pattern.startsWith('agents.*.') && KEYS[pattern.replace('agents.*', 'agent')] === facts) return [];
    const value = schemas.map((schema) => schema.default).find((each) => each !== undefined);
    const holds =
      value === undefined || value === ''
        ? (facts.without ?? '')
        : `\`${JSON.stringify(value).replaceAll('"', '')}\``;
    const key = `\`${pattern.replaceAll('*', 'NAME')}\``;
    return [row([key, cell(holds), facts.unit ?? '', APPLIES[facts.applies], cell(facts.meaning)])];
  });
  return [
    row(['key', 'default', 'unit', 'a change counts', 'what it is']),
    row(['---', '---', '---', '---', '---']),
    ...rows,
  ].join('\n');
}

function limitsMarkdown(limits: readonly Limit[]): string {
  const met = MET.map(([what, name, past]) => {
    const limit = limits.find((each) => each.name === name);
    if (limit === undefined) throw new Error(`no source has a limit ${name} any more`);
    return row([what, limit.value, past, `\`${name}\``]);
  });
  const { agent } = configFileSchema({ builtinNames: [] }).parse({});
  const others = limits.filter(({ name }) => !MET.some(([, known]) => known === name));
  return [
    row(['limit', 'value', 'past it', 'name']),
    row(['---', '---', '---', '---']),
    ...met.slice(0, 4),
    row(['Turns at the same time', String(agent.max_turns), 'the next one waits', '`agent.max_turns`']),
    ...met.slice(4),
    '',
    'The others bound what nobody should meet:',
    '',
    row(['name', 'value', 'what it bounds', 'in']),
    row(['---', '---', '---', '---']),
    ...others.map(({ name, value, meaning, file }) =>
      row([`\`${name}\``, value, cell(meaning), `\`${file.replace('src/', '')}\``]),
    ),
  ].join('\n');
}

const DECLARATION = /^(?:export )?const ([A-Z][A-Z0-9_]*_MAX)(?:: [^=]+)? = (.+);$/;

/** Every constant of `src/` whose name ends in `_MAX`, by file and then as they stand there. */
export function limitsOf(): Limit[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .map((file) => `src/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .flatMap((file) => limitsIn(file, readFileSync(join(ROOT, file), 'utf8')));
}

function limitsIn(file: string, text: string): Limit[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const [, name, expression] = DECLARATION.exec(line) ?? [];
    if (name === undefined || expression === undefined) return [];
    const spelt = expression.replaceAll(
      /\b[A-Z][A-Z0-9_]+_MAX\b/g,
      (other) => expressionOf(lines, other) ?? other,
    );
    return [{ name, file, meaning: meaningAbove(lines, at), value: shownValue(name, spelt) }];
  });
}

/** What another limit of the same file is made of. */
function expressionOf(lines: readonly string[], name: string): string | undefined {
  return lines.map((line) => DECLARATION.exec(line)).find((found) => found?.[1] === name)?.[2];
}

/** The first sentence of the comment above; constants that follow one another share it. */
function meaningAbove(lines: readonly string[], at: number): string {
  let end = at - 1;
  while (/^(export )?const [A-Z]/.test(lines[end] ?? '')) end -= 1;
  if (!(lines[end] ?? '').trimEnd().endsWith('*/')) return '';
  let begin = end;
  while (begin > 0 && !(lines[begin] ?? '').startsWith('/**')) begin -= 1;
  const comment = lines.slice(begin, end + 1).map((line) => line.replace(/^\/\*\*| ?\*\/$|^ \*/g, '').trim());
  const sentence =
    comment
      .join(' ')
      .trim()
      .split(/(?<=[.:;])\s/, 1)[0] ?? '';
  return sentence.replace(/[.:;]$/, '');
}

const SUM = /^[\d_]+(?: (?:\*\*?) [\d_]+)*$/;
const COUNTED = new Intl.NumberFormat('en');

function shownValue(name: string, expression: string): string {
  if (expression === 'UNIT_MS.d') return '24 h';
  if (!SUM.test(expression)) return expression.replace(' * availableParallelism()', ' × cores');
  const value = productOf(expression);
  if (name.includes('BYTES'))
    return inUnits(value, [
      ['MB', 1024 ** 2],
      ['KB', 1024],
      ['bytes', 1],
    ]);
  if (name.includes('_MS'))
    return inUnits(value, [
      ['h', 3_600_000],
      ['min', 60_000],
      ['s', 1000],
      ['ms', 1],
    ]);
  return `${COUNTED.format(value)}${/CHARS|LENGTH/.test(name) ? ' characters' : ''}`;
}

function productOf(expression: string): number {
  return expression
    .split(' * ')
    .map((factor) => factor.split(' ** ').map((number) => Number(number.replaceAll('_', ''))))
    .reduce((product, [base = 1, exponent = 1]) => product * base ** exponent, 1);
}

/** In the largest unit that leaves no fraction. */
function inUnits(value: number, units: readonly (readonly [string, number])[]): string {
  const [unit, size] = units.find(([, each]) => value >= each && value % each === 0) ?? ['', 1];
  return `${COUNTED.format(value / size)} ${unit}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function textOf(path: string): string | null {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const stale = staleDocs();
  if (process.argv.includes('--check')) {
    for (const path of stale) console.error(`${path} is stale: run node scripts/docs.ts`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const [path, text] of renderDocs()) writeFileSync(join(ROOT, path), text);
    console.log(stale.length > 0 ? `wrote ${stale.join(', ')}` : 'nothing changed');
  }
}
