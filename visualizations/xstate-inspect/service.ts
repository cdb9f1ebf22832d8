/**
 * One XState 5 actor in the shape of an XState 4 service, as far as `@xstate/inspect` looks at one. It keeps
 * only the newest snapshot and renders it when asked, so an actor nobody watches costs two assignments an event.
 */
import { eventOf, type MachineJson, machineOf, stateOf } from './chart.ts';
import type { ChartSnapshot, EventLike, InspectedActor } from './xstate5.ts';

export class InspectedService {
  /** The actor's own id, for the eye: `gateway`. */
  readonly id: string;
  /** What the viewer tells services apart by. */
  readonly sessionId: string;
  readonly actor: InspectedActor;
  /** Both ways in which the library reads a chart: `JSON.stringify(machine)` and `machine.definition`. */
  readonly machine: { readonly definition: MachineJson; toJSON(): MachineJson };
  /**
   * The library puts its own function here when the service is registered, and so hears of events. What is
   * underneath does nothing: events come from the actor and never go back to it by this way.
   */
  send: (event: EventLike) => void = () => undefined;
  #snapshot: ChartSnapshot;
  #event: EventLike;
  readonly #watchers: ((state: Record<string, unknown>) => void)[] = [];
  readonly #stopped: (() => void)[] = [];

  constructor(actor: InspectedActor, sessionId: string, snapshot: ChartSnapshot, event: EventLike) {
    this.actor = actor;
    this.id = actor.id ?? actor.sessionId;
    this.sessionId = sessionId;
    this.#snapshot = snapshot;
    this.#event = event;
    const definition = () => machineOf(this.#snapshot.machine.root);
    this.machine = {
      get definition() {
        return definition();
      },
      toJSON: definition,
    };
  }

  /** The newest state, rendered. */
  get state(): Record<string, unknown> {
    return stateOf(this.#snapshot, this.#event, this.sessionId);
  }

  subscribe(watcher: (state: Record<string, unknown>) => void): void {
    this.#watchers.push(watcher);
  }

  onStop(stopped: () => void): void {
    this.#stopped.push(stopped);
  }

  /** True once the library has registered it. */
  get isRegistered(): boolean {
    return this.#watchers.length > 0;
  }

  /** Takes the newest snapshot without telling anyone. */
  keep(snapshot: ChartSnapshot, event: EventLike): void {
    this.#snapshot = snapshot;
    this.#event = event;
  }

  /** Tells the library of an event before the actor takes it. */
  announceEvent(event: EventLike): void {
    this.send(eventOf(event));
  }

  /** Tells the library of the newest state. */
  announceState(): void {
    if (!this.isRegistered) return;
    const state = this.state;
    for (const watcher of this.#watchers) watcher(state);
  }

  /** Tells the library that the actor has ended. */
  announceStop(): void {
    for (const stopped of this.#stopped) stopped();
  }
}
