/**
 * What the bridge reads of XState 5, written as structure: inside this workspace the name `xstate` means
 * version 4, so version 5's own types cannot be imported here. Its `InspectionEvent` is assignable to the one
 * below; the test, which lives outside and sees version 5, is what holds that.
 */

/** An actor as inspection events name it; `id` is there on every real one but not in XState's type. */
export interface InspectedActor {
  readonly id?: string;
  readonly sessionId: string;
  getSnapshot(): unknown;
}

export interface EventLike {
  readonly type: string;
}

/** An inspection event. Only `@xstate.event` and `@xstate.snapshot` are read. */
export interface InspectionEvent {
  readonly type: string;
  readonly actorRef: InspectedActor;
  readonly event?: EventLike;
  readonly snapshot?: unknown;
}

export interface ChartTransition {
  readonly target?: readonly ChartNode[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
  readonly description?: string | undefined;
}

export interface ChartNode {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly parent?: ChartNode | undefined;
  readonly states: Readonly<Record<string, ChartNode>>;
  readonly initial: { readonly target: readonly ChartNode[] };
  readonly history: false | 'shallow' | 'deep';
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly tags: readonly string[];
  readonly meta?: unknown;
  readonly description?: string | undefined;
  readonly transitions: ReadonlyMap<string, readonly ChartTransition[]>;
  readonly always?: readonly ChartTransition[] | undefined;
}

/** The snapshot of a state machine, as opposed to those of promises, callbacks and observables. */
export interface ChartSnapshot {
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  readonly tags: ReadonlySet<string>;
  readonly machine: { readonly root: ChartNode };
}

/** True for the snapshot of a state machine. */
export function isChartSnapshot(snapshot: unknown): snapshot is ChartSnapshot {
  return typeof snapshot === 'object' && snapshot !== null && 'machine' in snapshot && 'value' in snapshot;
}

/** True while the actor can still take events. A throwing action ends one without an inspection event. */
export function isActive(actor: InspectedActor): boolean {
  const snapshot = actor.getSnapshot();
  return (
    typeof snapshot === 'object' && snapshot !== null && 'status' in snapshot && snapshot.status === 'active'
  );
}
