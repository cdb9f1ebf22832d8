/**
 * Reloads of the configuration, from wherever they are asked for: the CLI, HTTP, SIGHUP, a changed file. One at a time;
 * what is asked meanwhile joins the one that comes next, because the file may have changed since the first one read it.
 *
 * A reload is no event of the chart: it admits nothing and moves no deadline. It is taken in every state until the
 * gateway closes. What runs keeps what it began with; a file that is not valid changes nothing.
 */
import type { Candidate, Configuration, PlannedChange } from '../config/configuration.ts';
import type { Applies } from '../config/keys.ts';
import { type PlacedProblem, problemText } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import { isSluiceError, messageOf, SluiceError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { isClosing } from './departure.ts';
import type { LifecycleView } from './lifecycle.ts';

/** What made somebody ask: a command, a signal, a file that has changed. */
export type ReloadCause = 'reload' | 'SIGHUP' | 'watch';

export interface ReloadAsk {
  readonly cause: ReloadCause;
  readonly actor: string;
}

/** What became of a reload. */
export type Reloaded =
  | {
      readonly is: 'applied';
      readonly file: string;
      readonly changes: readonly PlannedChange[];
      readonly warnings: readonly string[];
      /** What a change does not touch, although one might think so. */
      readonly notes: readonly string[];
    }
  | { readonly is: 'invalid'; readonly file: string; readonly problems: readonly PlacedProblem[] }
  /** The file may be valid, and cannot be applied here and now. */
  | { readonly is: 'refused'; readonly error: SluiceError };

export interface ReloadsOptions {
  readonly configuration: Pick<
    Configuration,
    'current' | 'read' | 'apply' | 'failed' | 'hasRun' | 'keepAsLastGood'
  >;
  /** Makes ready what this configuration needs before it may run. Rejects with why it cannot run here. */
  readonly prepare: (config: Config) => Promise<void>;
  readonly view: () => Pick<LifecycleView, 'state' | 'deadlineAt'>;
  /** Platforms that wait for a person: their changed keys count now. */
  readonly parked: () => readonly string[];
  /** Another configuration runs from now on. */
  readonly applied: () => void;
  /** None does, and a status says why. */
  readonly failed: () => void;
  readonly log: Log;
}

/** Changed keys that a log line names; the rest is counted. */
const KEYS_LOGGED_MAX = 20;

/** The keys of the three deadlines. */
const DEADLINE_KEYS: readonly string[] = [
  'agent.restart_drain_timeout',
  'shutdown.kill_grace',
  'shutdown.exit_timeout',
];

export class Reloads {
  readonly #options: ReloadsOptions;
  #running: Promise<unknown> = Promise.resolve();
  /** The one that has not read the file yet. */
  #next: Promise<Reloaded> | undefined;
  /** What the last one failed with: said once, however often a file is saved with the same mistake. */
  #failure: string | undefined;

  constructor(options: ReloadsOptions) {
    this.#options = options;
  }

  /** Reads the file and applies what it can. Never rejects. */
  ask(ask: ReloadAsk): Promise<Reloaded> {
    const { log } = this.#options;
    if (this.#next !== undefined) {
      log.info({ ...ask }, `reload asked by ${ask.actor}: joined the one that comes next`);
      return this.#next;
    }
    const next = this.#running.then(() => {
      this.#next = undefined;
      return this.#reload(ask).catch((error: unknown) => this.#faulty(ask, error));
    });
    this.#next = next;
    this.#running = next;
    return next;
  }

  async #reload(ask: ReloadAsk): Promise<Reloaded> {
    const { configuration, view } = this.#options;
    const { path: file } = configuration.current.source;
    if (isClosing(view())) return this.#refused(ask, leaving());
    const read = configuration.read(this.#options.parked());
    if ('problems' in read) return this.#invalid(ask, file, read.problems);
    try {
      await this.#options.prepare(read.config);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      return this.#refused(ask, error);
    }
    return this.#apply(ask, file, read);
  }

  #apply(ask: ReloadAsk, file: string, candidate: Candidate): Reloaded {
    const { configuration, applied, view, log } = this.#options;
    const { changes, warnings } = candidate;
    const isNew = candidate.loaded.config.source.text !== configuration.current.source.text;
    configuration.apply(candidate);
    this.#failure = undefined;
    applied();
    // What came during a start is kept when that has reached running.
    if (configuration.hasRun && isNew) this.#keep();
    const notes = view().deadlineAt === null ? [] : changes.flatMap(keptDeadline);
    const text = `reload asked by ${ask.actor}: ${changesText(changes)}`;
    const about = { ...ask, file, changes: changes.length };
    if (ask.cause === 'watch' && !isNew) log.debug(about, text);
    else log.info(about, text);
    for (const warning of isNew ? [...warnings, ...notes] : notes) log.warn(warning);
    return { is: 'applied', file, changes, warnings, notes };
  }

  #keep(): void {
    const { configuration, log } = this.#options;
    try {
      configuration.keepAsLastGood();
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'the configuration could not be kept as the last good one');
    }
  }

  #invalid(ask: ReloadAsk, file: string, problems: readonly PlacedProblem[]): Reloaded {
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    this.#failed(ask, first === undefined ? file : `${messageOf(problemText(first, file))}${more}`);
    return { is: 'invalid', file, problems };
  }

  #refused(ask: ReloadAsk, error: SluiceError): Reloaded {
    this.#failed(ask, error.message);
    return { is: 'refused', error };
  }

  /** A defect; the gateway goes on with what it has. */
  #faulty(ask: ReloadAsk, cause: unknown): Reloaded {
    const stack = cause instanceof Error ? cause.stack : undefined;
    this.#options.log.error({ ...ask, error: messageOf(cause), stack }, 'a reload failed');
    return this.#refused(ask, new SluiceError('INTERNAL', messageOf(cause), { cause }));
  }

  #failed(ask: ReloadAsk, because: string): void {
    const { configuration, failed, log } = this.#options;
    const text = `reload asked by ${ask.actor}: nothing is changed, because: ${because}`;
    if (ask.cause === 'watch' && because === this.#failure) log.debug({ ...ask }, text);
    else log.warn({ ...ask }, text);
    this.#failure = because;
    configuration.failed(because);
    failed();
  }
}

const WHEN: Readonly<Record<Applies, string>> = { now: 'now', turn: 'next turn', restart: 'needs a restart' };

/** Of a deadline that is under way when its key changes: it was armed with the value before. */
const keptDeadline = ({ key }: PlannedChange): string[] =>
  DEADLINE_KEYS.includes(key)
    ? [`the deadline under way stays as it is; ${key} counts from the next one on`]
    : [];

/** Keys and when they count; values stay in the file. */
function changesText(changes: readonly PlannedChange[]): string {
  if (changes.length === 0) return 'nothing has changed';
  const named = changes.slice(0, KEYS_LOGGED_MAX).map(({ key, applies }) => `${key} (${WHEN[applies]})`);
  const more = changes.length - named.length;
  return `${named.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}

function leaving(): SluiceError {
  return new SluiceError('GATEWAY_LEAVING', 'the gateway is leaving: nothing is reloaded any more');
}
