/** What carries work out, as the world moves it: an agent whose turns and programs whose runs go on when it says so. */
import { type Agent, type AgentEvent, AgentFailure, type TurnInput } from '../../src/agents/agent.ts';
import type {
  EndReason,
  Processes,
  ProcessResult,
  ProcessSpec,
  RunningProcess,
} from '../../src/process/exec.ts';
import type { Happening } from './happening.ts';
import type { Mortal, MortalClock } from './mortal.ts';

export interface BackendOptions {
  readonly life: number;
  readonly mortal: Mortal;
  readonly clock: MortalClock;
  readonly happens: (happening: Happening) => void;
}

/** Stands in each text: by it a turn and a program are known for the message that they are of. */
export const keyIn = (text: string): string => /\bw\d+\b/.exec(text)?.[0] ?? '';

/** A turn that has begun and not ended. */
export interface SimTurn {
  readonly id: string;
  readonly key: string;
  readonly conversation: string;
  said: number;
  isToldToStop: boolean;
  readonly say: (event: AgentEvent | AgentFailure | null) => void;
}

export class SimAgent implements Agent {
  readonly name = 'default';
  readonly type = 'command';
  readonly effects: 'none' | 'possible';
  readonly turns: SimTurn[] = [];
  /** What a probe meets. */
  isThere = true;
  readonly #options: BackendOptions;

  constructor(options: BackendOptions, effects: 'none' | 'possible') {
    this.#options = options;
    this.effects = effects;
  }

  runTurn(input: TurnInput, { signal }: { signal: AbortSignal }): AsyncIterable<AgentEvent> {
    return this.#options.mortal.portNow('turn', nothing(), () => this.#run(input, signal));
  }

  killNow(turnId: string): void {
    const turn = this.turns.find(({ id }) => id === turnId);
    if (turn !== undefined) this.end(turn, 'told to stop');
  }

  async probe(): Promise<'answers'> {
    if (!this.isThere) throw new AgentFailure('the agent is away', 'Wait for it.');
    return 'answers';
  }

  says(turn: SimTurn, text: string): void {
    turn.said += 1;
    this.#options.happens({ what: 'turn says', turn: turn.id, text });
    turn.say({ type: 'text', text });
  }

  end(turn: SimTurn, how: 'well' | 'failed' | 'told to stop'): void {
    const index = this.turns.indexOf(turn);
    if (index < 0) return;
    this.turns.splice(index, 1);
    this.#options.happens({ what: 'turn ends', turn: turn.id, how });
    turn.say(how === 'failed' ? new AgentFailure('the agent failed', 'Send it again.') : null);
  }

  #run({ turnId, conversation, text }: TurnInput, signal: AbortSignal): AsyncIterable<AgentEvent> {
    const { happens, life } = this.#options;
    const said: (AgentEvent | AgentFailure | null)[] = [];
    let wake = (): void => {};
    const turn: SimTurn = {
      ...{ id: turnId, key: keyIn(text), conversation, said: 0, isToldToStop: false },
      say: (event) => {
        said.push(event);
        wake();
      },
    };
    this.turns.push(turn);
    happens({ what: 'turn begins', life, turn: turnId, conversation, key: turn.key });
    const toldToStop = () => {
      turn.isToldToStop = true;
    };
    signal.addEventListener('abort', toldToStop, { once: true });
    const answer = async function* (): AsyncGenerator<AgentEvent> {
      for (;;) {
        const next = said.shift();
        if (next === null) return;
        if (next instanceof Error) throw next;
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    };
    return answer();
  }
}

/** What a life that is dead hears of its agent. */
async function* nothing(): AsyncGenerator<AgentEvent> {
  await new Promise(() => {});
}

/** A program that runs until the world, its time or the gateway ends it. */
export class SimProgram implements RunningProcess {
  readonly pid = 1;
  readonly key: string;
  readonly result: Promise<ProcessResult>;
  readonly #ended: (program: SimProgram, how: 'well' | 'failed' | 'ended') => void;
  readonly #resolve: (result: ProcessResult) => void;

  constructor(spec: ProcessSpec, ended: (program: SimProgram, how: 'well' | 'failed' | 'ended') => void) {
    this.key = spec.env.KEY ?? '';
    this.#ended = ended;
    const { promise, resolve } = Promise.withResolvers<ProcessResult>();
    this.result = promise;
    this.#resolve = resolve;
  }

  /** Ends its tree, which takes no time here. */
  end(reason: EndReason): void {
    this.#finish('ended', { exitCode: null, signal: 'SIGTERM', ended: reason });
  }

  exit(exitCode: number): void {
    this.#finish(exitCode === 0 ? 'well' : 'failed', { exitCode });
  }

  #finish(how: 'well' | 'failed' | 'ended', result: Partial<ProcessResult>): void {
    this.#ended(this, how);
    const nothing = { stdout: '', stderr: '', cutBytes: 0, durationMs: 5, leftovers: 0 };
    this.#resolve({ started: true, exitCode: 0, signal: null, ended: null, ...nothing, ...result });
  }
}

export class SimPrograms implements Processes {
  readonly running: SimProgram[] = [];
  readonly #options: BackendOptions & { readonly isOutage: () => boolean };

  constructor(options: BackendOptions & { readonly isOutage: () => boolean }) {
    this.#options = options;
  }

  get runningCount(): number {
    return this.running.length;
  }

  start(spec: ProcessSpec): SimProgram {
    const { mortal, clock, happens, life, isOutage } = this.#options;
    const program = new SimProgram(spec, (one, how) => {
      const index = this.running.indexOf(one);
      if (index < 0) return;
      this.running.splice(index, 1);
      timer[Symbol.dispose]();
      happens({ what: 'program ends', key: one.key, how });
    });
    const timer = clock.timer(spec.timeoutMs ?? 60_000, () => program.end('timeout'));
    mortal.portNow('program', undefined, () => {
      this.running.push(program);
      happens({ what: 'program begins', life, key: program.key, outage: isOutage() });
    });
    return program;
  }

  killAllNow(): void {}

  async sweep(): Promise<number> {
    return 0;
  }
}
