/**
 * The composition root of the CLI without a daemon: a quick command by the same code, recorded where the store
 * can be written. The id is claimed by its INSERT, so a daemon that wakes later knows that it was run.
 */
import { existsSync, readFileSync } from 'node:fs';
import { systemClock as clock } from './clock.ts';
import type { HomePaths } from './config/paths.ts';
import type { Config } from './config/schema.ts';
import { secretValues } from './config/secret-values.ts';
import { ERRORS, isSluiceError, messageOf } from './errors.ts';
import { type ExecText, execIn, noExec } from './gateway/exec-only.ts';
import type { InHand, Settlement } from './gateway/in-hand.ts';
import { QuickCommands } from './gateway/quick-commands.ts';
import { bindArguments } from './messages/arguments.ts';
import { isCommandName } from './messages/classify.ts';
import { newId } from './messages/ids.ts';
import { LOCAL_OWNER, LOCAL_PLATFORM, localConversation } from './messages/local.ts';
import * as replies from './messages/replies.ts';
import { offlineConfig } from './offline-config.ts';
import { type Earlier, earlierOf } from './offline-earlier.ts';
import { commandEnvironment } from './process/environment.ts';
import { createProcesses } from './process/exec.ts';
import { processIdentity } from './process/identity.ts';
import type { HandledSignal, Signals } from './process/signals.ts';
import { isBusy } from './store/errors.ts';
import { openSqliteStore } from './store/sqlite.ts';
import type { Life, MessageRow, Store, Write } from './store/store.ts';
import { Secrets } from './telemetry/secrets.ts';

/**
 * How long a store that another process has locked is tried again. Whoever is the first to open it after a kill has its
 * log to read; to run unrecorded meanwhile could be to run twice.
 */
const LOCK_WAIT_MS_MAX = 2000;

/** Between two tries at it. */
const LOCK_RETRY_MS = 50;

export interface OfflineOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly version: string;
  readonly home: string;
  readonly paths: HomePaths;
  readonly configFlag: string | undefined;
  readonly name: string;
  /** The message as a chat would send it. */
  readonly text: string;
  readonly id: string;
  /** Why no gateway runs it, for whoever asked; null where it needs none to be refused. */
  readonly because: string | null;
  /** Ends the command's tree when one comes; `onInterrupt` hands over those that have come already, too. */
  readonly signals: Pick<Signals, 'onLastResort' | 'onFault'>;
  readonly onInterrupt: (listener: (signal: HandledSignal) => void) => void;
  readonly json: boolean;
  readonly output: { print(text: string): void; note(text: string): void };
}

export interface OfflineResult {
  readonly admission: Record<string, unknown>;
  readonly settled: Record<string, unknown> | undefined;
}

/**
 * Runs the command and prints its reply; of an id that came before, what became of the first. Throws CONFIG_INVALID or
 * CONFIG_UNREADABLE.
 */
export async function runOffline(options: OfflineOptions): Promise<OfflineResult> {
  const { env, json, output, signals, because } = options;
  const shown = (reply: string) => json || output.print(reply);
  const earlier = cameBefore(options);
  if (earlier !== undefined) return again(options, earlier);
  if (because !== null) output.note(`${because}: run by this process`);
  const resolved = resolveCommand(options);
  if ('problem' in resolved) {
    shown(resolved.problem);
    return refused(resolved.problem);
  }
  await using recording = await Recording.open(options);
  const secrets = new Secrets();
  secrets.add(...secretValues(resolved.config, env), ...tokenOf(options.paths));
  const redact = (text: string) => secrets.redact(text);
  const row = rowOf(options, recording.life);
  const message: InHand = { row, classified: resolved.classified, recorded: recording.life !== undefined };
  const processes = createProcesses(clock, options.home);
  const commands = new QuickCommands({
    clock,
    processes,
    life: () => row.life,
    environment: (command, values) =>
      commandEnvironment(env, command.env, { ...values, SLUICE_HOME: options.home }),
    redact,
    concurrency: ({ concurrency }) => concurrency,
    start: () => {},
  });
  const command = commands.reserve(message, resolved.classified.command, resolved.values);
  if (command === undefined) throw new Error('a fresh process has a free slot');
  const claim = await recording.commit([
    { op: 'receive', message: row },
    { op: 'command.receive', command: command.row },
    { op: 'command.start', id: command.row.id, at: clock.wallMs() },
  ]);
  if (claim === 'duplicate') return again(options, cameBefore(options));
  options.onInterrupt((signal) => commands.cancel(command.row.id, NAMED[signal] ?? signal));
  signals.onLastResort(() => processes.killAllNow());
  signals.onFault((fault) => {
    output.note(`sluice: ${messageOf(fault)}\n${ERRORS.INTERNAL.hint}`);
    commands.cancel(command.row.id, 'an internal fault');
  });
  const ran = await commands.run(command);
  const settlement = { ...ran, replies: ran.replies.map(redact) };
  const recorded =
    claim === 'committed' && (await recording.commit(settling(row, settlement))) === 'committed';
  for (const reply of settlement.replies) shown(reply);
  if (!recorded && recording.life !== undefined) output.note(`not recorded: ${recording.obstacle}`);
  const { outcome, reason: outcomeReason, exitCode = null } = settlement;
  return {
    admission: decided(row.id, 'dispatch', null, recorded),
    settled: { outcome, outcomeReason, replies: settlement.replies, recorded, exitCode },
  };
}

/** The first message of this id; undefined where there is none, or no store that can be asked. */
function cameBefore({ paths, id }: OfflineOptions): Earlier | undefined {
  if (!existsSync(paths.store)) return undefined;
  try {
    return earlierOf(paths.store, id);
  } catch (error) {
    if (isSluiceError(error)) return undefined;
    throw error;
  }
}

/** The same id again: what the first came to, or how it stands. Undefined: it came this moment, and cannot be read. */
function again({ id, json, output, because }: OfflineOptions, earlier: Earlier | undefined): OfflineResult {
  const settled = earlier?.settled;
  const stands = earlier?.stands ?? 'It was taken this moment, and how it stands cannot be read.';
  const found = settled === undefined ? `${stands} Nothing was done twice.` : `what became of ${id} before`;
  output.note(because === null || settled === undefined ? found : `${because}: ${found}`);
  if (settled === undefined) output.note(`Its end, once it is known: sluice messages show ${id}`);
  for (const reply of settled?.replies ?? []) if (!json) output.print(reply);
  const admission = { ...decided('', 'dispatch', null, true), duplicate: true, ...earlier?.admission };
  return {
    admission: settled === undefined ? { ...admission, text: stands } : admission,
    settled: { ...(settled ?? { outcome: null, outcomeReason: null, replies: [], exitCode: null }) },
  };
}

/** Signals that people know by another name. */
const NAMED: Partial<Readonly<Record<HandledSignal, string>>> = { SIGINT: 'Ctrl-C' };

interface Resolved {
  readonly classified: ExecText;
  readonly values: Readonly<Record<string, string>>;
  readonly config: Config;
}

/** The command and its arguments, or what is wrong with them. */
function resolveCommand(options: OfflineOptions): Resolved | { problem: string } {
  const { name, text, output } = options;
  const { config, warning } = offlineConfig(options);
  if (warning !== null) output.note(warning);
  if (!isCommandName(name)) return { problem: noExec(name, config.quickCommands) };
  const classified = execIn(text, config.quickCommands);
  if ('problem' in classified) return classified;
  const bound = bindArguments(classified.command, classified.words);
  if (!bound.ok) return { problem: replies.usage(classified.command, bound.problem) };
  return { classified, values: bound.values, config };
}

/** The gateway's token, where the home has one that can be read. */
function tokenOf({ token }: HomePaths): string[] {
  try {
    return [readFileSync(token, 'utf8').trim()];
  } catch {
    return [];
  }
}

function rowOf({ text, id }: OfflineOptions, life: Life | undefined): MessageRow {
  const at = clock.wallMs();
  return {
    id: newId('m', at),
    platform: LOCAL_PLATFORM,
    platformMessageId: id,
    conversation: localConversation('exec'),
    sender: LOCAL_OWNER,
    kind: 'exec',
    text,
    agent: null,
    whenBusy: null,
    receivedAt: at,
    life: life?.id ?? 0,
    epoch: null,
    admission: 'dispatch',
    reason: null,
    phase: 'started',
  };
}

function settling(
  { id: messageId, platform, conversation, life }: MessageRow,
  settlement: Settlement,
): Write[] {
  const { outcome, reason, replies: texts, writes = [] } = settlement;
  const at = clock.wallMs();
  const printed = texts.map((text): Write => {
    const address = { messageId, platform, conversation } as const;
    const outbound = { id: newId('o', at), ...address, text, kind: 'reply', createdAt: at, life } as const;
    return { op: 'reply', outbound, deliveredAt: at };
  });
  return [...writes, { op: 'settle', id: messageId, outcome, reason, at }, ...printed];
}

const LOCKED = 'another program has the store locked; close it, and the next command is recorded';

/** This process among the lives, where the store can be written; otherwise nothing is recorded. */
class Recording implements AsyncDisposable {
  readonly life: Life | undefined;
  readonly #store: Store | undefined;

  private constructor(store: Store | undefined, life: Life | undefined) {
    this.#store = store;
    this.life = life;
  }

  static async open({ home, paths, version, output }: OfflineOptions): Promise<Recording> {
    try {
      const store = await openSqliteStore({
        path: paths.store,
        reservePath: paths.reserve,
        migrate: false,
        clock,
        onProblem: () => {},
      });
      const startedAt = clock.wallMs();
      const start = { ...processIdentity(), kind: 'cli', version, startedAt, epochAbove: 0 } as const;
      return new Recording(store, await onceUnlocked(store, () => store.begin(start)));
    } catch (error) {
      const reason = isLocked(error) ? LOCKED : messageOf(error);
      const why = existsSync(paths.store) ? reason : `${home} has no store before its first sluice run`;
      output.note(`not recorded: ${why}`);
      return new Recording(undefined, undefined);
    }
  }

  /** Why the last unit was not written, and what to do. */
  get obstacle(): string {
    return this.#store?.obstacle === 'lock' ? LOCKED : 'the store could not be written';
  }

  async commit(unit: readonly Write[]): Promise<'committed' | 'duplicate' | 'unrecorded'> {
    const store = this.#store;
    if (store === undefined) return 'unrecorded';
    return onceUnlocked(store, () => store.commit(unit)).catch(() => 'unrecorded');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.life !== undefined) {
      await this.commit([{ op: 'life.end', id: this.life.id, at: clock.wallMs(), code: 0, cause: 'done' }]);
    }
    await this.#store?.close();
  }
}

/** Writes, trying again while another process holds the lock; a full disk is not waited for. */
async function onceUnlocked<T>(store: Store, write: () => Promise<T>): Promise<T> {
  const until = clock.monotonicMs() + LOCK_WAIT_MS_MAX;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isLocked(error) || clock.monotonicMs() >= until) throw error;
    }
    await clock.delay(LOCK_RETRY_MS);
    await store.probe();
  }
}

const isLocked = (error: unknown): boolean =>
  isSluiceError(error, 'STORE_UNAVAILABLE') && isBusy(error.cause);

const decided = (messageId: string, admission: string, reason: string | null, recorded: boolean) => ({
  ...{ messageId, kind: 'exec', admission, reason, recorded, offline: true },
});

const refused = (text: string): OfflineResult => ({
  admission: { ...decided('', 'refuse', 'arguments', false), text },
  settled: {
    outcome: 'refused',
    outcomeReason: 'arguments',
    replies: [text],
    recorded: false,
    exitCode: null,
  },
});
