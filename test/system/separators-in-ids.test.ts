/** Ids that contain what separates the parts of a conversation's key: each is addressed right, in this life and the next. */
import { expect, onTestFinished, test } from 'vitest';
import { standInAgent, TestFolder, TestGateway } from '../support/gateway.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

/** As a server has them, and as their keys are. They would be one and the same if a separator were taken as it comes. */
const ROOMS = [
  ['room:7', 'standin:room%3A7'],
  ['room%3A7', 'standin:room%253A7'],
  ['room', 'standin:room'],
  ['standin:room', 'standin:standin%3Aroom'],
] as const;

test('an id with the separator of keys is a conversation of its own: its replies, its turn and what is said after a kill', async () => {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const config = `agent: { type: command, command: ["${standInAgent}"] }
access: { users: ["standin:ann:1"], owners: ["standin:ann"] }`;
  const live = async () => {
    const gateway = await startWithStandIn(server, { folder, config });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const told = () => server.sent.map(({ conversation, text }) => [conversation, text]);

  const first = await live();
  for (const [room, key] of ROOMS) {
    await server.deliver({ id: `hello ${room}`, from: 'ann', conversation: room, text: `hello ${room}` });
    await server.reached(({ conversation }) => conversation === key);
  }
  expect(told()).toEqual(ROOMS.map(([room, key]) => [key, `echo: hello ${room}\n`]));

  const [[room, key]] = ROOMS;
  await server.deliver({ id: 'cut off', from: 'ann', conversation: room, text: 'wait one' });
  await first.inFlight('turns', 1);
  expect((await first.status()).inFlight.turns).toMatchObject([{ conversation: key }]);
  await first.kill9();
  server.sent.length = 0;
  const second = await live();
  await server.reached(({ text }) => text.includes('Send /resume'));
  // Nothing waits in the others.
  for (const [other, itsKey] of ROOMS.slice(1)) {
    await server.deliver({ id: `resume ${other}`, from: 'ann', conversation: other, text: '/resume' });
    await server.reached(
      ({ text, conversation }) => text.startsWith('Nothing of') && conversation === itsKey,
    );
  }
  await server.deliver({ id: 'resume', from: 'ann', conversation: room, text: '/resume' });
  await second.inFlight('turns', 1);
  await folder.release('one');
  await server.reached(({ text }) => text.includes('finished one'));
  expect(told().filter(([conversation]) => conversation === key)).toEqual([
    [key, expect.stringContaining('The gateway went down while this was being answered. Send /resume')],
    [key, 'Being answered now: 1 message of this conversation that waited for /resume.'],
    [key, 'started one\nfinished one\n'],
  ]);
  expect(told()).toHaveLength(ROOMS.length + 2);
  await second.stop();
});

test('over HTTP a name with the separator is its own conversation, also where it is followed', async () => {
  await using gateway = await TestGateway.start();
  for (const name of ['a:b', 'a%3Ab', 'a']) {
    expect((await gateway.send(`hello ${name}`, { conversation: name })).json).toMatchObject({
      ...{ outcome: 'answered', replies: [`echo: hello ${name}\n`] },
    });
  }
  const listed = await gateway.cli('messages', 'list', '--json');
  const { messages }: { messages: { conversation: string }[] } = JSON.parse(listed.stdout);
  expect(messages.map(({ conversation }) => conversation)).toEqual([
    'local:a',
    'local:a%253Ab',
    'local:a%3Ab',
  ]);
  await gateway.stop();
});
