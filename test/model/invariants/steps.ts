/** What the invariants ask of a step: where it leads, what it asked for, what it did to the work set. */
import type { DeadlineName, LifecycleEvent, MessageEvent, RequestEvent } from '../../../machines/events.ts';
import type { GatewayContext } from '../../../machines/gateway-parts.ts';
import type { Effect, Step } from '../abstract-graph.ts';

/** What is wrong with a step, or null. */
export type Check = (step: Step) => string | null;

/** Invariants by the sentence each of them holds. */
export type Checks = Readonly<Record<string, Check>>;

export const DEADLINES: readonly DeadlineName[] = ['drain', 'kill', 'exit'];

export const count = ({ effects }: Step, type: Effect['type']): number =>
  effects.filter((effect) => effect.type === type).length;

export const isIn = (path: string, state: string): boolean => path === state || path.startsWith(`${state}.`);
export const isLeaving = (path: string): boolean => isIn(path, 'restarting') || isIn(path, 'stopped');
export const enters = ({ from, to }: Step, state: string): boolean => !isIn(from, state) && isIn(to, state);

export const work = ({ turns, commands }: GatewayContext): ReadonlySet<string> =>
  new Set([...turns, ...commands]);
export const gained = (before: ReadonlySet<string>, after: ReadonlySet<string>): string[] => [
  ...after.difference(before),
];

export const isMessage = (event: LifecycleEvent): event is MessageEvent => event.type.startsWith('message.');
export const isRequest = (event: LifecycleEvent): event is RequestEvent => 'requestId' in event;
export const isCurrent = ({ event, before }: Step): boolean =>
  'serial' in event &&
  DEADLINES.some((name) => event.type === `${name}.deadline` && event.serial === before.deadlines[name]);

/** `count` of an effect is exactly what is expected of this step. */
export const exactly = (step: Step, type: Effect['type'], expected: number): string | null =>
  count(step, type) === expected ? null : `${type} ${count(step, type)} times, not ${expected}`;

export const unless = (holds: boolean, wrong: string): string | null => (holds ? null : wrong);
