/**
 * A quick command through the gateway of the home, followed to its end. An interrupt asks that gateway to end it, and is
 * only obeyed at once when it comes again; a gateway that dies is not waited for longer than its successor may take.
 */
import { systemClock } from '../clock.ts';
import { isSluiceError, messageOf, SluiceError } from '../errors.ts';
import { NOT_IN_FLIGHT } from '../messages/commands.ts';
import type { Earlier } from '../offline-earlier.ts';
import { isVisible } from '../process/identity.ts';
import { readOwner } from '../process/runtime-status.ts';
import { lineAt } from './command-line.ts';
import type { Context } from './context.ts';
import { hasLivingOwner } from './departure.ts';
import type { Interrupts } from './interrupts.ts';
import { type Followed, type FollowOptions, followMessage, type MessageBody } from './message.ts';

export interface ExecCommandLine {
  readonly name: string;
  /** The message as a chat would send it. */
  readonly text: string;
  readonly id: string;
}

/** How long a daemon may take to decide before the command is run without it. */
const DAEMON_MS_MAX = 1000;

/**
 * Until when a daemon may begin it. Where the store cannot be written only this keeps the two from running it both, so
 * the rest of DAEMON_MS_MAX is for a decision that was made in time to get here.
 */
const BEGIN_MS_MAX = 750;

/** How long a command may take in all; its own timeout ends it long before. */
const TIMEOUT_MS = 24 * 3600 * 1000;

/** The conversation in which the shell's commands are. */
const CONVERSATION = 'exec';

/** Sends a message of `sluice exec` and prints what it is answered. Rejects as `followMessage`. */
export function followExec(
  { control, output, json }: Context,
  body: Pick<MessageBody, 'text' | 'id' | 'only'>,
  more: Partial<FollowOptions> = {},
): Promise<Followed> {
  const deadlineAt = systemClock.wallMs() + BEGIN_MS_MAX;
  const options: FollowOptions = {
    ...{ control, clock: systemClock, admissionOnly: false },
    ...{ admissionMs: DAEMON_MS_MAX, timeoutMs: TIMEOUT_MS },
    onAdmission: (admission) => tellAdmission(output, admission),
    onDelta: () => {},
    onReply: (reply) => json || output.print(reply),
    ...more,
  };
  return followMessage({ ...body, conversation: CONVERSATION, deadlineAt }, options);
}

/** What is said of one that was taken and has to wait. */
function tellAdmission(output: Context['output'], { admission, text }: Record<string, unknown>): void {
  if (admission === 'dispatch' && typeof text === 'string') output.note(text);
}

/**
 * What the gateway made of it, or why none has: then it may be run without one. Throws INTERRUPTED when it was left, or
 * interrupted before anybody had begun it, and GATEWAY_DIED with what is known of it.
 */
export async function execByGateway(
  context: Context,
  command: ExecCommandLine,
  interrupts: Interrupts,
): Promise<Followed | { readonly nobody: string }> {
  const following = new Following(context, command, interrupts);
  try {
    const followed = await following.result();
    if (followed.settled ?? followed.refusal) return followed;
    throw left(context, command, following);
  } catch (error) {
    if (!isSluiceError(error) || error.code === 'INTERRUPTED') throw error;
    if (error.code === 'GATEWAY_DIED') return asRecorded(context, command, following.said, error);
    // Once a gateway has decided, the command is that one's: it is not run a second time here.
    const isLate = error.code === 'SENDER_GAVE_UP';
    if (following.isDecided) throw isLate ? diedWithIt() : error;
    if (!isLate && error.code !== 'NO_GATEWAY' && error.code !== 'NO_ANSWER') throw error;
    if (interrupts.last !== undefined) throw notRun(command);
    const isSilent = error.code !== 'NO_GATEWAY' || hasLivingOwner(context);
    return { nobody: isSilent ? 'the gateway does not answer' : 'no gateway is running' };
  }
}

/** One command in the hands of the gateway. */
class Following {
  readonly #context: Context;
  readonly #command: ExecCommandLine;
  readonly #interrupts: Interrupts;
  readonly #leave = new AbortController();
  #admission: Record<string, unknown> | undefined;
  /** Ends once the gateway has said what it makes of the wish to end it. */
  #ending: Promise<void> | undefined;
  /** The last reply that was printed. */
  said: string | undefined;
  /** The gateway has said that it ends it. */
  isEnding = false;

  constructor(context: Context, command: ExecCommandLine, interrupts: Interrupts) {
    this.#context = context;
    this.#command = command;
    this.#interrupts = interrupts;
  }

  get isDecided(): boolean {
    return this.#admission !== undefined;
  }

  async result(): Promise<Followed> {
    const { output, json } = this.#context;
    const { name, text, id } = this.#command;
    this.#interrupts.listen((_, nth) => {
      if (nth > 1) return this.#leave.abort();
      output.note(`asking the gateway to end /${name}; once more leaves at once, and it goes on there`);
      if (this.isDecided) this.#end();
    });
    const followed = await followExec(
      this.#context,
      { text, id, only: 'exec' },
      {
        signal: this.#leave.signal,
        isOwned: () => isOwned(this.#context),
        onAdmission: (admission) => {
          this.#admission = admission;
          tellAdmission(output, admission);
          if (this.#interrupts.last !== undefined) this.#end();
        },
        onReply: (reply) => {
          this.said = reply;
          if (!json) output.print(reply);
        },
      },
    );
    if (!this.#leave.signal.aborted) await this.#ending;
    return followed;
  }

  /** Once, as `--cancel` does it: what the gateway says is told. */
  #end(): void {
    this.#ending ??= this.#askEnd();
  }

  async #askEnd(): Promise<void> {
    const { control, output } = this.#context;
    const body = { text: `/cancel ${this.#command.id}`, conversation: CONVERSATION };
    try {
      const { json } = await control.request('POST', '/v1/messages?wait=1', body);
      const { replies = [], outcomeReason } = json as { replies?: string[]; outcomeReason?: unknown };
      this.isEnding = replies.length > 0 && outcomeReason !== NOT_IN_FLIGHT;
      for (const reply of replies) output.note(reply);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      output.note(`it could not be asked: ${messageOf(error)}`);
    }
  }
}

/** A gateway of another container cannot be seen, and may come back as it likes. */
function isOwned(context: Context): boolean {
  const owner = readOwner(context.paths);
  return owner !== undefined && (hasLivingOwner(context) || !isVisible(owner));
}

function left(context: Context, { name, id }: ExecCommandLine, following: Following): SluiceError {
  const goesOn = `left: /${name} goes on in the gateway`;
  if (following.isEnding) {
    const shown = lineAt(context, ['messages', 'show', id]);
    return new SluiceError('INTERRUPTED', `${goesOn}, which is ending it`, {
      hint: `How it ended: ${shown}`,
    });
  }
  const how = following.isDecided
    ? goesOn
    : `left before the gateway had decided about /${name}: it may run it`;
  const line = lineAt(context, ['exec', '--cancel', id]);
  return new SluiceError('INTERRUPTED', how, { hint: `To end it: ${line}` });
}

const notRun = ({ name }: ExecCommandLine): SluiceError =>
  new SluiceError(
    'INTERRUPTED',
    `/${name} was not run: no gateway decided about it, and it was interrupted`,
    { hint: 'Send it again if it is still wanted.' },
  );

/** It was taken, and the next gateway knows nothing of it: the store could not be written, or it died in between. */
const diedWithIt = (): SluiceError =>
  new SluiceError(
    'NOT_DONE',
    'the gateway died after it had taken the command, and nothing of it was recorded',
    { hint: UNRECORDED_HINT },
  );

const UNRECORDED_HINT = 'See what it did before you send it again: it may be running still.';

/** The gateway died: its outcome where the store has it, else how it stood. `said`: what was printed already. */
async function asRecorded(
  { paths, output, json }: Context,
  { name, id }: ExecCommandLine,
  said: string | undefined,
  died: SluiceError,
): Promise<Followed> {
  const { earlierOf } = await import('../offline-earlier.ts');
  const { earlier, unread } = recorded(() => earlierOf(paths.store, id));
  if (earlier?.settled !== undefined) {
    output.note(`${died.message}; it had recorded how /${name} ended`);
    for (const reply of earlier.settled.replies) if (!json && reply !== said) output.print(reply);
    return { admission: earlier.admission, settled: { ...earlier.settled }, refusal: undefined };
  }
  const stands = earlier?.stands ?? unread ?? `Nothing of /${name} was recorded.`;
  throw new SluiceError('GATEWAY_DIED', `${died.message}. ${stands}`, {
    hint:
      earlier === undefined
        ? UNRECORDED_HINT
        : `\`sluice run\` ends what is left of it; then the same with --id ${id} tells how it ended.`,
    cause: died,
  });
}

function recorded(read: () => Earlier | undefined): { earlier?: Earlier | undefined; unread?: string } {
  try {
    return { earlier: read() };
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return { unread: `What the store has of it cannot be read: ${messageOf(error)}.` };
  }
}
