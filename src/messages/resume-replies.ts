/**
 * What is said of messages that the end of a life, or their own age, kept from being answered, and of the notices that
 * tell people how the gateway stands. Pure.
 */
import { counted, seconds } from './amounts.ts';
import { echoed } from './echoed.ts';
import { firstFew } from './in-flight.ts';

export const interruptedAtBoot = (name: string): string =>
  `The gateway went down while /${name} ran. It is not run again by itself: check what it did, then send it again if needed.`;

/** One of the gateway's own commands, as it was typed. */
export const builtinCutOff = (text: string): string =>
  `The gateway went down before it had answered ${echoed(text.trim().split(/\s/, 1)[0] ?? '')}. Nothing of that goes on: send it again if it is still wanted.`;

/** What became of that which a cut off `/resume` was for: it goes on, it waits as before, or there is nothing that waits. */
export type ResumeCutOff = 'goes-on' | 'waits' | 'nothing';

export function resumeCutOff(became: ResumeCutOff): string {
  if (became === 'goes-on')
    return 'The gateway went down just after /resume had taken up what waited here. It is answered all the same; nothing is to be sent again.';
  return became === 'waits'
    ? 'The gateway went down before /resume was done: what it was for still waits here. Send /resume again.'
    : 'The gateway went down before it had answered /resume. Nothing of this conversation waits to be resumed.';
}

/** A command that `sluice exec` ran itself, and that was cut off with it. */
export const cutOffWithItsCli = (name: string): string =>
  `The \`sluice exec\` that ran /${name} was ended before it. It is not run again by itself: check what it did, then send it again if needed.`;

/** A command that had ended, and maybe was answered, when its gateway left without being able to write that. */
export const endUnrecorded = (name: string): string =>
  `What came of /${name} could not be recorded before the gateway left. It is not run again by itself: check what it did, then send it again if needed.`;

/** A turn that the end of a life cut off; what it had streamed is said before this. */
export function cutOff(goesOn: 'by-itself' | 'ask' | 'end', quarantined: boolean): string {
  if (quarantined) {
    return 'The gateway went down again while this conversation was being answered, so nothing more is answered here by itself. /resume tries once more.';
  }
  const went = 'The gateway went down while this was being answered.';
  if (goesOn === 'by-itself') return `${went} It is being answered again, from the beginning.`;
  if (goesOn === 'ask') return `${went} Send /resume to have it answered after all.`;
  return `${went} Send it again if it is still wanted.`;
}

/** How messages go on whose conversation has heard of the incident before: by a word, now or after safe mode, or it rests. */
export type AskedHow = 'resume' | 'after-safe-mode' | 'rests';

/**
 * The same of further messages of a conversation in one incident, which has one word that the gateway went down. `isAgain`:
 * each of them had been cut off before.
 */
export function cutOffToo(texts: readonly string[], isAgain: boolean, how: AskedHow): string {
  const isOne = texts.length === 1;
  const which = `The message${isOne ? '' : 's'} ${firstFew(texts.map((text) => `"${beginning(text)}"`))}`;
  const cut = `${which} ${isOne ? 'was' : 'were'} cut off${isAgain ? ' again' : ', too'}.`;
  const answered = `to have ${isOne ? 'it' : 'them'} answered after all.`;
  switch (how) {
    case 'resume':
      return `${cut} Send /resume ${answered}`;
    case 'after-safe-mode':
      return `${cut} The gateway is in safe mode after several crashes: send /resume when it takes turns again ${answered}`;
    case 'rests':
      return `${cut} Nothing more is answered here by itself: /resume tries once more.`;
  }
}

/** The gateway is back after it left, told to those whom that kept from being answered, and to who asked for it. */
export const gatewayBack = (): string =>
  'The gateway is back. What was not taken meanwhile can be sent again.';

/** The same, told by the life that had been about to leave, or took no turns. */
export const turnsTakenAgain = (): string =>
  'The gateway goes on and takes turns again. What was not taken meanwhile can be sent again.';

/** The same, told to a conversation that rests: it had heard that it would be answered after all. */
export const backAndResting = (): string =>
  'The gateway is back. It went down three times running while this conversation was being answered, so nothing more is answered here by itself. /resume tries once more.';

/** The same, told again to one that knows why it rests: it asked for the gateway to leave, or was refused for its sake. */
export const backAndStillResting = (): string =>
  'The gateway is back. This conversation still rests: /resume lets it go on.';

/** Told late, because the gateway had been in safe mode. */
export const wentDown = (): string =>
  'The gateway went down several times while this conversation was being answered. What goes on by itself goes on now; /resume has the rest answered.';

export const quarantined = (): string =>
  'Not taken: the gateway went down three times running while this conversation was being answered, so it rests. /resume lets it go on; commands still run.';

export const nothingToResume = (): string => 'Nothing of this conversation waits to be resumed.';

/** A conversation that rested, and has nothing that waits. */
export const released = (): string => 'This conversation goes on: messages are answered again.';

/** Whether what is taken up has its turn, waits for others of its conversation, or for a free place. */
export type ResumeStanding = 'now' | 'behind-others' | 'no-place';

/** What `/resume` took up: answered at once, or after what is before it. */
export function resuming(count: number, standing: ResumeStanding): string {
  const what = `${counted(count, 'message')} of this conversation that waited for /resume`;
  if (standing === 'now') return `Being answered now: ${what}.`;
  const when =
    standing === 'no-place' ? 'when a place is free' : 'after what is before it in this conversation';
  return `Taken up, and answered ${when}: ${what}.`;
}

export const safeModeLeft = (): string =>
  'Turns are taken again. What was held starts one at a time for the first minute.';

export const notInSafeMode = (): string => 'Nothing to clear: the gateway is not in safe mode.';

/** The same while the gateway leaves: what it had streamed is said before this. */
export function cutOffNow(goesOn: 'by-itself' | 'ask', because: string): string {
  const why = `Interrupted: ${because}.`;
  return goesOn === 'by-itself'
    ? `${why} It is answered again, from the beginning, when the gateway is back.`
    : `${why} Send /resume when it is back to have it answered after all.`;
}

/** A message that was held for too long to be answered unasked. */
export const grownOld = (text: string, ageMs: number): string =>
  `A message from ${seconds(ageMs)} ago was not answered yet: "${beginning(text)}". Send /resume to have it answered.`;

/** The same, where it is not asked for. */
export const expiredMessage = (text: string, ageMs: number): string =>
  `Not answered: "${beginning(text)}" had waited for ${seconds(ageMs)}. Send it again if it is still wanted.`;

/** So much of a message as reminds its sender of it. */
const beginning = (text: string): string => {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
};

/** A message that waits for a person's word, to whoever asks for it. */
export const awaitingResume = (): string =>
  'It is not answered yet, and waits for a word: send /resume in its conversation to have it answered.';

/** A message that waited for a person's word, and waited too long. */
export const notAskedFor = (waitedMs: number): string =>
  `A message that waited for a word is given up: nobody sent /resume for ${days(waitedMs)}. Send it again if it is still wanted.`;

const days = (ms: number): string => counted(Math.round(ms / 86_400_000), 'day');

export const expiredCommand = (name: string): string =>
  `/${name} was not run: the gateway was down for too long after it came in. Send it again if it is still wanted.`;
