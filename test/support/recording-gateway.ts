/**
 * The lifecycle chart as a running actor whose effects are written down instead of done. An error in the
 * actor (it would drop later events silently) is kept and thrown at the next event.
 */
import { type Actor, createActor } from 'xstate';
import { statePath } from '../../machines/admission.ts';
import type { LifecycleEvent } from '../../machines/events.ts';
import type { Supervisor } from '../../machines/exit.ts';
import { EFFECTS, type Effect, type GatewayMachine, type Step } from '../model/abstract-graph.ts';

export interface RecordingGateway {
  readonly actor: Actor<GatewayMachine>;
  readonly path: () => string;
  /** Sends one event and returns what it did. */
  readonly send: (event: LifecycleEvent) => Step;
}

/** Boots what `recording` made, which is done once and shared by many boots. */
export function boot({ machine, record }: Recording, supervisor: Supervisor = 'none'): RecordingGateway {
  const actor = createActor(machine, { input: { supervisor } });
  const errors: unknown[] = [];
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();
  const path = () => statePath(actor.getSnapshot());
  return {
    actor,
    path,
    send: (event) => {
      const from = path();
      const before = actor.getSnapshot().context;
      record.length = 0;
      actor.send(event);
      if (errors.length > 0) throw errors[0];
      const { context: after, output } = actor.getSnapshot();
      return { from, event, to: path(), before, after, effects: [...record], output };
    },
  };
}

export interface Recording {
  readonly machine: GatewayMachine;
  /** The effects since it was last emptied. One actor at a time: the machine is shared. */
  readonly record: Effect[];
}

/** `machine` with every effect replaced by a note of it. */
export function recording(machine: GatewayMachine): Recording {
  const record: Effect[] = [];
  const note = (type: string) => (_: unknown, params: unknown) => {
    record.push({ type, params } as Effect);
  };
  const actions = Object.fromEntries(EFFECTS.map((type) => [type, note(type)]));
  return { machine: machine.provide({ actions }), record };
}
