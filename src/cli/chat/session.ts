/**
 * A chat on a terminal: keys in, the conversation and the rows under it out. Ctrl-C interrupts what is being answered,
 * else clears what is being written, else leaves, and the second one always leaves; Ctrl-D leaves. A gateway that
 * restarts meanwhile is waited for; of one that is gone it is told, and the next one is met whenever it comes.
 */
import { emitKeypressEvents } from 'node:readline';
import { systemClock as clock } from '../../clock.ts';
import type { ControlEvent, ControlReply } from '../../control/client.ts';
import { messageOf } from '../../errors.ts';
import type { Signals } from '../../process/signals.ts';
import { lineAt } from '../command-line.ts';
import { type Context, EXIT } from '../context.ts';
import { isOwned, ownerOf } from '../departure.ts';
import { GONE } from '../ownerless.ts';
import type { Terminal } from '../terminal.ts';
import { complete, type KnownCommand } from './completion.ts';
import { Editor, type Key } from './editor.ts';
import { History } from './history.ts';
import { layOut } from './layout.ts';
import { Link } from './link.ts';
import { Screen } from './screen.ts';
import { Transcript } from './transcript.ts';

/** How often the status line is brought up to date. */
const STATUS_PERIOD_MS = 1000;

/** In the status line until something is sent. */
const KEYS_HINT = ' · Alt-Enter or Ctrl-J: new line';

/** How long leaving waits until the gateway has what was sent last. */
const LAST_SENT_MS_MAX = 2000;

/** How long the gateway may take for what is only shown. */
const ASIDE_MS_MAX = 2000;

export interface ChatSessionOptions {
  readonly context: Context;
  readonly input: NodeJS.ReadStream;
  readonly terminal: Terminal;
  /** As a person named it. */
  readonly conversation: string;
  readonly signals: Signals;
}

export class ChatSession implements AsyncDisposable {
  readonly #options: ChatSessionOptions;
  readonly #stack = new AsyncDisposableStack();
  readonly #left = Promise.withResolvers<number>();
  readonly #history: History;
  readonly #editor: Editor;
  readonly #screen: Screen;
  readonly #transcript: Transcript;
  readonly #link: Link;
  /** What the gateway has not decided yet. */
  readonly #undecided = new Set<Promise<void>>();
  /** Undefined until the first connection has told. */
  #commands: readonly KnownCommand[] | undefined;
  /** What stood there when Tab asked for commands that were not known yet. */
  #tabbed: string | undefined;
  #status = 'connecting';
  /** Ctrl-C was pressed, and nothing since. */
  #pressedOnce = false;
  #wasAway = false;
  #hasSent = false;
  #drawing = false;

  constructor(options: ChatSessionOptions) {
    const { context, terminal, conversation } = options;
    this.#options = options;
    this.#history = new History(context.paths.chatHistory);
    this.#editor = new Editor(this.#history.entries);
    this.#screen = new Screen(terminal);
    this.#transcript = new Transcript(this.#screen);
    const comesBack = ownerOf(context);
    this.#link = new Link({
      control: context.control,
      clock,
      conversation,
      onEvent: (event) => this.#hear(event),
      onAway: () => this.#lost(),
      onGone: () => this.#gone(),
      comesBack,
      isOwned: () => isOwned(context),
    });
  }

  /** Resolves with an exit code when the person leaves; rejects where no gateway runs to begin with. */
  async run(): Promise<number> {
    const { input, terminal, signals } = this.#options;
    this.#stack.use(this.#screen);
    this.#stack.use(this.#link);
    this.#stack.use(terminal.onResize(() => this.#drawNow()));
    this.#stack.use(clock.every(STATUS_PERIOD_MS, () => void this.#askStatus()));
    emitKeypressEvents(input);
    const press = (_: string | undefined, key: Key) => this.#press(key);
    input.on('keypress', press);
    input.setRawMode(true);
    input.resume();
    this.#stack.defer(() => {
      input.off('keypress', press);
      input.setRawMode(false);
      input.pause();
    });
    const leave = () => this.#left.resolve(EXIT.done);
    input.once('end', leave);
    input.on('error', leave);
    signals.install();
    signals.attach(leave);
    signals.onFault((fault) => this.#left.reject(fault));
    this.#link.follow().catch((error: unknown) => this.#left.reject(error));
    this.#draw();
    const code = await this.#left.promise;
    if (this.#link.connected) {
      await Promise.race([Promise.all(this.#undecided), clock.delay(LAST_SENT_MS_MAX)]);
    }
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #press(key: Key): void {
    const meaning = this.#editor.press(key);
    const again = this.#pressedOnce;
    this.#pressedOnce = meaning === 'interrupt';
    if (meaning === 'leave') this.#left.resolve(EXIT.done);
    else if (meaning === 'submit') this.#submit();
    else if (meaning === 'complete') this.#complete();
    else if (meaning === 'redraw') this.#screen.redraw();
    else if (meaning === 'interrupt') this.#interrupt(again);
    this.#draw();
  }

  #submit(): void {
    const text = this.#editor.draft.text;
    if (text.trim() === '') return;
    this.#hasSent = true;
    this.#history.add(text);
    this.#editor.clear();
    this.#drawNow();
    this.#screen.freshLine();
    this.#screen.say(`> ${text.replaceAll('\n', '\n  ')}\n`);
    void this.#send(text);
  }

  /** Resolves when the gateway has decided, or will not. */
  #send(text: string): Promise<void> {
    let sentAs = '';
    const onId = (id: string) => {
      sentAs = id;
      this.#transcript.sent(id);
    };
    const sent = this.#link.send(text, onId).then(
      (reply) => this.#decided(sentAs, reply),
      (error: unknown) => {
        this.#transcript.done(sentAs);
        this.#screen.note(`not sent: ${messageOf(error)}`);
      },
    );
    return this.#track(sent);
  }

  #track(undecided: Promise<void>): Promise<void> {
    this.#undecided.add(undecided);
    return undecided.finally(() => this.#undecided.delete(undecided));
  }

  /** The rule that refused or kept it is told at once; answers come as events. */
  #decided(id: string, { status, json }: ControlReply): void {
    const error = json.error as { message?: string } | undefined;
    if (status >= 400) {
      this.#transcript.done(id);
      this.#screen.note(`not taken: ${error?.message ?? json.text ?? status}`);
    } else {
      this.#transcript.decided(id, json);
      if (json.admission === 'hold') this.#screen.note(String(json.text ?? 'kept'));
    }
    void this.#askStatus();
  }

  /** What is at work ends before what is being written is lost: that may be the correction. */
  #interrupt(again: boolean): void {
    const isAtWork = this.#toEnd !== undefined || this.#undecided.size > 0;
    if (again) this.#left.resolve(EXIT.done);
    else if (this.#link.connected && isAtWork) {
      this.#screen.note('interrupting; Ctrl-C again leaves');
      void this.#track(this.#endWork());
    } else if (this.#editor.draft.text !== '') this.#editor.clear();
    else if (this.#undecided.size > 0)
      this.#screen.note('the gateway is away; Ctrl-C again leaves without waiting for it');
    else this.#left.resolve(EXIT.done);
  }

  /** What a message was to become is known when it is decided. */
  async #endWork(): Promise<void> {
    await Promise.all(this.#undecided);
    const toEnd = this.#toEnd;
    if (toEnd !== undefined) await this.#send(toEnd);
  }

  /** The command that ends what this conversation's agent, or else this chat's command, is at; undefined for nothing. */
  get #toEnd(): string | undefined {
    const { isAnswering, isAwaited, runningCommand } = this.#transcript;
    if (isAnswering || isAwaited) return '/interrupt';
    return runningCommand === undefined ? undefined : `/cancel ${runningCommand}`;
  }

  #complete(): void {
    if (this.#commands === undefined) {
      this.#tabbed = this.#editor.draft.text;
      return;
    }
    const { draft, suggestions } = complete(this.#editor.draft, this.#commands);
    this.#editor.draft = draft;
    for (const { name, usage, help } of suggestions) {
      this.#screen.note(`  /${name}${usage && ` ${usage}`}${help && `  ${help}`}`);
    }
  }

  #hear(event: ControlEvent): void {
    if (event.event === 'connected') this.#connected(event);
    else this.#transcript.show(event);
    if (event.event === 'settled') void this.#askStatus();
    this.#draw();
  }

  #connected({ data }: ControlEvent): void {
    if (this.#wasAway) this.#screen.note(`connected again, epoch ${data.epoch}`);
    this.#wasAway = false;
    void this.#askStatus();
    void this.#askCommands();
  }

  #lost(): void {
    this.#wasAway = true;
    this.#status = 'the gateway is away, reconnecting';
    this.#transcript.lost();
    this.#draw();
  }

  /** What was not decided is told of message by message. */
  #gone(): void {
    const { recorded, unrecorded } = this.#transcript.awaited;
    const next = recorded > 0 ? 'goes on with what waits for its answer, on disk' : 'starts the next one';
    this.#screen.note(`${GONE}; \`${lineAt(this.#options.context, ['run'])}\` ${next}`);
    const lost = `nothing was recorded of ${unrecorded} of what waits: see what came of it before you send it again`;
    if (unrecorded > 0) this.#screen.note(lost);
    this.#status = 'no gateway';
    this.#draw();
  }

  async #askStatus(): Promise<void> {
    const json = await this.#aside('/v1/status');
    if (json === undefined || !this.#link.connected) return;
    const { state, inFlight, held } = json as {
      state: string;
      held: number;
      inFlight: Record<string, unknown[]>;
    };
    const count = (inFlight.turns?.length ?? 0) + (inFlight.commands?.length ?? 0);
    this.#status = `${state} · ${count} in flight · ${held} held`;
    this.#draw();
  }

  /** Anew with each connection: another configuration may run by then. */
  async #askCommands(): Promise<void> {
    const json = await this.#aside('/v1/commands');
    if (json === undefined) return;
    this.#commands = json.commands as readonly KnownCommand[];
    const isAsked = this.#tabbed === this.#editor.draft.text;
    this.#tabbed = undefined;
    if (!isAsked) return;
    this.#complete();
    this.#draw();
  }

  /** What is only shown: no answer is none. */
  async #aside(path: string): Promise<Record<string, unknown> | undefined> {
    const { control } = this.#options.context;
    const reply = await control.request('GET', path, undefined, ASIDE_MS_MAX).catch(() => undefined);
    return reply?.status === 200 ? reply.json : undefined;
  }

  /** Once for all that one moment brings, such as the keys of a paste. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    setImmediate(() => {
      this.#drawing = false;
      if (!this.#stack.disposed) this.#drawNow();
    });
  }

  #drawNow(): void {
    const answering = this.#transcript.isAnswering ? ' · answering' : '';
    const hint = this.#hasSent || !this.#link.connected ? '' : KEYS_HINT;
    this.#screen.show(
      layOut(`${this.#status}${answering}${hint}`, this.#editor.draft, this.#options.terminal),
    );
  }
}
