/** Watchers of the chart see each event and the edges it took, and the chart never feels them. */
import { expect, test } from 'vitest';
import type { ChartStep } from '../../src/gateway/chart-watch.ts';
import { startCore } from '../support/gateway-core.ts';

const ofTypes = (steps: readonly ChartStep[]) => steps.map(({ event }) => event.type);

test('a watcher sees what happens while it watches, with the edges that were taken', async () => {
  const { gateway } = await startCore();
  const steps: ChartStep[] = [];
  {
    using _ = gateway.lifecycle.watch((step) => steps.push(step));
    gateway.lifecycle.send({ type: 'degraded.raised', reason: 'store' });
    gateway.lifecycle.admit({ type: 'message.control', id: 'm1' });
  }
  gateway.lifecycle.send({ type: 'degraded.cleared', reason: 'store' });
  expect(ofTypes(steps)).toEqual(['degraded.raised', 'message.control']);
  expect(steps[0]).toMatchObject({ state: 'running.degraded', edges: [expect.any(String)] });
  expect(steps[1]).toMatchObject({ admission: 'dispatch', edges: [expect.any(String)] });

  using _ = gateway.lifecycle.watch((step) => steps.push(step));
  gateway.lifecycle.send({ type: 'degraded.raised', reason: 'store' });
  expect(steps).toHaveLength(3);
  expect(steps[2]?.edges).toEqual(steps[0]?.edges);
});

test('a step carries the decision or the verdict that fell in it, and never an earlier one', async () => {
  const { gateway } = await startCore();
  const steps: ChartStep[] = [];
  using _ = gateway.lifecycle.watch((step) => steps.push(step));
  gateway.lifecycle.ask({ type: 'drain.cancelled', requestId: 'r1', actor: 'local:owner' });
  gateway.lifecycle.admit({ type: 'message.exec', id: 'm1' });
  gateway.lifecycle.send({ type: 'work.settled', id: 'm1' });
  expect(steps.map(({ event, admission, verdict }) => [event.type, admission, verdict])).toEqual([
    ['drain.cancelled', undefined, 'nothing-to-cancel'],
    ['message.exec', 'dispatch', undefined],
    ['work.settled', undefined, undefined],
  ]);
});

test('a watcher that throws is dropped, and another goes on', async () => {
  const { gateway, lines } = await startCore();
  const steps: ChartStep[] = [];
  let calls = 0;
  using _dropped = gateway.lifecycle.watch(() => {
    calls += 1;
    throw new Error('a defect of the watcher');
  });
  using _ = gateway.lifecycle.watch((step) => steps.push(step));
  gateway.lifecycle.send({ type: 'degraded.raised', reason: 'store' });
  gateway.lifecycle.send({ type: 'degraded.cleared', reason: 'store' });
  expect(calls).toBe(1);
  expect(lines).toContainEqual(expect.objectContaining({ error: 'a defect of the watcher' }));
  expect(ofTypes(steps)).toEqual(['degraded.raised', 'degraded.cleared']);
  expect(gateway.status.state).toBe('running.healthy');
});
