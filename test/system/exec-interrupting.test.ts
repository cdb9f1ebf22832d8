/**
 * What becomes of exec quick commands when a gateway stops waiting: each is asked to end at once, and has its own grace
 * for that, at most the gateway's.
 */
import { expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { TestGateway } from '../support/gateway.ts';

const POLITE = `trap "echo bye; exit 0" TERM; echo begun; while :; do sleep 0.1; done`;

/** What ends at all here ends by TERM or by its own grace, or by the gateway's where a test says so. */
const config = (killGrace: string, drain = '1h') => `
agent: { command: "true", restart_drain_timeout: ${drain} }
quick_commands:
  polite: { type: exec, command: '${POLITE}', timeout: 2h, grace: 1h }
  deaf: { type: exec, command: 'trap "" TERM; echo begun; sleep 600; sleep 600', timeout: 2h, grace: 200ms }
  deaf-long: { type: exec, command: 'trap "" TERM; echo begun; sleep 600; sleep 600', timeout: 2h, grace: 1h }
shutdown: { kill_grace: ${killGrace} }`;

async function running(text: string, ...names: string[]) {
  const gateway = await TestGateway.start({ config: text });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const replies = names.map((name) => gateway.send(`/${name}`));
  return { gateway, replies, ids: await gateway.commandsBegun(names.length) };
}

test('a hurry asks commands to end at once, not after its grace, and their replies say why', async () => {
  const { gateway, replies, ids } = await running(config('1h'), 'polite', 'deaf');
  const stop = await gateway.request('POST', '/v1/lifecycle', { intent: 'stop', hurry: true });
  expect(stop.json).toMatchObject({ verdict: 'hurried', text: 'Stopping now: 2 commands interrupted.' });
  const [polite, deaf] = await Promise.all(replies);
  expect(polite?.json).toMatchObject({
    outcome: 'interrupted',
    outcomeReason: 'interrupted',
    replies: [
      expect.stringMatching(
        /^begun\n(Terminated\n)?bye\n(Terminated\n)?\/polite was ended after \d+\.\d s: the gateway is stopping, and was asked to go at once\.$/,
      ),
    ],
  });
  expect(deaf?.json).toMatchObject({
    outcome: 'interrupted',
    replies: [
      expect.stringMatching(/\/deaf was ended after \d+\.\d s: the gateway is stopping, and was asked/),
    ],
  });
  expect(survivors(...ids)).toEqual([]);
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
});

test('the deadline of a drain does the same', async () => {
  const { gateway, replies } = await running(config('1h', '500ms'), 'polite');
  await gateway.request('POST', '/v1/lifecycle', { intent: 'stop' });
  expect((await Promise.all(replies))[0]?.json).toMatchObject({
    outcome: 'interrupted',
    replies: [expect.stringMatching(/bye\n[\s\S]*: the gateway is stopping and its time to wait is over\.$/)],
  });
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
});

test("a command's own grace ends with the gateway's", async () => {
  const { gateway, replies, ids } = await running(config('300ms'), 'deaf-long');
  await gateway.request('POST', '/v1/lifecycle', { intent: 'stop', hurry: true });
  expect((await Promise.all(replies))[0]?.json).toMatchObject({
    outcome: 'interrupted',
    replies: [
      expect.stringMatching(/^begun\n[\s\S]*: the gateway is stopping, and was asked to go at once\.$/),
    ],
  });
  expect(survivors(...ids)).toEqual([]);
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
});
