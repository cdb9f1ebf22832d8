/**
 * A platform's link while a real gateway runs: one whose server is away, is cut, or refuses us is tried again or left
 * alone by itself, and keeps neither the gateway nor another platform.
 */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { type TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const CONFIG = `
quick_commands:
  up: { type: exec, command: "echo up" }
  late: { type: exec, command: "cat late; echo late" }
  later: { type: exec, command: "cat later; echo later" }
access: { owners: ["standin:ann"] }`;

async function serve(port?: number): Promise<StandInServer> {
  const server = await StandInServer.start(port);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function gatewayOf(server: StandInServer): Promise<TestGateway> {
  const gateway = await startWithStandIn(server, { config: CONFIG });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

const linkOf = ({ platforms }: Awaited<ReturnType<TestGateway['status']>>) =>
  platforms.find(({ name }: { name: string }) => name === 'standin');

const linked = (gateway: TestGateway, state: string) =>
  gateway.statusWhere((status) => linkOf(status)?.state === state);

test('a server that is away at the start delays nothing, and is there for its people once it has come', async () => {
  const gone = await serve(await freePort());
  await gone[Symbol.asyncDispose]();
  const gateway = await gatewayOf(gone);
  expect(await gateway.status()).toMatchObject({
    state: 'running.healthy',
    platforms: [
      { name: 'local', state: 'connected', reason: null },
      { name: 'standin', state: 'backing-off', reason: expect.stringContaining('ECONNREFUSED') },
    ],
  });
  expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran' });

  const server = await serve(gone.port);
  await linked(gateway, 'connected');
  expect(await server.deliver({ id: '1', from: 'ann', text: '/up' })).toBe('acknowledged');
  await server.reached(({ text }) => text === 'up');
  await gateway.stop();
});

test('a link that is cut comes back, and what waited meanwhile leaves in its order', async () => {
  const server = await serve();
  const gateway = await gatewayOf(server);
  for (const name of ['late', 'later']) {
    gateway.folder.fifo(name);
    expect(await server.deliver({ id: name, from: 'ann', text: `/${name}` })).toBe('acknowledged');
  }
  await gateway.inFlight('commands', 2);

  server.turnAway('no time for you');
  server.cut();
  await linked(gateway, 'backing-off');
  await gateway.folder.release('late');
  await gateway.inFlight('commands', 1);
  await gateway.folder.release('later');
  await gateway.inFlight('commands', 0);
  await gateway.statusWhere((status) => linkOf(status)?.reason === 'no time for you');
  expect(server.asked).toEqual([]);
  expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran' });

  server.turnAway(undefined);
  await server.until(() => server.sent.length === 2, 'both replies');
  expect(server.sent.map(({ text }) => text)).toEqual(['late', 'later']);
  await linked(gateway, 'connected');
  await gateway.stop();
  // To have had no link was no attempt.
  expect(
    storeRows(
      gateway.folder.home,
      "SELECT state, attempts, possible_duplicate FROM outbox WHERE platform = 'standin' ORDER BY created_at",
    ),
  ).toMatchObject([
    { state: 'delivered', attempts: 1, possible_duplicate: 0 },
    { state: 'delivered', attempts: 1, possible_duplicate: 0 },
  ]);
});

test('a platform that refuses us is left alone with its reason, and tried again once its keys have changed', async () => {
  const server = await serve();
  server.demand('the right one');
  const gateway = await gatewayOf(server);
  const parked = { name: 'standin', state: 'parked', reason: 'the token is not valid' };
  expect((await gateway.status()).platforms).toMatchObject([{ name: 'local', state: 'connected' }, parked]);
  expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran' });
  expect((await gateway.send('/status')).json.replies[0]).toContain(
    'standin: parked, the token is not valid',
  );
  expect((await gateway.cli('status')).stdout).toMatch(
    /^platform standin is parked, \d+ s: the token is not valid$/m,
  );

  // Other keys are nothing that it could hope for.
  const withToken = (more: string) =>
    testConfig(`platforms: { standin: { port: ${server.port}${more} } }\n${CONFIG}`);
  gateway.folder.writeConfig(withToken('').replace('echo up', 'echo up again'));
  expect((await gateway.request('POST', '/v1/reload')).json).toMatchObject({ needs: 'now' });
  expect((await gateway.send('/up')).json.replies).toEqual(['up again']);
  expect([server.links, linkOf(await gateway.status())]).toMatchObject([1, parked]);

  gateway.folder.writeConfig(withToken(', token: "the right one"'));
  const { json } = await gateway.request('POST', '/v1/reload');
  expect(json.changes).toContainEqual(
    expect.objectContaining({ key: 'platforms.standin', change: 'changed', applies: 'now' }),
  );
  await linked(gateway, 'connected');
  expect((await gateway.status()).warnings.filter((text: string) => /waiting/.test(text))).toEqual([]);
  expect(await server.deliver({ id: '1', from: 'ann', text: '/up' })).toBe('acknowledged');
  await server.reached(({ text }) => text === 'up');
  const said = gateway.lines.filter(({ platform, level }) => platform === 'standin' && level >= 40);
  expect(said.map(({ msg }) => msg)).toEqual([
    expect.stringMatching(/^standin is parked: the token is not valid; /),
  ]);
  await gateway.stop();
});
