/**
 * What whoever waited at `sluice exec` is told where the gateway said nothing of the command's end: they left, they
 * interrupted it before anybody had decided, or the gateway died.
 */
import { isSluiceError, messageOf, SluiceError } from '../errors.ts';
import type { Earlier } from '../offline/earlier.ts';
import { lineAt } from './command-line.ts';
import type { Context } from './context.ts';
import { type Interrupts, interruptName } from './interrupts.ts';
import type { Followed } from './message.ts';

export interface ExecCommandLine {
  readonly name: string;
  /** The message as a chat would send it. */
  readonly text: string;
  readonly id: string;
}

/** How far it was when they left: the gateway was ending it, had it, or had it from somebody who sent the id before. */
export type LeftAs = 'ending' | 'decided' | 'watched';

const UNRECORDED_HINT = 'See what it did before you send it again: it may be running still.';

/** They left what the gateway has. */
export function left(context: Context, { name, id }: ExecCommandLine, as: LeftAs): SluiceError {
  const goesOn = `left: /${name} goes on in the gateway`;
  if (as === 'decided') return leftToCancel(context, id, goesOn);
  if (as === 'watched') return leftToCancel(context, id, `left: what was sent as ${id} before goes on`);
  const shown = lineAt(context, ['messages', 'show', id]);
  return new SluiceError('INTERRUPTED', `${goesOn}, which is ending it`, { hint: `How it ended: ${shown}` });
}

/** They left while nobody knew what the gateway makes of it. */
export const leftUndecided = (context: Context, { name, id }: ExecCommandLine): SluiceError =>
  leftToCancel(context, id, `left before the gateway had decided about /${name}: it may run it`);

const leftToCancel = (context: Context, id: string, how: string): SluiceError =>
  new SluiceError('INTERRUPTED', how, { hint: `To end it: ${lineAt(context, ['exec', '--cancel', id])}` });

/** `isTaken`: its id stands for that from now on. */
export const notRun = ({ name }: ExecCommandLine, isTaken = false): SluiceError =>
  new SluiceError(
    'INTERRUPTED',
    `/${name} was not run: no gateway decided about it, and it was interrupted`,
    { hint: `Send it again${isTaken ? ', under another id,' : ''} if it is still wanted.` },
  );

/**
 * It was interrupted while a gateway that is silent may have begun it: its id is taken, so that none begins it any more.
 * Where the gateway was faster, what the store has of it. Throws INTERRUPTED while that has no end.
 */
export async function endUndecided(
  context: Context,
  command: ExecCommandLine,
  interrupts: Interrupts,
): Promise<Followed> {
  const leave = new AbortController();
  interrupts.listen((_, nth) => nth > 1 && leave.abort());
  const { takeAsUnrun } = await import('../offline/unrun.ts');
  const because = interrupts.last === undefined ? 'interrupted' : interruptName(interrupts.last);
  const taken = await takeAsUnrun({ ...context, ...command, because, signal: leave.signal });
  if (taken === 'unrun') throw notRun(command, true);
  if (taken === 'unrecorded') throw leftUndecided(context, command);
  const { settled, stands } = taken;
  if (settled === undefined) throw leftToCancel(context, command.id, `left before the end. ${stands}`);
  return told(context, taken, settled, undefined);
}

/** It was taken, and the next gateway knows nothing of it: the store could not be written, or it died in between. */
export const diedWithIt = (): SluiceError =>
  new SluiceError(
    'NOT_DONE',
    'the gateway died after it had taken the command, and nothing of it was recorded',
    { hint: UNRECORDED_HINT },
  );

/**
 * The gateway died: the command's outcome where the store has it, else GATEWAY_DIED with how it stood. `said`: what was
 * printed already.
 */
export async function asRecorded(
  context: Context,
  { name, id }: ExecCommandLine,
  said: string | undefined,
  died: SluiceError,
): Promise<Followed> {
  const { earlierOf } = await import('../offline/earlier.ts');
  const { earlier, unread } = recorded(() => earlierOf(context.paths.store, id));
  if (earlier?.settled !== undefined) {
    context.output.note(`${died.message}; it had recorded how /${name} ended`);
    return told(context, earlier, earlier.settled, said);
  }
  const stands = earlier?.stands ?? unread ?? `Nothing of /${name} was recorded.`;
  const hint = earlier === undefined ? UNRECORDED_HINT : hintAfterDeath(context, id, earlier);
  throw new SluiceError('GATEWAY_DIED', `${died.message}. ${stands}`, { hint, cause: died });
}

/** What the next start makes of it, and where that is seen. */
function hintAfterDeath(context: Context, id: string, { beginsWithinMs }: Earlier): string {
  const run = lineAt(context, ['run']);
  const next =
    beginsWithinMs === null
      ? `\`${run}\` ends what is left of it.`
      : `\`${run}\` begins it within ${beginsWithinMs / 1000} s of its being sent, and not later.`;
  return `${next} How it ended, then: ${lineAt(context, ['messages', 'show', id])}`;
}

function recorded(read: () => Earlier | undefined): { earlier?: Earlier | undefined; unread?: string } {
  try {
    return { earlier: read() };
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return { unread: `What the store has of it cannot be read: ${messageOf(error)}.` };
  }
}

/** Prints what the store has of its end, but for what was printed already. */
function told(
  { json, output }: Context,
  { admission }: Earlier,
  settled: NonNullable<Earlier['settled']>,
  said: string | undefined,
): Followed {
  for (const reply of settled.replies) if (!json && reply !== said) output.print(reply);
  return { admission, settled: { ...settled }, refusal: undefined };
}
