/**
 * The composition root of the CLI without a daemon: a quick command by the same code, recorded where the store
 * can be written. The id is claimed by its INSERT, so a daemon that wakes later knows that it was run.
 */
import { systemClock as clock } from './clock.ts';
import { Configuration } from './config/configuration.ts';
import { findConfig, type HomePaths } from './config/paths.ts';
import { messageOf } from './errors.ts';
import type { InHand, Settlement } from './gateway/in-hand.ts';
import { QuickCommands } from './gateway/quick-commands.ts';
import { bindArguments } from './messages/arguments.ts';
import { type Classified, classify } from './messages/classify.ts';
import { newId } from './messages/ids.ts';
import { LOCAL_OWNER, LOCAL_PLATFORM, localConversation } from './messages/local.ts';
import * as replies from './messages/replies.ts';
import { commandEnvironment } from './process/environment.ts';
import { createProcesses } from './process/exec.ts';
import { processIdentity } from './process/identity.ts';
import { readPidFile } from './process/runtime-status.ts';
import type { Signals } from './process/signals.ts';
import { openSqliteStore } from './store/sqlite.ts';
import type { Life, MessageRow, Store, Write } from './store/store.ts';

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
  /** Ends the command's tree when one comes. */
  readonly signals: Signals;
  readonly json: boolean;
  readonly output: { print(text: string): void; note(text: string): void };
}

export interface OfflineResult {
  readonly admission: Record<string, unknown>;
  readonly settled: Record<string, unknown> | undefined;
}

/** Runs the command and prints its reply. Throws CONFIG_INVALID or CONFIG_UNREADABLE. */
export async function runOffline(options: OfflineOptions): Promise<OfflineResult> {
  const { env, json, output, signals } = options;
  const shown = (reply: string) => json || output.print(reply);
  const resolved = resolveCommand(options);
  if ('problem' in resolved) {
    shown(resolved.problem);
    return refused(resolved.problem);
  }
  await using recording = await Recording.open(options);
  const row = rowOf(options, recording.life);
  const message: InHand = { row, classified: resolved.classified, recorded: recording.life !== undefined };
  const commands = new QuickCommands({
    clock,
    processes: createProcesses(clock),
    life: () => row.life,
    environment: (command, values) =>
      commandEnvironment(env, command.env, { ...values, SLUICE_HOME: options.home }),
    start: () => {},
  });
  const command = commands.reserve(message, resolved.classified.command, resolved.values);
  if (command === undefined) throw new Error('a fresh process has a free slot');
  const claim = await recording.commit([
    { op: 'receive', message: row },
    { op: 'command.receive', command: command.row },
    { op: 'command.start', id: command.row.id, at: clock.wallMs() },
  ]);
  if (claim === 'duplicate') {
    const text = 'It was run already, under this very id: nothing was done twice.';
    shown(text);
    return refused(text);
  }
  signals.install();
  signals.attach(() => commands.cancel(command.row.id, 'Ctrl-C'));
  const settlement = await commands.run(command);
  const recorded =
    claim === 'committed' && (await recording.commit(settling(row, settlement))) === 'committed';
  for (const reply of settlement.replies) shown(recorded ? reply : `${reply}\n${replies.notRecorded()}`);
  const { outcome, reason: outcomeReason, exitCode = null } = settlement;
  return {
    admission: decided(row.id, 'dispatch', null, recorded),
    settled: { outcome, outcomeReason, replies: settlement.replies, recorded, exitCode },
  };
}

type ExecText = Classified & { kind: 'exec' };

/** The command and its arguments, or what is wrong with them. */
function resolveCommand(
  options: OfflineOptions,
): { classified: ExecText; values: Readonly<Record<string, string>> } | { problem: string } {
  const { env, cwd, paths, configFlag, name, text } = options;
  const owned = readPidFile(paths.pid)?.config ?? undefined;
  const found = findConfig({ flag: configFlag, env, cwd, owned });
  const configuration = new Configuration(
    { ...found, env, lastGoodPath: paths.lastGood, platformSchemas: {} },
    false,
  );
  const classified = classify(text, configuration.current.quickCommands);
  if (classified.kind !== 'exec') {
    return {
      problem: `There is no exec command /${name} in ${found.path}, and without a gateway only those run.`,
    };
  }
  const bound = bindArguments(classified.command.args, classified.words);
  if (!bound.ok) return { problem: replies.usage(classified.command, bound.problem) };
  return { classified, values: bound.values };
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

/** This process among the lives, where the store can be written; otherwise nothing is recorded. */
class Recording implements AsyncDisposable {
  readonly life: Life | undefined;
  readonly #store: Store | undefined;

  private constructor(store: Store | undefined, life: Life | undefined) {
    this.#store = store;
    this.life = life;
  }

  static async open({ paths, version, output }: OfflineOptions): Promise<Recording> {
    try {
      const store = await openSqliteStore({
        path: paths.store,
        reservePath: paths.reserve,
        migrate: false,
        clock,
        onProblem: () => {},
      });
      const startedAt = clock.wallMs();
      const life = await store.begin({
        ...processIdentity(),
        kind: 'cli',
        version,
        startedAt,
        epochAbove: 0,
      });
      return new Recording(store, life);
    } catch (error) {
      output.note(`not recorded: ${messageOf(error)}`);
      return new Recording(undefined, undefined);
    }
  }

  async commit(unit: readonly Write[]): Promise<'committed' | 'duplicate' | 'unrecorded'> {
    return this.#store?.commit(unit).catch(() => 'unrecorded' as const) ?? 'unrecorded';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.life !== undefined) {
      await this.commit([{ op: 'life.end', id: this.life.id, at: clock.wallMs(), code: 0, cause: 'done' }]);
    }
    await this.#store?.close();
  }
}

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
