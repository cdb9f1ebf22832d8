/**
 * A viewer without a screen: the real receiver of `@xstate/inspect`, which turns what the bridge sends back into
 * XState 4's machines and states. It is what tests look through, for the package is nested in this workspace.
 */
import { createWebSocketReceiver } from '@xstate/inspect';

/** An XState 4 machine, as much as is looked at. */
export interface ReceivedMachine {
  readonly id: string;
  readonly stateIds: readonly string[];
  transition(
    value: string,
    event: string,
  ): { readonly value: unknown; readonly actions: readonly { readonly type: string }[] };
  /** What the viewer's page does with every state it is told: complete it from the chart. */
  resolveState(state: ReceivedState): ReceivedState & { readonly nextEvents: readonly string[] };
  getStateNodeById(id: string): {
    readonly transitions: readonly {
      readonly eventType: string;
      readonly target?: readonly { readonly id: string }[];
      readonly cond?: { readonly name: string };
      readonly actions: readonly { readonly type: string }[];
    }[];
  };
}

/** An XState 4 state. */
export interface ReceivedState {
  readonly value: unknown;
  readonly context: Readonly<Record<string, unknown>>;
  readonly event: { readonly type: string };
  readonly done: boolean;
  readonly tags: ReadonlySet<string>;
  matches(value: string): boolean;
}

/** What the bridge tells a viewer, parsed. */
export type ReceivedEvent =
  | {
      readonly type: 'service.register';
      readonly sessionId: string;
      readonly machine: ReceivedMachine;
      readonly state: ReceivedState;
    }
  | { readonly type: 'service.state'; readonly sessionId: string; readonly state: ReceivedState }
  | {
      readonly type: 'service.event';
      readonly sessionId: string;
      readonly event: { readonly name: string; readonly data: Readonly<Record<string, unknown>> };
    }
  | { readonly type: 'service.stop'; readonly sessionId: string };

export interface Receiver {
  /** Sends an event to the actor of a session, as a viewer's "send event" does. */
  sendEvent(sessionId: string, event: { readonly type: string }): void;
}

/** Connects to `host:port`. It lasts as long as the bridge: the library offers no way to hang up. */
export function openReceiver(address: string, next: (event: ReceivedEvent) => void): Receiver {
  const receiver = createWebSocketReceiver({ server: address });
  receiver.subscribe(next);
  return {
    sendEvent(sessionId, event) {
      const scxml = { name: event.type, data: event, $$type: 'scxml', type: 'external', origin: sessionId };
      receiver.send({ type: 'xstate.event', event: JSON.stringify(scxml) });
    },
  };
}
