/**
 * The rows of a text that goes out: one, or as many as its platform's longest message makes necessary. Each is sent,
 * and remembered as sent, by itself: after a crash only those that had not arrived are sent.
 */
import { newId } from '../messages/ids.ts';
import { partsOf } from '../messages/parts.ts';
import { notRecorded, possiblyTwice } from '../messages/replies.ts';
import type { OutboundRow } from '../store/records.ts';

/** What may still be added to a part when it is sent. */
const ROOM_FOR_NOTES_CHARS =
  2 + Math.max(notRecorded('disk').length, notRecorded('lock').length) + possiblyTwice().length;

/** `row` itself where it fits; `charsMax`: the longest text of its platform, undefined for any. */
export function outboundRows(row: OutboundRow, charsMax: number | undefined): OutboundRow[] {
  if (charsMax === undefined) return [row];
  const texts = partsOf(row.text, Math.max(charsMax - ROOM_FOR_NOTES_CHARS, charsMax / 2));
  if (texts.length === 1) return [row];
  return texts.map((text, part) => ({
    ...row,
    id: part === 0 ? row.id : newId('o', row.createdAt),
    text,
    part,
  }));
}

/** The rows of texts in parts, with `note` under each text. */
export const withNote = (rows: readonly OutboundRow[], note: string): OutboundRow[] =>
  rows.map((row, at) => {
    const endsHere = (rows[at + 1]?.part ?? 0) === 0;
    return endsHere ? { ...row, text: `${row.text}\n${note}` } : row;
  });
