/** That an answer is on its way is seen on the chat platform for as long as its turn runs, and nowhere else. */
import { expect, onTestFinished, test } from 'vitest';
import { TestFolder } from '../support/gateway.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const CONFIG = `access: { owners: ["standin:ann"], users: ["standin:bob"] }
quick_commands: { count: { type: exec, command: "echo counted" } }`;

test('typing is shown while a turn runs, anew before it fades, and is over before its answer', async () => {
  await using server = await StandInServer.start();
  using folder = new TestFolder();
  const gateway = await startWithStandIn(server, { folder, config: CONFIG });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  for (const name of ['one', 'two']) folder.fifo(name);
  const shown = (who: string) =>
    server.typing.filter(({ conversation }) => conversation === `standin:${who}`).map(({ on }) => on);

  await server.deliver({ id: 'm1', from: 'ann', text: 'wait one' });
  await server.until(() => shown('ann').length >= 2, 'typing to be shown a second time');
  expect(shown('ann')).not.toContain(false);
  // A command shows none, nor does a turn of somebody who waits at a connection.
  await server.deliver({ id: 'm2', from: 'bob', text: '/status' });
  await server.reached(({ conversation }) => conversation === 'standin:bob');
  const here = gateway.send('wait two');
  await gateway.inFlight('turns', 2);

  server.hold('send');
  await folder.release('one');
  await server.until(() => server.asked.some(({ text }) => text.includes('finished one')), 'the answer');
  // On a busy machine it was shown a third time meanwhile.
  const whole = shown('ann');
  expect([whole.indexOf(false), whole.at(-1)]).toEqual([whole.length - 1, false]);
  server.release('send');
  await server.reached(({ text }) => text.includes('finished one'));
  await folder.release('two');
  expect((await here).json).toMatchObject({ outcome: 'answered' });
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(new Set(server.typing.map(({ conversation }) => conversation))).toEqual(new Set(['standin:ann']));
  expect(shown('ann')).toEqual(whole);
});
