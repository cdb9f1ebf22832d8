/**
 * A quick command through the gateway of the home, followed to its end. An interrupt asks that gateway to end it, and is
 * only obeyed at once when it comes again; a gateway that dies is not waited for longer than its successor may take.
 */
import { systemClock } from '../clock.ts';
import { isSluiceError, messageOf } from '../errors.ts';
import { NOT_IN_FLIGHT } from '../messages/commands.ts';
import * as replies from '../messages/replies.ts';
import { haveSameWords } from '../messages/words.ts';
import type { Context } from './context.ts';
import { hasLivingOwner, isOwned } from './departure.ts';
import {
  asRecorded,
  diedWithIt,
  type ExecCommandLine,
  endUndecided,
  type LeftAs,
  left,
  leftUndecided,
  notRun,
} from './exec-endings.ts';
import type { Interrupts } from './interrupts.ts';
import { type Followed, type FollowOptions, followMessage, type MessageBody } from './message.ts';

/** No gateway has made anything of it, so that it may be run without one. */
export interface Nobody {
  /** Why, for whoever asked. */
  readonly because: string;
  /** One that is silent may begin it yet, or has; whoever takes the id in the store knows. */
  readonly mayRun: boolean;
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

/** Between two wishes to end a command, of which the first was not heard. */
const ASK_AGAIN_MS = 500;

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
): Promise<Followed | Nobody> {
  const following = new Following(context, command, interrupts);
  try {
    const followed = await following.result();
    if (followed.settled ?? followed.refusal) return followed;
    throw following.standing === undefined
      ? leftUndecided(context, command)
      : left(context, command, following.standing);
  } catch (error) {
    if (!isSluiceError(error) || error.code === 'INTERRUPTED') throw error;
    if (error.code === 'GATEWAY_DIED') return asRecorded(context, command, following.said, error);
    // Once a gateway has decided, the command is that one's: it is not run a second time here.
    const isLate = error.code === 'SENDER_GAVE_UP';
    if (following.standing !== undefined) throw isLate ? diedWithIt() : error;
    if (!isLate && error.code !== 'NO_GATEWAY' && error.code !== 'NO_ANSWER') throw error;
    const isSilent = error.code !== 'NO_GATEWAY' || hasLivingOwner(context);
    // Silence may be the time that a commit takes: it was looked at the deadline before that.
    const mayRun = isSilent && !isLate;
    if (interrupts.last === undefined)
      return { because: isSilent ? 'the gateway does not answer' : 'no gateway is running', mayRun };
    if (mayRun) return endUndecided(context, command, interrupts);
    throw notRun(command);
  }
}

/** One command in the hands of the gateway. */
class Following {
  readonly #context: Context;
  readonly #command: ExecCommandLine;
  readonly #interrupts: Interrupts;
  readonly #leave = new AbortController();
  /** Resolves when they leave. */
  readonly #left = Promise.withResolvers<void>();
  /** Ends once a gateway has heard the wish to end it, or there is nothing more to end. */
  #ending: Promise<void> | undefined;
  /** Aborted when nothing more comes: then nobody is asked again. */
  readonly #over = new AbortController();
  /** Ends once it is told whether the id is another command's. */
  #naming: Promise<void> | undefined;
  /** The last reply that was printed. */
  said: string | undefined;
  /** Undefined until the gateway has decided. */
  standing: LeftAs | undefined;

  constructor(context: Context, command: ExecCommandLine, interrupts: Interrupts) {
    this.#context = context;
    this.#command = command;
    this.#interrupts = interrupts;
  }

  async result(): Promise<Followed> {
    const { output, json } = this.#context;
    const { text, id } = this.#command;
    this.#interrupts.listen((_, nth) => this.#interrupted(nth));
    const following = followExec(
      this.#context,
      { text, id, only: 'exec' },
      {
        signal: this.#leave.signal,
        isOwned: () => isOwned(this.#context),
        onAdmission: (admission) => {
          tellAdmission(output, admission);
          this.#decided(admission);
        },
        onReply: (reply) => {
          this.said = reply;
          if (!json) output.print(reply);
        },
      },
    );
    const followed = await following.finally(() => this.#over.abort());
    await Promise.race([Promise.all([this.#ending, this.#naming]), this.#left.promise]);
    return followed;
  }

  #decided({ duplicate, admission, messageId }: Record<string, unknown>): void {
    if (this.standing === undefined && duplicate === true && admission === 'dispatch')
      this.#naming = this.#tellOther(messageId);
    // A later decision about what is theirs comes as of a known id as well: after a restart it is asked for again.
    this.standing ??= duplicate === true ? 'watched' : 'decided';
    if (this.#interrupts.last !== undefined) this.#end();
  }

  /** The outcome of another command could be taken for that of this one. */
  async #tellOther(messageId: unknown): Promise<void> {
    const { control, output } = this.#context;
    const { id, text } = this.#command;
    if (typeof messageId !== 'string') return;
    try {
      const { json } = await control.request('GET', `/v1/messages/${messageId}`);
      if (typeof json.text !== 'string' || haveSameWords(json.text, text)) return;
      output.note(replies.idOfAnother(id, json.text));
    } catch (error) {
      // The outcome is told all the same.
      if (!isSluiceError(error)) throw error;
    }
  }

  #interrupted(nth: number): void {
    if (nth > 1 || this.standing === 'watched') {
      this.#goAway();
      return;
    }
    const how = 'once more leaves at once, and it goes on there';
    this.#context.output.note(`asking the gateway to end /${this.#command.name}; ${how}`);
    if (this.standing !== undefined) this.#end();
  }

  #goAway(): void {
    this.#leave.abort();
    this.#left.resolve();
  }

  /** Once, as `--cancel` does it: what the gateway says is told. What somebody else sent is not ended by leaving it. */
  #end(): void {
    if (this.standing === 'watched') this.#goAway();
    else this.#ending ??= this.#askEnd();
  }

  /**
   * Until a gateway has heard it: between two lives there is none, and the next one has nothing in flight before it has taken
   * up what the one before left.
   */
  async #askEnd(): Promise<void> {
    for (let isSaid = false; ; ) {
      const obstacle = await this.#askOnce();
      if (obstacle === undefined || this.#over.signal.aborted) return;
      if (obstacle !== NOT_IN_FLIGHT && !isSaid) {
        this.#context.output.note(`it could not be asked: ${obstacle}; asking until one answers`);
        isSaid = true;
      }
      await systemClock.delay(ASK_AGAIN_MS, this.#over.signal);
      if (this.#over.signal.aborted) return;
    }
  }

  /** Tells what the gateway says. What kept it from hearing, or that nothing is in flight under this id; else undefined. */
  async #askOnce(): Promise<string | undefined> {
    const { control, output } = this.#context;
    const body = { text: `/cancel ${this.#command.id}`, conversation: CONVERSATION };
    try {
      const { status, json } = await control.request('POST', '/v1/messages?wait=1', body);
      // It leaves, and keeps nothing that comes now.
      if (status >= 500) return `it answered ${status}`;
      const { replies: told = [], outcomeReason } = json as { replies?: string[]; outcomeReason?: unknown };
      if (outcomeReason === NOT_IN_FLIGHT) return NOT_IN_FLIGHT;
      if (told.length > 0) this.standing = 'ending';
      for (const reply of told) output.note(reply);
      return undefined;
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      return messageOf(error);
    }
  }
}
