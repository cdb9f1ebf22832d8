/**
 * What people on a chat platform meet besides the admission table: who may do what, what a refusal says and
 * how often, what they hear of a message that is kept, and what becomes of one that is delivered twice.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Reply, StartOptions, TestGateway } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { StoreLock } from '../support/store-lock.ts';

const CONFIG = `
quick_commands:
  up: { type: exec, command: "echo up" }
  mark: { type: exec, command: "echo ran >> marks; cat marks | wc -l" }
  u: { type: alias, target: "/up" }
  s: { type: alias, target: "/status" }
  r: { type: alias, target: "/restart" }
  a: { type: alias, target: "tell me about" }
access: { owners: ["standin:ann"], users: ["standin:uma"] }`;

/** A gateway in which a turn runs until `done` is called, so that it drains for as long. */
interface Busy {
  readonly gateway: TestGateway;
  readonly server: StandInServer;
  done(): Promise<void>;
}

async function start(options: StartOptions = {}): Promise<{ gateway: TestGateway; server: StandInServer }> {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const gateway = await startWithStandIn(server, { config: CONFIG, ...options });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return { gateway, server };
}

async function busy(): Promise<Busy> {
  const { gateway, server } = await start();
  gateway.folder.fifo('turn');
  await gateway.post('wait turn', { conversation: 'busy' });
  await gateway.inFlight('turns', 1);
  return { gateway, server, done: () => gateway.folder.release('turn') };
}

const ask = (gateway: TestGateway, intent: string): Promise<Reply> =>
  gateway.request('POST', '/v1/lifecycle', { intent });

/** Ends the work, and with it a drain that leads out; returns when the gateway has gone. */
async function leave({ gateway, done }: Busy): Promise<void> {
  gateway.signal('SIGINT');
  await done();
  await gateway.exited;
}

/** Resolves when the control socket takes no connection any more. */
async function refusesConnections(gateway: TestGateway): Promise<void> {
  const refused = () =>
    gateway.status().then(
      () => false,
      () => true,
    );
  await polled(refused, 'the control socket to be closed');
}

/** Texts that reached a conversation. */
const textsIn = (server: StandInServer, conversation: string): string[] =>
  server.sent.filter((sent) => sent.conversation === `standin:${conversation}`).map(({ text }) => text);

const marks = ({ folder }: TestGateway): number => {
  const path = join(folder.path, 'marks');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
};

test.each([
  ['restart', /the gateway is restarting\. Send it again in about \d+ (s|min)/],
  ['stop', /the gateway is stopping\. Send it again when the gateway is back\./],
  ['drain', /the gateway is draining: it takes no new turns\. Send it again when the drain is over/],
])('a refusal in a drain for a %s says so, and when to try again', async (intent, text) => {
  const world = await busy();
  await ask(world.gateway, intent);
  await world.server.deliver({ id: '1', from: 'ann', text: 'hello' });
  const inChat = (await world.server.reached(({ kind }) => kind === 'refusal')).text;
  expect(inChat).toMatch(text);
  const [overSocket] = (await world.gateway.send('hello')).json.replies;
  expect(overSocket).toMatch(text);
  // Only whoever can follow the advice to have it kept is given it.
  expect(inChat).not.toContain('--queue');
  expect(overSocket.includes('--queue')).toBe(intent === 'restart');
  await leave(world);
});

test('/restart while a turn runs says how many are left and for how long at most; the second to ask learns that it is under way; nobody is interrupted', async () => {
  const { gateway, server, done } = await busy();
  // Its own: whoever already waits on one FIFO is let go together with all others who do.
  gateway.folder.fifo('other');
  const turn = gateway.send('wait other', { conversation: 'busy too', id: 'other' });
  await gateway.inFlight('turns', 2);
  await server.deliver({ id: '1', from: 'ann', text: '/restart' });
  const first = await server.reached(({ text }) => text.startsWith('Restarting when'));
  expect(first.text).toBe('Restarting when 2 turns are done, in 60 s at most. Commands still run.');
  await server.deliver({ id: '2', from: 'ann', conversation: 'elsewhere', text: '/restart' });
  const second = await server.reached(({ conversation }) => conversation === 'standin:elsewhere');
  expect(second.text).toMatch(/^Already restarting: 2 turns to finish, in \d+ s at most\.$/);
  expect((await gateway.status()).inFlight.turns).toHaveLength(2);
  await done();
  await gateway.folder.release('other');
  expect((await turn).json).toMatchObject({ outcome: 'answered' });
  await gateway.ready(2);
  expect((await gateway.status()).epoch).toBe(2);
  await gateway.stop();
});

test('in a drain an alias of a command names what to send, and a typo gets the near names', async () => {
  const world = await busy();
  await ask(world.gateway, 'restart');
  const { json: alias } = await world.gateway.send('/u');
  expect(alias).toMatchObject({ admission: 'refuse', outcome: 'refused', reason: 'state' });
  expect(alias.replies[0]).toContain('Send /up itself, it runs while draining');
  expect((await world.gateway.send('/s')).json.replies).toEqual([
    'Not taken: aliases wait while the gateway is restarting. Send /status itself, it runs while draining.',
  ]);
  expect((await world.gateway.send('/a b')).json.replies[0]).toMatch(
    /^Not taken: the gateway is restarting, and \/a stands for a turn\. Send it again in about/,
  );
  const { json: typo } = await world.gateway.send('/restrat');
  expect(typo).toMatchObject({ kind: 'control', admission: 'dispatch', outcome: 'done' });
  expect(typo.replies[0]).toContain('Did you mean /restart?');
  await leave(world);
});

test('in a drain a stranger meets access first: one line, nothing runs, nothing is stored', async () => {
  const world = await busy();
  const { gateway, server } = world;
  await ask(gateway, 'drain');
  for (const id of ['1', '2', '3']) {
    const text = id === '3' ? 'hello' : '/mark';
    expect(await server.deliver({ id, from: 'eve', text })).toBe('acknowledged');
  }
  await server.deliver({ id: '4', from: 'ann', text: '/up' });
  await server.reached(({ conversation }) => conversation === 'standin:ann');
  expect(textsIn(server, 'eve')).toEqual([
    'This gateway answers to people it knows. Ask its owner to add you.',
  ]);
  expect(marks(gateway)).toBe(0);
  expect(storeRows(gateway.folder.home, "SELECT id FROM inbox WHERE sender = 'standin:eve'")).toEqual([]);
  await leave(world);
});

test('a user may not run what is for the owner, in a drain as before it, and may ask for the status', async () => {
  const world = await busy();
  const { gateway, server } = world;
  await server.deliver({ id: '1', from: 'uma', text: '/mark' });
  await ask(gateway, 'drain');
  for (const [id, text] of Object.entries({ 2: '/mark', 3: '/stop', 4: '/u', 5: '/status' })) {
    expect(await server.deliver({ id, from: 'uma', text })).toBe('acknowledged');
  }
  await server.until(() => textsIn(server, 'uma').length === 5, 'five answers');
  expect(textsIn(server, 'uma')).toEqual([
    '/mark is for the owner of this gateway.',
    '/mark is for the owner of this gateway.',
    '/stop is for the owner of this gateway.',
    '/u is for the owner of this gateway.',
    expect.stringMatching(/^draining\.waiting/),
  ]);
  expect(marks(gateway)).toBe(0);
  expect((await gateway.status()).state).toBe('draining.waiting');
  const rows = storeRows(gateway.folder.home, "SELECT DISTINCT reason FROM inbox WHERE outcome = 'refused'");
  expect(rows.map(({ reason }) => reason)).toEqual(['access']);
  await leave(world);
});

test('a conversation hears one refusal a drain, whoever waits over HTTP hears each', async () => {
  const world = await busy();
  const { gateway, server } = world;
  const refusals = (conversation: string) =>
    textsIn(server, conversation).filter((text) => text.startsWith('Not taken:'));
  const refused = async (drain: number) => {
    for (const id of ['1', '2', '3']) {
      await server.deliver({ id: `${drain}-${id}`, from: 'ann', text: 'hello' });
      expect((await gateway.send('hello')).json.replies).toHaveLength(1);
    }
    await server.deliver({ id: `${drain}-4`, from: 'ann', conversation: 'group', text: '/s' });
    await server.until(() => refusals('group').length === drain, 'the refusal in the group');
    // What came before it in the other conversation has been settled, and what of it is said was asked for.
    expect(refusals('ann')).toHaveLength(drain);
  };
  await ask(gateway, 'drain');
  await refused(1);
  await ask(gateway, 'cancel-drain');
  // Both conversations hear that it was cancelled, once; whoever waits over HTTP asks again by himself.
  await server.until(
    () => textsIn(server, 'ann').length + textsIn(server, 'group').length === 4,
    'the notices',
  );
  for (const conversation of ['ann', 'group']) {
    expect(textsIn(server, conversation)[1]).toMatch(/^The gateway goes on and takes turns again\./);
  }
  await ask(gateway, 'drain');
  await refused(2);
  const rows = storeRows(gateway.folder.home, "SELECT outcome FROM inbox WHERE conversation = 'standin:ann'");
  expect(rows.map(({ outcome }) => outcome)).toEqual(Array(6).fill('refused'));
  await leave(world);
});

test('of a message that is kept people hear after a while, once a conversation, and not when it was short', async () => {
  const world = await busy();
  const { gateway, server } = world;
  const keep = (id: string, conversation: string) =>
    server.deliver({ id, from: 'ann', conversation, text: `hello ${id}`, whenBusy: 'queue' });
  await ask(gateway, 'drain');
  await keep('1', 'short');
  await ask(gateway, 'cancel-drain');
  await server.reached(({ conversation }) => conversation === 'standin:short');

  await ask(gateway, 'drain');
  const before = performance.now();
  await keep('2', 'long');
  await keep('3', 'long');
  const { text, kind } = await server.reached(({ conversation }) => conversation === 'standin:long');
  expect([kind, text]).toEqual(['notice', 'Kept: it is answered as soon as the gateway takes turns again.']);
  // Two seconds on the gateway's clock, which began to run later than ours; timers may be a millisecond early.
  expect(performance.now() - before).toBeGreaterThan(1990);

  // Whose notice comes later than any other of this drain could.
  await keep('4', 'later');
  await keep('5', 'long');
  await server.reached(({ conversation }) => conversation === 'standin:later');
  await ask(gateway, 'cancel-drain');
  await server.until(() => textsIn(server, 'long').length >= 4, 'what was kept to be answered');
  expect(textsIn(server, 'short')).toEqual(['echo: hello 1\n']);
  expect(textsIn(server, 'long')).toEqual([text, 'echo: hello 2\n', 'echo: hello 3\n', 'echo: hello 5\n']);
  await leave(world);
});

test('what a leaving gateway keeps it keeps for the next start, says so, and answers it there', async () => {
  const world = await busy();
  const { gateway, server, done } = world;
  await ask(gateway, 'restart');
  await server.deliver({ id: '1', from: 'ann', text: 'hello', whenBusy: 'queue' });
  expect((await server.reached(({ kind }) => kind === 'notice')).text).toBe(
    'Kept: the gateway is restarting. It is answered as soon as it is back.',
  );
  await done();
  await gateway.ready(2);
  await server.reached(({ text }) => text === 'echo: hello\n');
  await gateway.stop();
});

test('a message that is delivered again is not run again, in the same life and after a restart', async () => {
  const { gateway, server } = await start();
  const mark = () => server.deliver({ id: 'once', from: 'ann', text: '/mark' });
  expect(await Promise.all([mark(), mark()])).toContain('acknowledged');
  await server.reached(({ text }) => text === '1');
  expect(await mark()).toBe('acknowledged');
  await ask(gateway, 'restart');
  await gateway.ready(2);
  expect(await mark()).toBe('acknowledged');
  await server.deliver({ id: 'other', from: 'ann', text: '/up' });
  await server.reached(({ text }) => text === 'up');
  expect(marks(gateway)).toBe(1);
  expect(textsIn(server, 'ann')).toEqual(['1', 'up']);
  await gateway.stop();
});

test('a /restart that is delivered again after the boot is told of it and does not restart again; a new one does', async () => {
  const { gateway, server } = await start();
  await server.deliver({ id: 'r1', from: 'ann', text: '/restart' });
  await gateway.ready(2);
  await server.linked(2);
  expect(await server.deliver({ id: 'r1', from: 'ann', text: '/restart' })).toBe('acknowledged');
  const told = await server.reached(({ text }) => text.startsWith('Restarted'));
  expect(told.text).toMatch(/^Restarted \d+ s ago/);
  expect(await gateway.status()).toMatchObject({ epoch: 2, state: 'running.healthy' });

  await server.deliver({ id: 'r2', from: 'ann', conversation: 'group', text: '/r' });
  await gateway.ready(3);
  await server.linked(3);
  expect(await server.deliver({ id: 'r2', from: 'ann', conversation: 'group', text: '/r' })).toBe(
    'acknowledged',
  );
  await server.reached((sent) => sent.conversation === 'standin:group' && sent.text.startsWith('Restarted'));
  // The first one asked for another restart than the last.
  expect(await server.deliver({ id: 'r1', from: 'ann', text: '/restart' })).toBe('acknowledged');
  expect((await gateway.status()).epoch).toBe(3);
  await server.deliver({ id: 'up', from: 'ann', text: '/up' });
  await server.reached(({ text }) => text === 'up');
  const back = expect.stringMatching(/^The gateway is back\./);
  expect(textsIn(server, 'ann')).toEqual(['Restarting now.', back, told.text, 'up']);
  await gateway.stop();
});

test('a /restart that is delivered again after its gateway was killed on the way out is told so, and restarts nothing', async () => {
  const { gateway, server } = await busy();
  await server.deliver({ id: 'r1', from: 'ann', text: '/restart' });
  await server.reached(({ text }) => text.startsWith('Restarting'));
  await gateway.kill9();
  await using second = await startWithStandIn(server, { config: CONFIG, folder: gateway.folder });
  expect(await server.deliver({ id: 'r1', from: 'ann', text: '/restart' })).toBe('acknowledged');
  const told = await server.reached(({ text }) => text.includes('restarts nothing'));
  expect(told.text).toMatch(
    /^The gateway has gone down since this message came first, and has been up again for \d+ s\. It restarts nothing/,
  );
  expect(await second.status()).toMatchObject({ epoch: 2, state: 'running.healthy' });
  await second.stop();
});

test('what cannot be stored is not acknowledged, and answered once when the platform delivers it again', async () => {
  const { gateway, server } = await start();
  const lock = new StoreLock(gateway.folder.home);
  onTestFinished(() => lock[Symbol.dispose]());
  const hello = () => server.deliver({ id: 'hello', from: 'ann', text: 'hello' });
  expect(await hello()).toBe('to be delivered again');
  expect(await hello()).toBe('to be delivered again');

  // Commands do not depend on it: they run at once, once, and say that nobody wrote it down.
  const mark = () => server.deliver({ id: 'mark', from: 'ann', text: '/mark' });
  expect(await mark()).toBe('acknowledged');
  const ran = await server.reached(({ text }) => text.startsWith('1\n'));
  expect(ran.text).toContain('not recorded');
  expect(await mark()).toBe('acknowledged');

  lock[Symbol.dispose]();
  await gateway.log((line) => line.to === 'running.healthy' && line.from === 'running.degraded', 'the store');
  expect(await mark()).toBe('acknowledged');
  expect(await hello()).toBe('acknowledged');
  await server.reached(({ text }) => text === 'echo: hello\n');
  // Nobody was told to send again what was answered in the end.
  expect(textsIn(server, 'ann')).toEqual([ran.text, 'echo: hello\n']);
  expect(marks(gateway)).toBe(1);
  await gateway.stop();
});

test('a command that comes in while the gateway closes is answered before it leaves', async () => {
  const { gateway, server } = await start();
  server.hold('stop-receiving', 'send');
  await ask(gateway, 'stop');
  await gateway.entered('stopped.closing');
  expect(await server.deliver({ id: '1', from: 'ann', text: '/up' })).toBe('acknowledged');
  await server.until(() => server.asked.some(({ text }) => text === 'up'), 'the reply to be sent');
  server.release('stop-receiving');
  // The faces close right before the end, unless something keeps it.
  await refusesConnections(gateway);
  server.release('send');
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
  expect(textsIn(server, 'ann')).toEqual(['up']);
  expect(storeRows(gateway.folder.home, 'SELECT state FROM outbox')).toMatchObject([{ state: 'delivered' }]);
});

test('a message that the platform would not take is sent again, in order', async () => {
  const { gateway, server } = await start();
  server.failSends('too many requests');
  for (const text of ['first', 'second']) await server.deliver({ id: text, from: 'ann', text });
  await gateway.log((line) => line.msg === 'a message could not be sent', 'the first attempt to fail');
  server.failSends(undefined);
  await server.until(() => textsIn(server, 'ann').length === 2, 'both answers');
  expect(textsIn(server, 'ann')).toEqual(['echo: first\n', 'echo: second\n']);
  await gateway.stop();
});

test('a platform that turns the gateway away does not keep it from running', async () => {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.turnAway('the token is not valid');
  const gateway = await startWithStandIn(server, { config: CONFIG });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  expect((await gateway.status()).platforms).toMatchObject([
    { name: 'local', state: 'connected' },
    { name: 'standin', state: 'backing-off' },
  ]);
  expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered' });
  await gateway.stop();
});
