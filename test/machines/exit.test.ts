import { describe, expect, test } from 'vitest';
import type { Cause, FailureKind, LifecycleEvent } from '../../machines/events.ts';
import { INTERRUPTED_CODE, isSignal, RESTART_CODE, type Supervisor } from '../../machines/exit.ts';
import { gatewayMachine } from '../../machines/gateway.ts';
import { drainRequested, stopRequested } from '../model/alphabets.ts';
import { EXITS, FAILURES, IS_SIGNAL, RANKS, SUPERVISORS, THIRD_SIGINT } from '../support/lifecycle-oracle.ts';
import { boot, recording } from '../support/recording-gateway.ts';

type LeavingCause = Exclude<Cause, 'drain'>;

const CAUSES = Object.keys(EXITS) as LeavingCause[];
const KINDS = Object.keys(FAILURES) as FailureKind[];
const STARTED: LifecycleEvent = { type: 'started' };
const FLUSHED: LifecycleEvent = { type: 'outbox.flushed' };
const CLOSED: LifecycleEvent = { type: 'intake.closed' };

const recorded = recording(gatewayMachine);

/** What a gateway that met `events` and was then let go leaves with. */
function exitAfter(supervisor: Supervisor, events: readonly LifecycleEvent[]) {
  const gateway = boot(recorded, supervisor);
  for (const event of [...events, FLUSHED, CLOSED]) gateway.send(event);
  expect(gateway.path()).toBe('exited');
  return gateway.actor.getSnapshot().output;
}

const asked = (supervisor: Supervisor, cause: LeavingCause) => {
  const leaving = EXITS[cause][supervisor];
  const expected = leaving === 'reexecute' ? { reexecute: true } : { code: leaving, reexecute: false };
  return { ...expected, cause, actor: `by ${cause}` };
};

const failed = (supervisor: Supervisor, kind: FailureKind) => ({
  code: FAILURES[kind][supervisor],
  reexecute: false,
  cause: kind,
  actor: 'gateway',
});

describe.each(SUPERVISORS)('under supervisor %s', (supervisor) => {
  test.each(CAUSES)('%s leaves as the table says, from starting and from running', (cause) => {
    expect(exitAfter(supervisor, [stopRequested(cause)])).toMatchObject(asked(supervisor, cause));
    expect(exitAfter(supervisor, [STARTED, stopRequested(cause)])).toMatchObject(asked(supervisor, cause));
    expect(exitAfter(supervisor, [STARTED, stopRequested(cause, true)])).toMatchObject(
      asked(supervisor, cause),
    );
    expect(exitAfter(supervisor, [STARTED, drainRequested, stopRequested(cause)])).toMatchObject(
      asked(supervisor, cause),
    );
  });

  test.each(CAUSES)('of %s and another cause the higher leaves its mark, whichever came first', (first) => {
    for (const second of CAUSES) {
      const winner = RANKS[second] > RANKS[first] ? second : first;
      const exit = exitAfter(supervisor, [STARTED, stopRequested(first), stopRequested(second)]);
      expect(exit).toMatchObject(asked(supervisor, winner));
    }
  });

  test.each(KINDS)('%s leaves with its own code, at the start and later', (kind) => {
    const failure = { kind, message: 'it failed' };
    const expected = failed(supervisor, kind);
    expect(exitAfter(supervisor, [{ type: 'start.failed', failure }])).toEqual(expected);
    expect(exitAfter(supervisor, [{ type: 'fatal', failure }])).toEqual(expected);
    expect(exitAfter(supervisor, [STARTED, { type: 'fatal', failure }])).toEqual(expected);
  });

  test.each(CAUSES)('a fault outranks %s, before and after it', (cause) => {
    const fatal: LifecycleEvent = { type: 'fatal', failure: { kind: 'fault', message: 'it broke' } };
    const expected = failed(supervisor, 'fault');
    expect(exitAfter(supervisor, [STARTED, stopRequested(cause), fatal])).toEqual(expected);
    expect(exitAfter(supervisor, [STARTED, fatal, stopRequested(cause)])).toEqual(expected);
  });
});

test('the third Ctrl-C leaves with 130', () => {
  expect(INTERRUPTED_CODE).toBe(THIRD_SIGINT);
});

test('a restart in place that fails leaves with the code that asks for another start', () => {
  expect(RESTART_CODE).toBe(EXITS.restart.systemd);
});

test.each(Object.entries(IS_SIGNAL))('the chart takes %s for a signal: %s', (cause, signal) => {
  expect(isSignal(cause as Cause)).toBe(signal);
});
