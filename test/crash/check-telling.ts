/**
 * Who was told what of a death: whoever is asked for a word has read so after the death that asks for it, with what the turn
 * had said; nobody reads twice of one incident that the gateway went down, or that it is back; and a conversation that
 * wanted to be left alone for a while is, also by the next life.
 */
import { type Case, isTurn, type Told } from './case.ts';
import type { Ended, OutboxRow } from './record.ts';

/** As docs/operating.md says: deaths with less than two minutes between them are one incident; here with some doubt less. */
const SURELY_ONE_INCIDENT_MS = 110_000;

/** Clocks of two processes, one of which counts in whole milliseconds. */
const TOO_EARLY_MS = 20;

/** As people read it; a command that was cut off is told in other words. */
const WENT_DOWN = /The gateway went down (?:again )?while this (?:conversation )?was being answered/;
const BACK_AT_REST = /The gateway is back\. It went down three times running/;
const IS_BACK = /^The gateway is back\. What was not taken/;

export function checkTelling(about: Case): void {
  for (const told of about.told) {
    if (isTurn(told.written) && told.row?.outcome === null) checkAsked(about, told);
  }
  checkIncidents(about);
  checkReturns(about);
  checkWaits(about);
}

/** It waits for a person at the end: that person knows, and knows what there is of an answer. */
function checkAsked(about: Case, { written, row, turns }: Told): void {
  const last = turns.toSorted((a, b) => a.seq - b.seq).at(-1);
  const { trace, rows } = about.record;
  const begun = trace.findIndex((noted) => noted.what === 'turn' && noted.id === last?.id);
  const saidAt = placesOf(about);
  const isAbout = ({ messageId, conversation, text }: OutboxRow) =>
    messageId === row?.id ||
    (conversation === written.key && text.includes(`"${written.word} ${written.id}"`));
  // What a kill kept out of the trace counts as said in time.
  const said = rows.outbox.filter((one) => isAbout(one) && (saidAt.get(one.id) ?? trace.length) > begun);
  const asked = said.filter(({ text }) => text.includes('/resume'));
  const broken = (what: string) => about.broken('whoever is asked was told', written.id, what);
  if (asked.length === 0) {
    broken(`it waits for /resume since its turn ${last?.attempt} was cut off, and nobody was told`);
    return;
  }
  const streamed = last?.streamed.trim() ?? '';
  if (!said.some(({ text }) => text.includes(streamed)))
    broken(`its turn had said ${JSON.stringify(streamed)}, and nobody was told`);
  const hasReached = asked.some(({ id, state }) => about.arrivals.has(id) || state === 'dead');
  if (written.platform === 'standin' && !hasReached) broken('what asks for /resume did not arrive');
}

/** Of the deaths of one incident a conversation hears once that the gateway went down, and once that it rests. */
function checkIncidents(about: Case): void {
  // By such clocks nobody knows how far two deaths are from one another.
  if (about.had('clock off')) return;
  const incidents = incidentsOf(about.record.ended);
  const texts = new Map(about.record.rows.outbox.map((row) => [row.id, row]));
  const deathOf = new Map<number, Ended | undefined>();
  const heard = new Set<string>();
  let round = -1;
  for (const noted of about.record.trace) {
    if (noted.what === 'round') round = noted.round;
    if (noted.what === 'life') deathOf.set(noted.life, deathIn(about.record.ended, round));
    if (noted.what === 'life-over') deathOf.delete(noted.life);
    const row = noted.what === 'said' ? texts.get(noted.id) : undefined;
    if (noted.what !== 'said' || row === undefined || row.kind !== 'notice') continue;
    const what = WENT_DOWN.test(row.text) ? 'down' : BACK_AT_REST.test(row.text) ? 'back' : undefined;
    // What no life is known to have died of is told of an end that somebody asked for.
    const found = [...deathOf].flatMap(([life, death]) => (life === noted.life ? [] : (death ?? [])));
    const incident = Math.max(...found.map((death) => incidents.get(death) ?? 0));
    if (what === undefined || found.length === 0) continue;
    const key = `${what} ${incident} ${row.conversation}`;
    if (heard.has(key))
      about.broken(
        'an incident is told once',
        row.conversation,
        `"${what}" once more: ${JSON.stringify(row.text)}`,
      );
    heard.add(key);
  }
}

/** However many times without turns came before it, a start is one return. */
function checkReturns(about: Case): void {
  const heard = new Set<string>();
  const texts = new Map(about.record.rows.outbox.map((row) => [row.id, row]));
  for (const noted of about.record.trace) {
    const row = noted.what === 'said' ? texts.get(noted.id) : undefined;
    if (noted.what !== 'said' || row === undefined || !IS_BACK.test(row.text)) continue;
    const key = `${noted.life} ${row.conversation}`;
    if (heard.has(key))
      about.broken(
        'an incident is told once',
        row.conversation,
        `life ${noted.life} says twice that it is back`,
      );
    heard.add(key);
  }
}

/** A wait that a platform named is known to the next life, if the one that heard of it could write it down. */
function checkWaits(about: Case): void {
  for (const { id, conversation, leftMs } of about.record.tooEarly) {
    if (leftMs < TOO_EARLY_MS || !heardOfIt(about, id)) continue;
    about.broken('a named wait is kept', id, `sent ${Math.round(leftMs)} ms too early to ${conversation}`);
  }
}

/** Its own wait was named, and of no attempt at it the end stayed unwritten. */
function heardOfIt(about: Case, id: string): boolean {
  const steps = (about.sendings.get(id) ?? []).filter(({ what }) => what !== 'send');
  const isCut = steps.some(({ what }, at) => what === 'claim' && steps[at + 1]?.what !== 'mark');
  return !isCut && steps.some((step) => step.what === 'mark' && step.as === 'unsent');
}

/** By death: the number of its incident. */
function incidentsOf(ended: readonly Ended[]): ReadonlyMap<Ended, number> {
  const incidents = new Map<Ended, number>();
  let before: Ended | undefined;
  let incident = 0;
  for (const end of ended.filter(isDeath)) {
    if (before !== undefined && end.endedAtMs - before.endedAtMs > SURELY_ONE_INCIDENT_MS) incident += 1;
    incidents.set(end, incident);
    before = end;
  }
  return incidents;
}

const deathIn = (ended: readonly Ended[], round: number): Ended | undefined =>
  ended.find((end) => end.round === round && isDeath(end));

/** Nobody had asked it to leave. */
const isDeath = ({ how, wasAsked }: Ended): boolean => how !== 'left' && !wasAsked;

/** By id of the outbox: where in the trace it was said. */
const placesOf = ({ record }: Case): ReadonlyMap<string, number> =>
  new Map(record.trace.flatMap((noted, at) => (noted.what === 'said' ? [[noted.id, at] as const] : [])));
