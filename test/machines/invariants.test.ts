import { beforeAll, expect, test } from 'vitest';
import { gatewayMachine } from '../../machines/gateway.ts';
import { NARROW } from '../model/alphabets.ts';
import { ALWAYS_ENDS, checkInvariants, INVARIANTS, SIGNALS_STAND } from '../model/invariants/check.ts';
import { checkShape } from '../model/invariants/shape.ts';

/*
 * The quick search; `test/model` holds the same invariants over every cause, two turns and two reasons, and on
 * running actors.
 */

/** Fewer means that the search has gone blind, and a silent search proves nothing. */
const STATES_MIN = 400;
const EDGES_MIN = 10_000;

let searched: ReturnType<typeof checkInvariants>;

beforeAll(() => {
  searched = checkInvariants(gatewayMachine, NARROW);
  console.log(`lifecycle chart: ${searched.states} states, ${searched.edges} edges searched`);
});

test('the search sees the whole chart', () => {
  expect(searched.states).toBeGreaterThan(STATES_MIN);
  expect(searched.edges).toBeGreaterThan(EDGES_MIN);
});

test.each([...Object.keys(INVARIANTS), ALWAYS_ENDS, SIGNALS_STAND])('%s', (invariant) => {
  const found = searched.violations.filter((violation) => violation.invariant === invariant);
  expect(found.map(({ detail }) => detail)).toEqual([]);
});

test('control and exec stand once, at the root, and the chart has no timers, invokes or wildcards', () => {
  expect(checkShape(gatewayMachine)).toEqual([]);
});
