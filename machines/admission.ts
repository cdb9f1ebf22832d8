/**
 * What the chart does with a message, asked without telling it: the admission table, `status.accepts` and
 * the diagrams are computed from the machine by this, never kept beside it.
 */
import { type SnapshotFrom, transition } from 'xstate';
import type { Admission, BusyMode, Kind, MessageEvent } from './events.ts';
import { gatewayMachine } from './gateway.ts';

export type GatewaySnapshot = SnapshotFrom<typeof gatewayMachine>;

const ADMISSIONS: readonly string[] = ['dispatch', 'hold', 'refuse'] satisfies Admission[];

const isAdmission = (type: string): type is Admission => ADMISSIONS.includes(type);

/**
 * The admission of `event` in `snapshot`, without sending it. Throws when the chart decides nothing, or more
 * than once: either is a defect of the chart.
 */
export function admissionOf(snapshot: GatewaySnapshot, event: MessageEvent): Admission {
  // An ended actor is stopped: what is sent to it vanishes, while the pure transition would still answer.
  if (snapshot.status !== 'active') return 'refuse';
  const [, actions] = transition(gatewayMachine, snapshot, event);
  const decided = actions.map((action) => action.type).filter(isAdmission);
  const [admission] = decided;
  if (admission === undefined || decided.length !== 1) {
    throw new Error(`the chart decides ${decided.length} times on ${event.type} in ${statePath(snapshot)}`);
  }
  return admission;
}

/** What each kind would meet now; `turn` for this agent and busy mode. */
export function acceptsOf(
  snapshot: GatewaySnapshot,
  agent: string,
  whenBusy: BusyMode,
): Record<Kind, Admission> {
  const id = '';
  return {
    control: admissionOf(snapshot, { type: 'message.control', id }),
    exec: admissionOf(snapshot, { type: 'message.exec', id }),
    alias: admissionOf(snapshot, { type: 'message.alias', id }),
    turn: admissionOf(snapshot, { type: 'message.turn', id, agent, whenBusy }),
  };
}

/** The dotted path of the active state, as status and journal show it: `draining.waiting`. */
export function statePath(snapshot: { value: unknown }): string {
  const parts: string[] = [];
  let value: unknown = snapshot.value;
  while (typeof value === 'object' && value !== null) {
    const [key] = Object.keys(value);
    if (key === undefined) break;
    parts.push(key);
    value = (value as Record<string, unknown>)[key];
  }
  if (typeof value === 'string') parts.push(value);
  return parts.join('.');
}
