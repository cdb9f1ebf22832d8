/**
 * Messages as lines: a row each where there is room, two lines each on a narrow terminal, and below a message what has
 * not been delivered of its replies. In a pipe nothing is cut for want of width, and a message stays one line. Pure.
 */
import type { ToldMessage } from '../../gateway/message-list.ts';
import { textOnly } from '../../telemetry/terminal-text.ts';
import { cutTo, widthOf } from '../chat/width.ts';
import { momentOf } from '../moments.ts';

/** From here on a message is a row of a table. */
const TABLE_COLUMNS_MIN = 100;

/** Columns of a conversation's name in a table. */
const CONVERSATION_COLUMNS_MAX = 24;

/** Characters of a text in a line that no terminal cuts. */
const TEXT_CHARS_MAX = 200;

/** Characters of a reason that stands beside an outcome: longer ones are sentences, which one message alone shows. */
const REASON_CHARS_MAX = 20;

/** Columns of who discarded a message, and why. */
const DISCARDED_COLUMNS_MAX = 48;

const HEAD = ['TIME', 'ID', 'KIND', 'OUTCOME', 'CONVERSATION', 'TEXT'] as const;

/** `columns`: of the terminal; undefined where the lines go elsewhere. */
export function linesOf(messages: readonly ToldMessage[], columns: number | undefined): string[] {
  const isNarrow = columns !== undefined && columns < TABLE_COLUMNS_MIN;
  return isNarrow ? messages.flatMap((message) => block(message, columns)) : table(messages, columns);
}

function table(messages: readonly ToldMessage[], columns: number | undefined): string[] {
  const rows = messages.map((message) => [
    momentOf(message.receivedAt, 'second'),
    message.id,
    message.kind,
    became(message),
    cutTo(onLine(message.conversation), CONVERSATION_COLUMNS_MAX),
    shown(message.text),
  ]);
  const widths = HEAD.map((head, at) =>
    Math.max(...[head, ...rows.map((row) => row[at] ?? '')].map(widthOf)),
  );
  const line = (cells: readonly string[]) =>
    fitted(
      cells.map((cell, at) => (at === HEAD.length - 1 ? cell : padded(cell, widths[at]))).join('  '),
      columns,
    );
  return [
    line(HEAD),
    ...rows.flatMap((row, at) => [
      line(row),
      ...undelivered(messages[at]).map((text) => fitted(`  ${text}`, columns)),
    ]),
  ];
}

function block(message: ToldMessage, columns: number): string[] {
  const when = momentOf(message.receivedAt, 'second');
  return [
    `${message.id}  ${became(message)}`,
    `  ${when}  ${onLine(message.conversation)}`,
    `  ${shown(message.text)}`,
    ...undelivered(message).map((text) => `  ${text}`),
  ].map((text) => fitted(text, columns));
}

/** Its outcome, or where it is while it has none; with the reason, where that is a word or a person's. */
function became({ outcome, phase, reason }: ToldMessage): string {
  const word = outcome ?? phase;
  // A person's own words, which nothing but this tells apart.
  if (outcome === 'discarded' && reason !== null)
    return `${word} (${cutTo(onLine(reason), DISCARDED_COLUMNS_MAX)})`;
  return reason === null || reason.length > REASON_CHARS_MAX ? word : `${word} (${onLine(reason)})`;
}

/** A reply that has arrived is no news. */
function undelivered(message: ToldMessage | undefined): string[] {
  const left = message?.replies.filter(({ state }) => state !== 'delivered') ?? [];
  return left.map(({ id, state, attempts, nextAt, error }) => {
    const tried = attempts === 0 ? '' : ` after ${attempts} attempt${attempts === 1 ? '' : 's'}`;
    const next = state === 'pending' && nextAt !== null ? `, not before ${momentOf(nextAt, 'second')}` : '';
    return onLine(`reply ${id} is ${state}${tried}${next}${error === null ? '' : `: ${error}`}`);
  });
}

/** What a stranger wrote, as one line of plain text. */
const onLine = (text: string): string => textOnly(text).replace(/\s+/g, ' ').trim();

function shown(text: string): string {
  const line = onLine(text.slice(0, 4 * TEXT_CHARS_MAX));
  return line.length > TEXT_CHARS_MAX
    ? `${line.slice(0, TEXT_CHARS_MAX).replace(/[\uD800-\uDBFF]$/, '')}…`
    : line;
}

const padded = (text: string, columns = 0): string => text + ' '.repeat(Math.max(0, columns - widthOf(text)));

const fitted = (line: string, columns: number | undefined): string =>
  (columns === undefined ? line : cutTo(line, columns)).trimEnd();
