/**
 * What command lines leave that were killed while a gateway runs beside them: `sluice exec` that ran a command itself. The
 * same is done with it as at a start (`recovery.ts`): what it still runs is ended, its message settles as interrupted.
 */
import type { Clock } from '../clock.ts';
import type { Processes } from '../process/exec.ts';
import type { Life, OpenWork, Store } from '../store/store.ts';
import type { Write } from '../store/write.ts';
import type { Log } from '../telemetry/log.ts';
import { type Plan, planOf } from './recovery-plan.ts';
import type { ResumeRules } from './resume-policy.ts';

export interface CliRecoveryOptions {
  readonly store: Pick<Store, 'openLives' | 'openWork' | 'commit'>;
  readonly processes: Pick<Processes, 'sweep'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The life that takes it over. */
  readonly life: Life;
  /** True while the process of this command line works, or may. */
  readonly isLiving: (life: Life) => boolean;
  readonly resume: ResumeRules;
  /** The longest text of one message of a platform; undefined: any. */
  readonly textCharsMax: (platform: string) => number | undefined;
}

/** What this life goes on with; undefined where no command line has died. Rejects with STORE_UNAVAILABLE. */
export async function takeOverFromClis(
  options: CliRecoveryOptions,
): Promise<Pick<Plan, 'commands' | 'outbound'> | undefined> {
  const { store, processes, clock, log, life, isLiving } = options;
  const lives = await store.openLives();
  const dead = lives.filter((other) => other.kind === 'cli' && !isLiving(other)).map(({ id }) => id);
  if (dead.length === 0) return undefined;
  const others = lives.map(({ id }) => id).filter((id) => !dead.includes(id));
  // Also of lives that ended in order something may wait to be sent, and this life has that in hand.
  const open = only(dead, await store.openWork([...others, life.id]));
  const processesEnded = await processes.sweep(new Set(open.commands.map(({ id }) => id)));
  const now = clock.wallMs();
  const { writes, commands, outbound, interrupted } = planOf(open, {
    ...{ life, now, resume: options.resume, cutOffLives: new Set(dead), deadClis: new Set(dead) },
    ...{
      deaths: new Set(),
      sessions: new Map(),
      incident: null,
      quiet: false,
      textCharsMax: options.textCharsMax,
    },
  });
  const ends = dead.map((id): Write => ({ op: 'life.end', id, at: now, code: null, cause: 'died' }));
  await store.commit([...writes, ...ends]);
  log.info({ deadLives: dead.length, interrupted, processesEnded }, 'took over from killed command lines');
  return { commands, outbound };
}

function only(lives: readonly number[], { messages, turns, commands, outbound }: OpenWork): OpenWork {
  const isTheirs = ({ life }: { readonly life: number }) => lives.includes(life);
  return {
    messages: messages.filter(isTheirs),
    turns: turns.filter(isTheirs),
    commands: commands.filter(isTheirs),
    outbound: outbound.filter(isTheirs),
  };
}
