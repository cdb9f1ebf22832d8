/**
 * Who hears that the gateway went down or is back, on a chat platform, over several lives: only who was affected, at most
 * one "down" and one "back" each, and none of it is lost when it cannot be sent at once.
 */
import { expect, onTestFinished, test } from 'vitest';
import { standInAgent, TestFolder, type TestGateway } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const DOWN = /^(?:started one\n\n\n)?The gateway went down/;
const BACK = /^The gateway is back\./;

/** People, and lives of a gateway, one after the other. */
async function world(more = '') {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const config = `agent: { type: command, command: ["${standInAgent}"]${more} }
access: { owners: ["standin:ann"], users: ["standin:bob", "standin:eve"] }
quick_commands: { up: { type: exec, command: "echo up" } }`;
  const live = async (): Promise<TestGateway> => {
    const gateway = await startWithStandIn(server, { folder, config });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const to = (name: string, like = /^/) =>
    server.sent
      .filter(({ conversation, text }) => conversation === `standin:${name}` && like.test(text))
      .map(({ text }) => text);
  let count = 0;
  const say = (from: string, text: string) => {
    count += 1;
    return server.deliver({ id: `${count}`, from, text });
  };
  /** Whatever was to be said before is said by now: what comes later is answered after it. */
  const caughtUp = async (gateway: TestGateway, ...names: readonly string[]) => {
    for (const name of names) {
      const before = to(name, /^up$/).length;
      await say(name, '/up');
      await server.until(
        () => to(name, /^(?:up|\/up is for the owner)/).length > before,
        `an answer to ${name}`,
      );
    }
    return gateway;
  };
  return { server, folder, live, to, say, caughtUp };
}

test('an incident over several lives gives a chat with several turns one "down" and one "back", and nobody else hears', async () => {
  const { folder, live, to, say, server, caughtUp } = await world(', effects: none');
  const first = await live();
  await say('eve', 'hello');
  await server.reached(({ text }) => text === 'echo: hello\n');
  await say('bob', 'wait one');
  await first.inFlight('turns', 1);
  for (const text of ['one more', 'two more']) await say('bob', text);
  await first.kill9();
  const second = await live();
  await second.inFlight('turns', 1);
  // A kill between a notice and its mark would have it said again.
  await server.reached(({ text }) => DOWN.test(text));
  const onTheirWay = () => storeRows(folder.home, "SELECT id FROM outbox WHERE state <> 'delivered'");
  await polled(() => onTheirWay().length === 0, 'the notice to be marked');
  await second.kill9();
  const third = await live();
  await third.inFlight('turns', 1);
  await folder.release('one');
  await server.reached(({ text }) => text === 'echo: two more\n');
  await say('ann', '/restart');
  await third.ready(2);
  await server.reached(({ text }) => BACK.test(text));
  await third.stop();
  const fourth = await live();
  await caughtUp(fourth, 'ann');
  expect(to('bob')).toEqual([
    expect.stringMatching(DOWN),
    ...['started one\nfinished one\n', 'echo: one more\n', 'echo: two more\n'],
  ]);
  expect([to('ann', DOWN).length, to('ann', BACK).length]).toEqual([0, 1]);
  expect(to('eve')).toEqual(['echo: hello\n']);
  expect(storeRows(folder.home, "SELECT count(*) AS n FROM notices WHERE state = 'pending'")).toEqual([
    { n: 0 },
  ]);
  await fourth.stop();
});

test('of each message that a later death of an incident cuts off its person hears, too, with what it had said, and "down" once', async () => {
  const { folder, live, to, say, server } = await world();
  folder.fifo('two');
  const isOnDisk = (sql: string) => polled(() => storeRows(folder.home, sql).length > 0, sql);
  /** A turn of this attempt has said something, and what was said before is marked: a kill repeats none of it. */
  const saidSomething = async (attempt: number) => {
    await isOnDisk(`SELECT id FROM turns WHERE streamed <> '' AND ended_at IS NULL AND attempt = ${attempt}`);
    await isOnDisk("SELECT 1 WHERE NOT EXISTS (SELECT id FROM outbox WHERE state <> 'delivered')");
  };
  const first = await live();
  await say('bob', 'wait one');
  await saidSomething(1);
  await first.kill9();
  const second = await live();
  await server.reached(({ text }) => DOWN.test(text));
  await say('bob', 'wait two');
  await saidSomething(1);
  await second.kill9();
  const third = await live();
  await server.reached(({ text }) => text.includes('"wait two"'));
  await say('bob', '/resume');
  await third.inFlight('turns', 1);
  await folder.release('one');
  await server.reached(({ text }) => text.includes('finished one'));
  await saidSomething(2);
  await third.kill9();
  const fourth = await live();
  await server.reached(({ text }) => text.includes('"wait two" was cut off again'));
  await fourth.stop();
  const fifth = await live();
  await say('bob', '/resume');
  await fifth.inFlight('turns', 1);
  await folder.release('two');
  await server.reached(({ text }) => text.includes('finished two'));
  await fifth.stop();
  expect(to('bob')).toEqual([
    'started one\n\n\nThe gateway went down while this was being answered. Send /resume to have it answered after all.',
    'started two\n\n\nThe message "wait two" was cut off, too. Send /resume to have it answered after all.',
    'Being answered now: 2 messages of this conversation that waited for /resume.',
    'started one\nfinished one\n',
    'started two\n\n\nThe message "wait two" was cut off again. Send /resume to have it answered after all.',
    'Being answered now: 1 message of this conversation that waited for /resume.',
    'started two\nfinished two\n',
  ]);
});

test('after a restart with nothing in flight only who asked for it hears that it is back', async () => {
  const { live, to, say, server } = await world();
  const gateway = await live();
  await say('bob', 'hello');
  await server.reached(({ text }) => text === 'echo: hello\n');
  await say('ann', '/restart');
  await gateway.ready(2);
  await server.reached(({ text }) => BACK.test(text));
  // One that nobody in a chat asked for is told to nobody.
  gateway.signal('SIGUSR1');
  await gateway.ready(3);
  await say('bob', 'hello again');
  await server.reached(({ text }) => text === 'echo: hello again\n');
  await gateway.stop();
  expect(to('ann')).toEqual(['Restarting now.', expect.stringMatching(BACK)]);
  expect(to('bob')).toEqual(['echo: hello\n', 'echo: hello again\n']);
});

test('those whom a restart refused hear it once each, however often they had asked', async () => {
  const { folder, live, to, say, server } = await world();
  const gateway = await live();
  await say('eve', 'wait one');
  await gateway.inFlight('turns', 1);
  await say('ann', '/restart');
  await gateway.entered('draining.waiting');
  for (const _ of [1, 2, 3]) await say('bob', 'hello');
  await say('ann', '/restart');
  await folder.release('one');
  await gateway.ready(2);
  await server.until(() => to('bob', BACK).length > 0 && to('ann', BACK).length > 0, 'both to hear it');
  await say('bob', 'hello again');
  await server.reached(({ text }) => text === 'echo: hello again\n');
  await gateway.stop();
  expect(to('bob')).toEqual([
    expect.stringMatching(/^Not taken: the gateway is restarting/),
    expect.stringMatching(BACK),
    'echo: hello again\n',
  ]);
  expect(to('ann', BACK)).toHaveLength(1);
  expect(to('eve')).toEqual(['started one\nfinished one\n']);
});

test('a notice that cannot be sent is kept, also over a kill -9, and sent once', async () => {
  const { live, to, say, server } = await world();
  const first = await live();
  await say('ann', '/restart');
  await server.reached(({ text }) => text === 'Restarting now.');
  server.failSends('the server is out of order');
  await first.ready(2);
  await server.until(() => server.asked.some(({ text }) => BACK.test(text)), 'the notice to be tried');
  expect(to('ann', BACK)).toEqual([]);
  await first.kill9();
  server.failSends(undefined);
  const second = await live();
  await server.reached(({ text }) => BACK.test(text));
  await second.stop();
  const third = await live();
  await say('ann', '/up');
  await server.reached(({ text }) => text === 'up');
  await third.stop();
  expect(to('ann', BACK)).toHaveLength(1);
});
