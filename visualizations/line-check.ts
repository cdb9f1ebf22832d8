/**
 * Holds the hand-written lines of a drawing against its chart, so that a changed chart fails the build instead of
 * drawing a lie. Pure: it returns what is wrong in words.
 */
import type { AnyStateMachine } from 'xstate';
import { pathOf, statesOf, type TransitionInfo, transitionsOf } from '../machines/catalog.ts';
import type { EdgeMeta } from './scene.ts';

/**
 * What is wrong with `lines`; empty when each transition that changes the state is drawn by exactly one line or
 * named in `legend`, and each line leaves and enters where its transitions do.
 */
export function wrongLines(
  machine: AnyStateMachine,
  lines: readonly EdgeMeta[],
  legend: readonly string[],
): string[] {
  const transitions = transitionsOf(machine);
  const leaves = statesOf(machine)
    .filter((node) => Object.keys(node.states).length === 0)
    .map(pathOf);
  const byId = new Map(transitions.map((transition) => [transition.id, transition]));
  return [
    ...uncovered(transitions, lines, legend),
    ...repeated(lines),
    ...legend
      .filter((id) => !byId.has(id))
      .map((id) => `the legend names ${id}, which the chart does not have`),
    ...lines.flatMap((line) => wrongLine(line, byId, leaves)),
  ];
}

function uncovered(
  transitions: readonly TransitionInfo[],
  lines: readonly EdgeMeta[],
  legend: readonly string[],
): string[] {
  return transitions
    .filter(({ to }) => to !== null)
    .map(({ id }) => {
      const drawn = lines.filter((line) => line.transitions.includes(id)).length;
      const told = legend.includes(id) ? 1 : 0;
      return drawn + told === 1
        ? ''
        : `${id} is drawn by ${drawn} lines and named ${told} times in the legend`;
    })
    .filter((fault) => fault !== '');
}

/** Layout finds a line by its two ends. */
function repeated(lines: readonly EdgeMeta[]): string[] {
  return lines
    .filter(
      (line, index) => lines.findIndex(({ from, to }) => from === line.from && to === line.to) !== index,
    )
    .map(({ id, from, to }) => `${id} is a second line from ${from} to ${to}`);
}

function wrongLine(
  line: EdgeMeta,
  byId: ReadonlyMap<string, TransitionInfo>,
  leaves: readonly string[],
): string[] {
  const name = `${line.id} (${line.from} → ${line.to})`;
  const unknown = line.transitions.filter((id) => !byId.has(id));
  if (unknown.length > 0)
    return unknown.map((id) => `${name} stands for ${id}, which the chart does not have`);
  const known = [...byId.values()].filter(({ id }) => line.transitions.includes(id));
  const starts = leaves.filter((leaf) => within(leaf, line.from) && !within(leaf, line.to));
  const applies = (transition: TransitionInfo, leaf: string) => reaches(transition, leaf, [...byId.values()]);
  return [
    ...partlyEntered(name, line.to, known, leaves),
    ...known
      .filter(({ to }) => to === null || !within(to, line.to))
      .map(({ id, to }) => `${name} stands for ${id}, which leads to ${to ?? 'no other state'}`),
    ...known
      .filter((transition) => !starts.some((leaf) => applies(transition, leaf)))
      .map(({ id }) => `${name} stands for ${id}, which is never taken there`),
    ...starts
      .filter((leaf) => !known.some((transition) => applies(transition, leaf)))
      .map((leaf) => `${name} leaves ${leaf}, where none of its transitions is taken`),
  ];
}

/** A line that ends at a phase's border enters its initial state, or else by turns each of its states. */
function partlyEntered(
  name: string,
  to: string,
  transitions: readonly TransitionInfo[],
  leaves: readonly string[],
): string[] {
  const entered = transitions.map((transition) => transition.to);
  if (entered.every((target) => target === to)) return [];
  return leaves
    .filter((leaf) => within(leaf, to) && !entered.includes(leaf))
    .map((leaf) => `${name} ends at the border of ${to}, but never enters ${leaf}`);
}

/** Whether the chart can take `transition` in `leaf`: no state between the two always answers the event itself. */
function reaches(transition: TransitionInfo, leaf: string, all: readonly TransitionInfo[]): boolean {
  return (
    within(leaf, transition.from) &&
    !all.some(
      (other) =>
        other.event === transition.event &&
        other.guard === null &&
        other.from !== transition.from &&
        within(other.from, transition.from) &&
        within(leaf, other.from),
    )
  );
}

/** Whether `state` is `phase` or stands in it; the root, '', holds all. */
function within(state: string, phase: string): boolean {
  return phase === '' || state === phase || state.startsWith(`${phase}.`);
}
