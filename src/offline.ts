/**
 * The composition root of the CLI without a daemon: a quick command by the same code, recorded where the store
 * can be written. The id is claimed by its INSERT, so a daemon that wakes later knows that it was run.
 */
import { existsSync } from 'node:fs';
import { systemClock as clock } from './clock.ts';
import type { HomePaths, WorkingFolder } from './config/paths.ts';
import type { Config } from './config/schema.ts';
import { secretValues } from './config/secret-values.ts';
import { ERRORS, isSluiceError, messageOf } from './errors.ts';
import { type ExecText, execIn, noExec } from './gateway/exec-only.ts';
import type { InHand } from './gateway/in-hand.ts';
import { QuickCommands } from './gateway/quick-commands.ts';
import { type Arguments, bindArguments } from './messages/arguments.ts';
import { isCommandName } from './messages/classify.ts';
import * as replies from './messages/replies.ts';
import { haveSameWords } from './messages/words.ts';
import { offlineConfig } from './offline/config.ts';
import { type Earlier, earlierOf } from './offline/earlier.ts';
import { execRow, Recording, settling } from './offline/recording.ts';
import { commandEnvironment } from './process/environment.ts';
import { createProcesses } from './process/exec.ts';
import { tokenAt } from './process/home.ts';
import type { Signals } from './process/signals.ts';
import type { Write } from './store/write.ts';
import { Secrets } from './telemetry/secrets.ts';

export interface OfflineOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: WorkingFolder;
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
  readonly signals: Pick<Signals, 'onLastResort' | 'onFault'>;
  /** Aborted by an interrupt that comes before the command is begun: it is not begun then. */
  readonly interrupted: AbortSignal;
  /** From its call on an interrupt ends the command, with what it is called; one that has come already, too. */
  readonly onInterrupt: (end: (because: string) => void) => void;
  /** The line that a person types for these words of ours. */
  readonly lineFor: (words: readonly string[]) => string;
  readonly json: boolean;
  readonly output: { print(text: string): void; note(text: string): void };
}

export interface OfflineResult {
  readonly admission: Record<string, unknown>;
  readonly settled: Record<string, unknown> | undefined;
}

/**
 * Runs the command and prints its reply; of an id that came before, what became of the first. Undefined where it was
 * interrupted before it could be recorded: then it has not run here. Throws CONFIG_INVALID or CONFIG_UNREADABLE.
 */
export async function runOffline(options: OfflineOptions): Promise<OfflineResult | undefined> {
  const { env, json, output, signals, because, interrupted } = options;
  const shown = (reply: string) => json || output.print(reply);
  const earlier = cameBefore(options);
  if (earlier !== undefined) return again(options, earlier);
  const resolved = resolveCommand(options);
  if ('problem' in resolved) {
    shown(resolved.problem);
    return refused(resolved.problem);
  }
  // Not before it is known that this process does: another one may take the same id first, and an interrupt may come.
  const who = because === null ? [] : [`${because}: run by this process`];
  const tellWho = () => {
    for (const text of who.splice(0)) output.note(text);
  };
  const note = (text: string) => {
    if (!interrupted.aborted) tellWho();
    output.note(text);
  };
  await using recording = await Recording.open({ ...options, output: { note } }, interrupted);
  const secrets = new Secrets();
  const token = tokenAt(options.paths.token);
  secrets.add(...secretValues(resolved.config, env), ...(token === undefined ? [] : [token]));
  const redact = (text: string) => secrets.redact(text);
  const row = execRow(options, recording.life);
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
  const command = commands.reserve(message, resolved.classified.command, resolved.bound);
  if (command === undefined) throw new Error('a fresh process has a free slot');
  const unit: Write[] = [
    { op: 'receive', message: row },
    { op: 'command.receive', command: command.row },
    { op: 'command.start', id: command.row.id, at: clock.wallMs() },
  ];
  const claim = await recording.commit(unit, interrupted);
  if (claim === 'duplicate') return again(options, cameBefore(options));
  if (claim === 'unrecorded' && interrupted.aborted) return undefined;
  tellWho();
  options.onInterrupt((signal) => commands.cancel(command.row.id, signal));
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
function again(options: OfflineOptions, earlier: Earlier | undefined): OfflineResult {
  const { id, json, output, because, lineFor } = options;
  const settled = earlier?.settled;
  if (earlier !== undefined && !haveSameWords(earlier.text, options.text))
    output.note(replies.idOfAnother(id, earlier.text));
  const stands = earlier?.stands ?? 'It was taken this moment, and how it stands cannot be read.';
  const found = settled === undefined ? `${stands} Nothing was done twice.` : `what became of ${id} before`;
  output.note(because === null || settled === undefined ? found : `${because}: ${found}`);
  if (settled === undefined) output.note(`Its end, once it is known: ${lineFor(['messages', 'show', id])}`);
  for (const reply of settled?.replies ?? []) if (!json) output.print(reply);
  const admission = { ...decided('', 'dispatch', null, true), duplicate: true, ...earlier?.admission };
  return {
    admission: settled === undefined ? { ...admission, text: stands } : admission,
    settled: { ...(settled ?? { outcome: null, outcomeReason: null, replies: [], exitCode: null }) },
  };
}

interface Resolved {
  readonly classified: ExecText;
  readonly bound: Arguments;
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
  return { classified, bound, config };
}

const decided = (messageId: string, admission: string, reason: string | null, recorded: boolean) => ({
  ...{ messageId, kind: 'exec', admission, reason, text: null, duplicate: false, recorded, offline: true },
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
