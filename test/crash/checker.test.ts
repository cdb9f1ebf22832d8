/** What the checker says of records made by hand: where nothing is wrong nothing, and of each promise that it was broken. */
import { describe, expect, test } from 'vitest';
import { check } from './checker.ts';
import type { Rule } from './findings.ts';
import type { ChapterRecord, Ended, InboxRow, OutboxRow, Rows, TurnRecord, Written } from './record.ts';

const written = (id: string, more: Partial<Written> = {}): Written => ({
  ...{ id, word: 'say', conversation: 'ann', through: 'platform', round: 0 },
  ...{ platform: 'standin', key: 'standin:ann', acknowledged: true, ...more },
});

const inbox = (seq: number, more: Partial<InboxRow> = {}): InboxRow => ({
  ...{ seq, id: `m_${seq}`, platform: 'standin', name: `m${seq}`, conversation: 'standin:ann', kind: 'turn' },
  ...{
    admission: 'dispatch',
    phase: 'settled',
    outcome: 'answered',
    reason: null,
    recorded: 1,
    mergedInto: null,
  },
  ...more,
});

const turn = (seq: number, more: Partial<TurnRecord> = {}): TurnRecord => ({
  ...{ seq, id: `t_${seq}`, messageId: `m_${seq}`, conversation: 'standin:ann', attempt: 1 },
  ...{ outcome: 'answered', reason: null, streamed: '', ...more },
});

const outbox = (seq: number, more: Partial<OutboxRow> = {}): OutboxRow => ({
  ...{ seq, id: `o_${seq}`, messageId: `m_${seq}`, conversation: 'standin:ann', part: 0, kind: 'reply' },
  ...{ text: `answer to m${seq}\n`, state: 'delivered', possibleDuplicate: 0, ...more },
});

const arrival = (seq: number, isMarked = false) => ({
  ...{ id: `o_${seq}`, conversation: 'standin:ann', text: `answer to m${seq}\n`, kind: 'reply' },
  ...{ atMs: 0, link: 1, platformSentId: '', isPlain: false, isMarked },
});

const effect = (what: 'begun' | 'ended', seq: number, word = 'say') =>
  ({ what, word, id: `m${seq}`, work: `t_${seq}` }) as const;

/** Two messages that were answered, one after the other. */
function wellRecord(rows: Partial<Rows> = {}, more: Partial<ChapterRecord> = {}): ChapterRecord {
  return {
    ...{ seed: 's', number: 0, resume: 'auto', beside: [], ended: [], outages: [], troubles: {}, odd: [] },
    tooEarly: [],
    written: [written('m1'), written('m2')],
    effects: [1, 2].flatMap((seq) => [effect('begun', seq), effect('ended', seq)]),
    trace: [1, 2].flatMap((seq) => [
      { what: 'claim', id: `o_${seq}`, life: 1 } as const,
      { what: 'send', id: `o_${seq}` } as const,
      { what: 'mark', id: `o_${seq}`, as: 'sent' } as const,
    ]),
    arrivals: [arrival(1), arrival(2)],
    rows: {
      ...{ inbox: [inbox(1), inbox(2)], turns: [turn(1), turn(2)], commands: [], integrity: 'ok' },
      ...{ outbox: [outbox(1), outbox(2)], ...rows },
    },
    ...more,
  };
}

const rulesBroken = (record: ChapterRecord): Rule[] => check(record).problems.map(({ rule }) => rule);

test('where nothing is wrong it says nothing', () => {
  expect(check(wellRecord())).toMatchObject({ problems: [], outcomes: { turn: { answered: 2 } }, marked: 0 });
});

const cutOff = turn(2, { outcome: 'interrupted', reason: 'gateway-died', streamed: 'first of m2\n' });
const awaiting = inbox(2, { phase: 'awaiting-resume', outcome: null });
const withoutLast = { turns: [turn(1), cutOff], inbox: [inbox(1), awaiting], outbox: [outbox(1)] };

/** What its person is told of the message that was cut off. */
const asking = (seq: number, text: string) => outbox(seq, { messageId: 'm_2', kind: 'notice', text });
const DOWN = 'first of m2\n\n\nThe gateway went down while this was being answered. Send /resume to have it.';
const TOO = 'first of m2\n\n\nThe message "say m2" was cut off, too. Send /resume to have it.';

/** The second message was cut off by a death, and this is said of it, by that life's successor. */
const cutOffAndTold = (...told: OutboxRow[]): ChapterRecord =>
  wellRecord(
    { ...withoutLast, outbox: [outbox(1), ...told] },
    { arrivals: [arrival(1), ...told.map(({ id, text, seq }) => ({ ...arrival(seq), id, text }))] },
  );

/** Lives one after the other that are killed, each of which says one of these after it has begun. */
const lives = (said: readonly OutboxRow[], more: Partial<Ended> = {}): Partial<ChapterRecord> => ({
  trace: said.flatMap(({ id }, round) => [
    { what: 'round', round: round + 1 } as const,
    { what: 'life', life: round + 1, epoch: round + 1, pid: 1 } as const,
    { what: 'said', id, life: round + 1 } as const,
    ...(round === 0 ? [] : [{ what: 'life-over', life: round } as const]),
  ]),
  ended: said.map((_, at) => ({
    ...{ round: at + 1, how: 'killed', code: null, wasAsked: false, startedAtMs: at * 1000 },
    ...{ endedAtMs: at * 1000 + 500, ...more },
  })),
});

describe('it sees', () => {
  test.for<[string, Rule, ChapterRecord]>([
    ['an acknowledged message that is gone', 'none is missing', wellRecord({ inbox: [inbox(1)] })],
    [
      'one that is still open',
      'one outcome each',
      wellRecord({ inbox: [inbox(1), inbox(2, { outcome: null, phase: 'held' })] }),
    ],
    [
      'one that was answered twice',
      'one outcome each',
      wellRecord({ outbox: [outbox(1), outbox(2), outbox(3, { messageId: 'm_2', text: 'answer to m2' })] }),
    ],
    [
      'one that was given up though its turn had not begun',
      'the outcome is one that this message can have',
      wellRecord({
        inbox: [inbox(1), inbox(2, { outcome: 'interrupted' })],
        turns: [turn(1)],
        outbox: [outbox(1)],
      }),
    ],
    [
      'one that waits for a word though its agent changes nothing',
      'the outcome is one that this message can have',
      wellRecord(withoutLast, {
        written: [written('m1'), written('m2', { conversation: 'eve', key: 'standin:eve' })],
      }),
    ],
    [
      'messages that were taken in another order',
      'order in',
      wellRecord({}, { written: [written('m2'), written('m1')] }),
    ],
    ['turns that began in another order', 'order in', wellRecord({ turns: [turn(1, { seq: 5 }), turn(2)] })],
    [
      'replies that arrived in another order',
      'order out',
      wellRecord({}, { arrivals: [arrival(2), arrival(1)] }),
    ],
    ['a reply that never arrived', 'a reply arrives', wellRecord({}, { arrivals: [arrival(1)] })],
    [
      'one that came twice without a mark',
      'a repeated reply is marked',
      wellRecord({}, { arrivals: [arrival(1), arrival(1), arrival(2)] }),
    ],
    [
      'one that came twice without a mark though nothing could be written then',
      'a repeated reply is marked',
      wellRecord({}, { arrivals: [arrival(1), arrival(1), arrival(2)], outages: [{ round: 0 }] }),
    ],
    [
      'an answer that has no row, which the next life could not know of',
      'a repeated reply is marked',
      wellRecord(withoutLast, { outages: [{ round: 0 }] }),
    ],
    [
      'the answer of a turn that ended while nothing could be written, and that never arrived',
      'a reply arrives',
      wellRecord(
        { inbox: [inbox(1), inbox(2, { recorded: 0 })] },
        { arrivals: [arrival(1)], outages: [{ round: 0 }] },
      ),
    ],
    [
      'a mark that nobody had a reason for',
      'a mark is earned',
      wellRecord({}, { arrivals: [arrival(1), arrival(2, true)] }),
    ],
    [
      'a turn that ran twice as one attempt',
      'a turn once an attempt',
      wellRecord({}, { effects: [...wellRecord().effects, effect('begun', 2)] }),
    ],
    [
      'another outcome than was told',
      'the same id tells the same outcome',
      wellRecord({}, { written: [written('m1'), written('m2', { toldOutcome: 'failed' })] }),
    ],
    [
      'a message that nobody wrote',
      'nothing comes from nowhere',
      wellRecord({ inbox: [inbox(1), inbox(2), inbox(3)] }),
    ],
    [
      'a database that is not whole',
      'the database is whole',
      wellRecord({ integrity: 'page 3 is never used' }),
    ],
  ])('%s', ([, rule, record]) => {
    expect(rulesBroken(record)).toContain(rule);
  });

  test('one that waits for a word of which nobody was told, or not after the last death, or without what there was', () => {
    const rule = 'whoever is asked was told';
    const before = { what: 'said', id: 'o_3', life: 1 } as const;
    const begun = { what: 'turn', id: 't_2' } as const;
    expect(rulesBroken(cutOffAndTold(asking(3, TOO)))).toEqual([]);
    expect(rulesBroken({ ...cutOffAndTold(asking(3, DOWN)), trace: [begun, before] })).toEqual([]);
    expect(rulesBroken(cutOffAndTold())).toEqual([rule]);
    expect(rulesBroken({ ...cutOffAndTold(asking(3, DOWN)), trace: [before, begun] })).toEqual([rule]);
    expect(rulesBroken(cutOffAndTold(asking(3, 'It was cut off. Send /resume.')))).toEqual([rule]);
    expect(rulesBroken({ ...cutOffAndTold(asking(3, TOO)), arrivals: [arrival(1)] })).toContain(rule);
  });

  test('a notice that the gateway went down, or rests, once more in one incident', () => {
    const rest = 'The gateway is back. It went down three times running, and so on. Send /resume.';
    const rule = 'an incident is told once';
    const heard = (texts: readonly string[], more: Partial<Ended> = {}) => {
      const rows = texts.map((text, at) => asking(3 + at, text));
      const told = cutOffAndTold(...rows);
      return rulesBroken({ ...told, ...lives([outbox(9), ...rows], more) });
    };
    expect(heard([DOWN, TOO, `first of m2\n\n\n${rest}`, TOO])).toEqual([]);
    expect(heard([DOWN, DOWN])).toEqual([rule]);
    expect(heard([DOWN, rest, rest])).toEqual([rule]);
    // Somebody had asked for these ends.
    expect(heard([DOWN, DOWN], { wasAsked: true })).toEqual([]);
  });

  test('a wait that the chat server had named, and that is forgotten though it had been written down', () => {
    const tooEarly = [{ id: 'o_2', conversation: 'standin:ann', leftMs: 900 }];
    const waited = { what: 'mark', id: 'o_2', as: 'unsent' } as const;
    const { trace } = wellRecord();
    const claim = { what: 'claim', id: 'o_2', life: 1 } as const;
    expect(rulesBroken(wellRecord({}, { tooEarly, trace: [claim, waited, ...trace] }))).toEqual([
      'a named wait is kept',
    ]);
    // The gateway died before it could write it down.
    expect(rulesBroken(wellRecord({}, { tooEarly, trace: [claim, ...trace] }))).toEqual([]);
  });

  test('a command that ran twice', () => {
    const ran = { kind: 'exec', outcome: 'ran' };
    const record = wellRecord(
      { inbox: [inbox(1, ran)], turns: [], outbox: [outbox(1)] },
      { written: [written('m1', { word: 'note' })], arrivals: [arrival(1)] },
    );
    const effects = [effect('begun', 1, 'note'), effect('ended', 1, 'note')];
    expect(rulesBroken({ ...record, effects })).toEqual([]);
    const twice = { ...record, effects: [...effects, ...effects] };
    expect(rulesBroken(twice)).toEqual(['a command at most once']);
    const unknown = { what: 'start-unwritten', id: 't_1' } as const;
    expect(rulesBroken({ ...twice, trace: [...twice.trace, unknown] })).toEqual([]);
  });

  test('a command that a command line ran, and that a gateway ended', () => {
    const beside = [{ id: 'b1', exitCode: 1, byItself: true, recorded: true, said: '' }];
    expect(rulesBroken(wellRecord({}, { beside }))).toEqual(['a living life is left alone']);
  });
});

test('a message whose turn was cut off may wait for a word where its agent may have done something', () => {
  expect(rulesBroken(cutOffAndTold(asking(3, DOWN)))).toEqual([]);
});
