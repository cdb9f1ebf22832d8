import { expect, test } from 'vitest';
import { NARROW, WIDE } from './alphabets.ts';
import {
  ALWAYS_ENDS,
  checkInvariants,
  INVARIANTS,
  SIGNALS_STAND,
  type Violation,
} from './invariants/check.ts';
import { checkShape } from './invariants/shape.ts';
import { MUTANTS, type Mutant, UNCHANGED } from './mutants.ts';

/** Fewer means that somebody took mutants out to make the gate pass. */
const MUTANTS_MIN = 60;

/** Findings after which a search ends: enough to tell which invariants bite. */
const FINDINGS_MAX = 12;

/** What the proof finds in a mutant first: its shape, then the small search, then the exhaustive one. */
function findings(mutant: Mutant): readonly Violation[] {
  const machine = mutant.machine();
  const shape = checkShape(machine);
  if (shape.length > 0) return shape;
  const quick = checkInvariants(machine, NARROW, FINDINGS_MAX).violations;
  return quick.length > 0 ? quick : checkInvariants(machine, WIDE, FINDINGS_MAX).violations;
}

test('the copy that mutants are made of is the chart: nothing is found in it', () => {
  expect(findings(UNCHANGED)).toEqual([]);
});

test('there are many mutants, each with a name of its own', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  expect(MUTANTS.length).toBeGreaterThanOrEqual(MUTANTS_MIN);
});

const bitten = new Set<string>();

test.each(MUTANTS)('found: $name', (mutant) => {
  const found = findings(mutant);
  expect(found).not.toEqual([]);
  for (const { invariant } of found) bitten.add(invariant);
});

// Runs after the mutants above: one file is one sequence.
test('no invariant is idle: each of them finds some mutant', () => {
  expect(Object.keys(INVARIANTS).filter((invariant) => !bitten.has(invariant))).toEqual([]);
});

test('a chart that can get stuck is found by its dead ends, beside all else that is wrong with it', () => {
  const stuck = MUTANTS.filter(({ name }) => name === 'closing never ends');
  const found = stuck.flatMap((mutant) => checkInvariants(mutant.machine(), NARROW, 10_000).violations);
  expect(found.map(({ invariant }) => invariant)).toContain(ALWAYS_ENDS);
});

test.each([
  'a signal that joins a stop is forgotten',
  'a stop that outranks a signal forgets it',
  'only the cause of a drain is looked at',
])('a way back to running, whatever the chart remembers, is found by itself: %s', (name) => {
  const forgetful = MUTANTS.filter((mutant) => mutant.name === name);
  const found = forgetful.flatMap((mutant) => checkInvariants(mutant.machine(), NARROW, 10_000).violations);
  expect(found.map(({ invariant }) => invariant)).toContain(SIGNALS_STAND);
});
