/**
 * What reaches people on a chat platform when things go wrong between the gateway and its server: kills between a send
 * and its mark, servers that refuse, want to be left alone, or are not there.
 */
import { expect, onTestFinished, test } from 'vitest';
import { TestFolder, type TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { type ServerAbilities, StandInServer } from '../support/stand-in/server.ts';
import { StoreLock } from '../support/store-lock.ts';

const ACCESS = 'access: { owners: ["standin:ann"], users: ["standin:bob"] }';
const MARK = '(possibly sent twice: nobody saw whether it had arrived)';

/** A server that can do this, a folder, and lives in it, one after the other. */
async function world(abilities: ServerAbilities = {}) {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.can(abilities);
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.writeConfig(testConfig(`${server.config}\n${ACCESS}`));
  const live = async (): Promise<TestGateway> => {
    const gateway = await startWithStandIn(server, { folder, config: ACCESS });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const outbox = (columns: string) => storeRows(folder.home, `SELECT ${columns} FROM outbox ORDER BY seq`);
  return { server, folder, live, outbox };
}

const answered = (gateway: TestGateway, count: number) =>
  gateway.until(
    () => gateway.lines.filter(({ msg }) => msg === 'turn answered').length >= count,
    `${count} turns to be answered`,
  );

const texts = (server: StandInServer) => server.arrivals.map(({ text }) => text);

/** Two replies are on their way, the first is being sent; then the gateway is killed, and the next one starts. */
async function killedWhileSending(abilities: ServerAbilities, held: 'send' | 'answer') {
  const given = await world(abilities);
  const { server, live } = given;
  const first = await live();
  server.hold(held);
  for (const text of ['one', 'two']) await server.deliver({ id: text, from: 'ann', text });
  await answered(first, 2);
  await server.until(() => server.asked.length === 1, 'the first reply to be sent');
  await first.kill9();
  server.release(held);
  const second = await live();
  await server.reached(({ text }) => text === 'echo: two\n');
  await second.stop();
  return given;
}

test('a reply that had arrived when the gateway was killed comes once more with a mark, and before what followed it', async () => {
  const { server, outbox } = await killedWhileSending({}, 'answer');
  expect(texts(server)).toEqual(['echo: one\n', `echo: one\n\n${MARK}`, 'echo: two\n']);
  expect(server.arrivals.map(({ isMarked }) => isMarked)).toEqual([false, true, false]);
  expect(outbox('state, attempts, possible_duplicate')).toEqual([
    { state: 'delivered', attempts: 2, possible_duplicate: 1 },
    { state: 'delivered', attempts: 1, possible_duplicate: 0 },
  ]);
});

test('one that a server recognises comes once, unmarked', async () => {
  const { server, outbox } = await killedWhileSending({ sendsOnce: true }, 'answer');
  expect(texts(server)).toEqual(['echo: one\n', 'echo: two\n']);
  expect(server.recognised).toHaveLength(1);
  expect(outbox('state, possible_duplicate')).toEqual([
    { state: 'delivered', possible_duplicate: 0 },
    { state: 'delivered', possible_duplicate: 0 },
  ]);
});

test.for([
  ['had arrived', 'answer', 1],
  ['had not arrived', 'send', 2],
] as const)(
  'one that %s is asked about where the server can be asked, and comes once',
  async ([_, held, attempts]) => {
    const { server, outbox } = await killedWhileSending({ reconcile: true }, held);
    expect(texts(server)).toEqual(['echo: one\n', 'echo: two\n']);
    expect(server.reconciled).toEqual([server.asked[0]?.id]);
    expect(outbox('state, attempts, possible_duplicate')[0]).toEqual({
      ...{ state: 'delivered', attempts, possible_duplicate: 0 },
    });
  },
);

test('a server that wants to be left alone by one conversation is, and by that one alone', async () => {
  const { server, live } = await world();
  await using gateway = await live();
  // Longer by far than the turn of somebody else takes, which comes in meanwhile.
  server.behave({ how: 'wait', ms: 3000 }, { conversation: 'standin:ann' });
  for (const text of ['one', 'two']) await server.deliver({ id: text, from: 'ann', text });
  await gateway.log(({ msg }) => msg === 'a message could not be sent');
  await server.deliver({ id: 'three', from: 'bob', text: 'three' });
  await server.reached(({ text }) => text === 'echo: two\n');
  expect(texts(server)).toEqual(['echo: three\n', 'echo: one\n', 'echo: two\n']);
  expect(server.tooEarly).toEqual([]);
});

test('a wait that a server named is kept to by the next life, too', async () => {
  const { server, live } = await world();
  await using first = await live();
  server.behave({ how: 'wait', ms: 2000 });
  await server.deliver({ id: 'one', from: 'ann', text: 'one' });
  await first.log(({ msg }) => msg === 'a message could not be sent');
  await first.stop();
  await using _second = await live();
  await server.reached(({ text }) => text === 'echo: one\n');
  expect(server.tooEarly).toEqual([]);
});

test('replies that find no link wait for it in order, and that is no attempt', async () => {
  const { server, folder, live, outbox } = await world();
  await using gateway = await live();
  folder.fifo('turn');
  for (const text of ['wait turn', 'two']) await server.deliver({ id: text, from: 'ann', text });
  await gateway.inFlight('turns', 1);
  server.turnAway('no time');
  server.cut();
  await gateway.statusWhere(({ platforms }) => platforms[1].state === 'backing-off');
  await folder.release('turn');
  await answered(gateway, 2);
  expect(outbox('state, attempts')).toEqual([
    { state: 'pending', attempts: 0 },
    { state: 'pending', attempts: 0 },
  ]);
  server.turnAway(undefined);
  await server.reached(({ text }) => text === 'echo: two\n');
  expect(texts(server)).toEqual(['started turn\nfinished turn\n', 'echo: two\n']);
  await gateway.stop();
  expect(outbox('attempts')).toEqual([{ attempts: 1 }, { attempts: 1 }]);
});

test('of a long reply the next life sends the parts that had not arrived', async () => {
  const { server, live, outbox } = await world({ textCharsMax: 400, messagesPerMinute: 2 });
  const first = await live();
  await server.deliver({ id: 'long', from: 'ann', text: 'flood 1000' });
  // The budget keeps the third.
  await server.until(() => server.arrivals.length === 2, 'the first two parts');
  await polled(
    () => outbox('state').filter(({ state }) => state === 'delivered').length === 2,
    'their marks',
  );
  await first.kill9();
  await using _second = await live();
  await server.until(() => server.arrivals.length === 4, 'the other two');
  expect(texts(server).join('')).toBe('x'.repeat(1000));
  expect(texts(server).every((text) => text.length <= 400)).toBe(true);
  expect(outbox('part, possible_duplicate')).toEqual(
    [0, 1, 2, 3].map((part) => ({ part, possible_duplicate: 0 })),
  );
});

test('what cannot be delivered stays with its text and why, and its conversation rests until somebody writes from there', async () => {
  const { server, folder, live, outbox } = await world();
  await using gateway = await live();
  folder.fifo('turn');
  server.behave({ how: 'gone' }, { conversation: 'standin:ann', times: 1 });
  // Both before the first is answered: whoever writes afterwards is there.
  await Promise.all(['one', 'wait turn'].map((text) => server.deliver({ id: text, from: 'ann', text })));
  await gateway.log(({ msg }) => msg === 'a message will not be sent');
  await folder.release('turn');
  await answered(gateway, 2);
  await polled(() => outbox('error')[1]?.error, 'the reason of the second');
  const gone = 'there is no such conversation';
  expect(outbox('state, attempts, text, error')).toEqual([
    { state: 'dead', attempts: 1, text: 'echo: one\n', error: gone },
    {
      ...{ state: 'pending', attempts: 0, text: 'started turn\nfinished turn\n' },
      error: `not tried: its conversation is gone (${gone})`,
    },
  ]);
  await server.deliver({ id: 'three', from: 'ann', text: 'three' });
  await server.reached(({ text }) => text === 'echo: three\n');
  expect(texts(server)).toEqual(['started turn\nfinished turn\n', 'echo: three\n']);
});

test('a start that cannot write its store answers commands at once, and sends what was left before anything that has a row', async () => {
  const { server, folder, live } = await world();
  const first = await live();
  server.failSends('the server is out of order');
  for (const text of ['one', 'two']) await server.deliver({ id: text, from: 'ann', text });
  await answered(first, 2);
  expect(await first.stop()).toMatchObject({ code: 0 });
  server.failSends(undefined);
  {
    using _lock = new StoreLock(folder.home);
    const second = await live();
    await second.statusWhere(({ degraded }) => degraded.includes('store'));
    await server.deliver({ id: 'in the outage', from: 'ann', text: '/sttaus' });
    await server.reached(({ text }) => text.includes('(not recorded: another program had the store locked)'));
    expect(server.arrivals).toHaveLength(1);
  }
  await server.until(() => server.arrivals.length >= 3, 'what was left');
  await server.deliver({ id: 'afterwards', from: 'ann', text: 'three' });
  await server.reached(({ text }) => text === 'echo: three\n');
  expect(texts(server).slice(1)).toEqual(['echo: one\n', 'echo: two\n', 'echo: three\n']);
  expect(server.arrivals.map(({ isMarked }) => isMarked)).toEqual([false, false, false, false]);
});

test('a gateway leaves at once although its replies are refused, and the next life sends them at once', async () => {
  const { server, live } = await world();
  await using first = await live();
  server.failSends('the server is out of order');
  await server.deliver({ id: 'one', from: 'ann', text: 'one' });
  await first.log(({ msg }) => msg === 'a message could not be sent');
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  expect(first.lines.filter(({ event }) => event === 'exit.deadline')).toEqual([]);
  server.failSends(undefined);
  await using second = await live();
  await server.reached(({ text }) => text === 'echo: one\n');
  expect(second.lines.filter(({ msg }) => msg === 'a message could not be sent')).toEqual([]);
});

test('formatting that a server rejects is sent once more as plain text', async () => {
  const { server, live } = await world();
  await using _gateway = await live();
  server.behave({ how: 'format' });
  await server.deliver({ id: 'one', from: 'ann', text: '*one*' });
  await server.reached(({ text }) => text === 'echo: *one*\n');
  expect(server.arrivals).toMatchObject([{ isPlain: true, isMarked: false }]);
});

test('what a server has not had acknowledged it delivers again to the next life, and it is answered once', async () => {
  const { server, live } = await world();
  server.redeliver();
  const first = await live();
  server.hold('send');
  const taken = server.deliver({ id: 'one', from: 'ann', text: 'one' });
  expect(await taken).toBe('acknowledged');
  await first.kill9();
  server.release('send');
  // Nobody is there to take it.
  const later = server.deliver({ id: 'two', from: 'ann', text: 'two' });
  await using _second = await live();
  expect(await later).toBe('acknowledged');
  await server.reached(({ text }) => text === 'echo: two\n');
  expect(server.handed).toEqual(['one', 'two']);
});
