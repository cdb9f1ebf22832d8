/**
 * Looks at what a chapter left and says which promises were broken. It is made from the promises, and knows nothing of
 * how they are kept: not how the gateway decides, only what it may come to.
 */
import { answers, Case, isCommand, isTurn, type Told, wasCutOff } from './case.ts';
import { checkOrder } from './check-order.ts';
import { checkReplies } from './check-replies.ts';
import { checkTelling } from './check-telling.ts';
import type { Findings } from './findings.ts';
import type { ChapterRecord, InboxRow } from './record.ts';

/** As docs/operating.md says. */
const WAITING_IN_A_CONVERSATION_MAX = 20;

export function check(record: ChapterRecord): Findings {
  const about = new Case(record);
  for (const told of about.told) {
    checkPresence(about, told);
    if (isTurn(told.written)) checkTurn(about, told);
    if (isCommand(told.written)) checkCommand(about, told);
    checkAnswer(about, told);
  }
  checkBeside(about);
  checkOrigins(about);
  checkOrder(about);
  const marked = checkReplies(about);
  checkTelling(about);
  if (record.rows.integrity !== 'ok')
    about.broken('the database is whole', 'integrity', record.rows.integrity);
  for (const what of record.odd) about.broken('nothing odd happened', 'a life', what);
  const { problems, deviations } = about;
  const resumed = record.rows.turns.filter(({ attempt }) => attempt > 1).length;
  return { problems, deviations, outcomes: outcomesOf(about), resumed, marked };
}

/** What was acknowledged is there, with one outcome or waiting for a word. */
function checkPresence(about: Case, { written, row }: Told): void {
  const { id, acknowledged } = written;
  if (row === undefined) {
    const mayRunUnrecorded = !isTurn(written) && written.word !== 'resume' && about.hadOutage(written);
    if (acknowledged && mayRunUnrecorded) about.deviations.notRecorded += 1;
    else about.broken('none is missing', id, acknowledged ? 'acknowledged, and not there' : 'never taken');
    return;
  }
  if (row.recorded === 0) about.deviations.notRecorded += 1;
  if (row.outcome === null && row.phase !== 'awaiting-resume') {
    about.broken('one outcome each', id, `it is still ${row.phase}`);
  }
  const settled = about.record.trace.filter((noted) => noted.what === 'settled' && noted.id === row.id);
  const outcomes = new Set(settled.map((noted) => ('outcome' in noted ? noted.outcome : '')));
  if (outcomes.size > 1) about.broken('one outcome each', id, `settled as ${[...outcomes].join(' and ')}`);
}

/** A message for an agent: answered, unless one of the reasons holds that a person is told of. */
function checkTurn(about: Case, told: Told): void {
  const { written, row, turns, begun } = told;
  if (row === undefined) return;
  const { id } = written;
  const cannot = (what: string) =>
    about.broken('the outcome is one that this message can have', id, `${what} (${describe(told)})`);
  switch (row.outcome) {
    case 'answered':
      break;
    case 'refused':
      if (turns.length > 0) cannot('refused, and a turn of it ran');
      else if (!mayBeRefused(about, told, row)) cannot(`refused by ${row.reason}`);
      break;
    case 'interrupted':
      if (about.record.resume !== 'never' || !wasCutOff(told)) cannot('interrupted for good');
      break;
    case null:
      checkAwaiting(about, told, cannot);
      break;
    default:
      cannot(`${row.outcome}`);
  }
  const works = Map.groupBy(begun, ({ work }) => work);
  for (const [work, runs] of works) {
    if (runs.length > 1) about.broken('a turn once an attempt', id, `${work} ran ${runs.length} times`);
    if (!turns.some((turn) => turn.id === work)) {
      about.broken('a turn once an attempt', id, `${work} ran and is not known`);
    }
  }
  if (row.outcome === 'answered' && !told.ended.some(({ work }) => works.has(work))) {
    cannot('answered by nobody');
  }
}

/** It waits for a person: because its turn was cut off and may have done something, or because it may be old. */
function checkAwaiting(about: Case, told: Told, cannot: (what: string) => void): void {
  const { written } = told;
  const { resume } = about.record;
  if (!wasCutOff(told)) {
    if (about.had('clock off')) about.deviations.ageUnknown += 1;
    else cannot('it waits for a word, and no turn of it was cut off');
    return;
  }
  if (about.had('clock off') || about.wasQuarantined(written.key)) return;
  const goesOn = resume === 'always' || (resume === 'auto' && about.isPure(written));
  if (goesOn) cannot('it waits for a word, and could have gone on by itself');
  if (resume === 'never') cannot('it waits for a word, and nobody was to be asked');
}

function mayBeRefused(about: Case, { written }: Told, row: InboxRow): boolean {
  if (row.reason === 'limit') return wasFull(about.record, row);
  const couldBe =
    about.wasQuarantined(written.key) ||
    ['SIGTERM', 'SIGUSR1', 'hurry', 'drain'].some((trouble) => about.had(trouble));
  return row.reason === 'state' && couldBe;
}

/** As many as a conversation may have waiting came before it and were open still. */
function wasFull({ trace, rows }: ChapterRecord, row: InboxRow): boolean {
  const refusedAt = trace.findIndex((noted) => noted.what === 'settled' && noted.id === row.id);
  const before = trace.slice(0, refusedAt).flatMap((noted) => (noted.what === 'settled' ? [noted.id] : []));
  const over = new Set(before);
  const open = rows.inbox.filter(
    ({ id, conversation, kind, seq }) =>
      conversation === row.conversation && kind === 'turn' && seq < row.seq && !over.has(id),
  );
  return open.length >= WAITING_IN_A_CONVERSATION_MAX;
}

/** A command: at most once, and as often as its outcome says. */
function checkCommand(about: Case, told: Told): void {
  const { written, row, begun, ended } = told;
  const { id } = written;
  if (begun.length > 1) {
    if (begun.slice(0, -1).every((run) => about.beganUnwritten(told, run)))
      about.deviations.ranAgainUnrecorded += 1;
    else about.broken('a command at most once', id, `it ran ${begun.length} times (${describe(told)})`);
    return;
  }
  if (row === undefined) return;
  const cannot = (what: string) =>
    about.broken('the outcome is one that this message can have', id, `${what} (${describe(told)})`);
  switch (row.outcome) {
    case 'ran':
      if (ended.length !== 1) cannot('it ran, and did nothing');
      break;
    case 'interrupted':
      break;
    case 'expired':
      // That it began could not be written, and then the gateway died.
      if (begun.length > 0 && begun.every((run) => about.beganUnwritten(told, run)))
        about.deviations.notRecorded += 1;
      else if (begun.length > 0) cannot('expired, and it ran');
      else if (!about.had('clock off')) cannot('expired, and a minute had not passed');
      break;
    case 'refused':
      if (begun.length > 0) cannot('refused, and it ran');
      else if (written.word !== 'n') cannot(`refused by ${row.reason}`);
      break;
    default:
      cannot(`${row.outcome}`);
  }
}

/** One answer, and where it was asked for again, the same outcome. */
function checkAnswer(about: Case, told: Told): void {
  const { written, row, replies } = told;
  if (row === undefined) return;
  const { id, toldOutcome } = written;
  if (toldOutcome !== undefined && toldOutcome !== row.outcome) {
    about.broken('the same id tells the same outcome', id, `told ${toldOutcome}, and it is ${row.outcome}`);
  }
  const found = replies.filter(({ text, part }) => part === 0 && answers(text, id));
  const isAnswered = row.outcome === 'answered' || row.outcome === 'ran';
  // One attempt each: what a turn that was cut off had said is said, too.
  if (isAnswered && (found.length < 1 || found.length > Math.max(1, told.turns.length))) {
    about.broken('one outcome each', id, `it has ${found.length} answers (${describe(told)})`);
  }
  // Of what was ended early, too, it is said how far it had come.
  if (!isAnswered && found.length > 0 && row.outcome !== 'interrupted' && !wasCutOff(told)) {
    about.broken('one outcome each', id, `it is ${row.outcome}, and has an answer`);
  }
}

/** What the command line leaves with then. */
const REFUSED = 3;

/** Commands that a process of their own ran beside the gateways: they are none of a gateway's that starts. */
function checkBeside(about: Case): void {
  const { beside, rows, effects } = about.record;
  for (const { id, exitCode, byItself, recorded, said } of beside) {
    const row = rows.inbox.find(({ name, platform }) => name === id && platform === 'local');
    const begun = effects.filter((effect) => effect.id === id && effect.what === 'begun').length;
    if (begun > 1) about.broken('a command at most once', id, `it ran ${begun} times, from a command line`);
    // Refused: a gateway that came up meanwhile had taken it, or its clock said that nobody waits any more.
    if (!byItself || !recorded || exitCode === REFUSED) continue;
    if (exitCode !== 0 || row?.outcome !== 'ran') {
      const what = `it left with ${exitCode}, and its outcome is ${row?.outcome} (${row?.reason}): ${said}`;
      about.broken('a living life is left alone', id, what);
    }
  }
}

/** Every row has somebody who wrote it. */
function checkOrigins(about: Case): void {
  const { rows, written, beside } = about.record;
  const known = new Set([
    ...written.map(({ platform, id }) => `${platform} ${id}`),
    ...beside.map(({ id }) => `local ${id}`),
  ]);
  for (const { platform, name } of rows.inbox) {
    if (!known.has(`${platform} ${name}`))
      about.broken('nothing comes from nowhere', name, 'nobody wrote it');
  }
}

function outcomesOf(about: Case): Record<string, Record<string, number>> {
  const outcomes: Record<string, Record<string, number>> = {};
  for (const { row } of about.told) {
    if (row === undefined) continue;
    const outcome = row.outcome ?? 'awaiting resume';
    const ofKind = outcomes[row.kind] ?? {};
    outcomes[row.kind] = { ...ofKind, [outcome]: (ofKind[outcome] ?? 0) + 1 };
  }
  return outcomes;
}

function describe({ written, row, turns, commands, begun }: Told): string {
  const attempts = turns.map(({ attempt, outcome, reason }) =>
    `${attempt} ${outcome} ${reason ?? ''}`.trim(),
  );
  const runs = commands.map(
    ({ outcome, startedAt }) => `${outcome}, ${startedAt === null ? 'not begun' : 'begun'}`,
  );
  const of = `${written.word} in ${written.key}, round ${written.round}`;
  const facts = [...attempts.map((text) => `turn ${text}`), ...runs.map((text) => `command ${text}`)];
  return [of, `${row?.id}`, ...facts, `${begun.length} runs`, `reason ${row?.reason}`].join('; ');
}
