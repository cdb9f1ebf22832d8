import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DeadlineName, LifecycleEvent } from '../../machines/events.ts';
import { gatewayMachine } from '../../machines/gateway.ts';
import { EXITS, FAILURES, SUPERVISORS } from '../support/lifecycle-oracle.ts';
import { boot, type RecordingGateway, recording } from '../support/recording-gateway.ts';
import type { Step } from './abstract-graph.ts';
import {
  alias,
  cleared,
  control,
  drainCancelled,
  drainRequested,
  exec,
  raised,
  settled,
  stopRequested,
  turn,
} from './alphabets.ts';
import { type Happening, LifecycleModel } from './lifecycle-model.ts';

const RUNS = 1000;
const HAPPENINGS_MAX = 60;

const id = fc.constantFrom('m1', 'm2', 'm3', 'm4');
const agent = fc.constantFrom('default', 'other');
const reason = fc.constantFrom('agent:default', 'agent:other', 'safe-mode', 'store');
const cause = fc.constantFrom('stop', 'takeover', 'SIGINT', 'hangup', 'SIGTERM', 'restart', 'SIGUSR1');

/** Weighted so that most walks live for a while: they start, and work settles more often than all else ends. */
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ is: fc.constantFrom('control', 'alias') }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('exec'), id: id.map((name) => `e${name}`) }) },
  { weight: 6, arbitrary: fc.record({ is: fc.constant('turn'), id, agent, queue: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constant('settle'),
      id: fc.oneof(
        id,
        id.map((n) => `e${n}`),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constantFrom('raise', 'clear'), reason }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('stop'), cause, hurry: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constantFrom('drain', 'cancel') }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('started') }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constantFrom('flushed', 'closed') }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constantFrom('start failed', 'fatal') }) },
  {
    weight: 2,
    arbitrary: fc.record({ is: fc.constant('deadline'), name: fc.constantFrom('drain', 'kill', 'exit') }),
  },
);

/** The clocks a daemon would have running, by what the chart asked for: serials are its business alone. */
class Clocks {
  readonly #running = new Map<DeadlineName, number>();

  hear({ effects }: Step) {
    for (const effect of effects) {
      if (effect.type === 'stopDeadlines') this.#running.clear();
      if (effect.type === 'startDeadline') this.#running.set(effect.params.deadline, effect.params.serial);
    }
  }

  /** The event of a clock that runs out, or null where none runs. */
  runOut(name: DeadlineName): LifecycleEvent | null {
    const serial = this.#running.get(name);
    this.#running.delete(name);
    return serial === undefined ? null : { type: `${name}.deadline`, serial };
  }
}

const failure = { kind: 'fault', message: 'it broke' } as const;

function eventOf(it: Happening, clocks: Clocks): LifecycleEvent | null {
  switch (it.is) {
    case 'control':
      return control();
    case 'alias':
      return alias();
    case 'exec':
      return exec(it.id);
    case 'turn':
      return turn(it.id, it.agent, it.queue ? 'queue' : 'interrupt');
    case 'settle':
      return settled(it.id);
    case 'raise':
      return raised(it.reason);
    case 'clear':
      return cleared(it.reason);
    case 'stop':
      return stopRequested(it.cause, it.hurry);
    case 'drain':
      return drainRequested;
    case 'cancel':
      return drainCancelled();
    case 'started':
      return { type: 'started' };
    case 'start failed':
      return { type: 'start.failed', failure };
    case 'fatal':
      return { type: 'fatal', failure };
    case 'flushed':
      return { type: 'outbox.flushed' };
    case 'closed':
      return { type: 'intake.closed' };
    case 'deadline':
      return clocks.runOut(it.name);
  }
}

const saidIn = ({ effects }: Step): string[] =>
  effects.flatMap((effect) =>
    effect.type === 'answer'
      ? [effect.params.verdict]
      : effect.type === 'dispatch' || effect.type === 'hold' || effect.type === 'refuse'
        ? [effect.type]
        : [],
  );

const seen = ({ actor, path }: RecordingGateway) => {
  const { turns, commands, request, degraded } = actor.getSnapshot().context;
  return { state: path(), turns, commands, cause: request?.cause ?? null, reasons: new Set(degraded) };
};

const recorded = recording(gatewayMachine);

test('the chart does what a small model of the requirement does, whatever happens in whatever order', () => {
  const visited = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: HAPPENINGS_MAX, size: 'max' }),
      fc.constantFrom(...SUPERVISORS),
      (happenings, supervisor) => {
        const model = new LifecycleModel();
        const clocks = new Clocks();
        const gateway = boot(recorded, supervisor);
        for (const it of happenings) {
          const event = eventOf(it, clocks);
          if (event === null) continue;
          const step = gateway.send(event);
          clocks.hear(step);
          const said = model.react(it);
          expect(saidIn(step)).toEqual(said === null ? [] : [said]);
          const { state, turns, commands, cause, reasons } = model;
          expect(seen(gateway)).toEqual({ state, turns, commands, cause, reasons });
          visited.add(state);
          if (state === 'exited') break;
        }
        if (model.state !== 'exited') return;
        const left =
          model.failed || model.cause === null || model.cause === 'drain'
            ? FAILURES.fault[supervisor]
            : EXITS[model.cause][supervisor];
        const exit = gateway.actor.getSnapshot().output;
        expect(exit?.reexecute ? 'reexecute' : exit?.code).toBe(left);
      },
    ),
    { numRuns: RUNS },
  );
  console.log(`model: ${visited.size} of 11 states visited in ${RUNS} walks`);
  expect(visited.size).toBe(11);
});
