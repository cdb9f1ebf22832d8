/**
 * Exec quick commands in the last moments of a gateway: one that is admitted while it flushes or closes is answered,
 * or settled as interrupted with what it printed, and its reply leaves with the flush or with the next life.
 */
import { expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { TestFolder, type TestGateway } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const CONFIG = `
quick_commands:
  up: { type: exec, command: "echo up", concurrency: 8 }
  slow:
    type: exec
    command: 'trap "" TERM; echo begun; echo trouble >&2; setsid sleep 600 & sleep 600; sleep 600'
    timeout: 1h
    grace: 1h
    concurrency: 8
  single: { type: exec, command: "echo begun; echo trouble >&2; sleep 600; sleep 600", timeout: 1h, grace: 1h }
access: { owners: ["standin:ann"] }
shutdown: { kill_grace: 1s, exit_timeout: 3s }`;

const CUT_OFF = /^begun\ntrouble\n(Killed\n)?\/slow was ended after \d+(\.\d)? s: .+\.$/;

async function world() {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  return { server, folder, gateway: await begin(server, folder) };
}

async function begin(server: StandInServer, folder: TestFolder): Promise<TestGateway> {
  const gateway = await startWithStandIn(server, { config: CONFIG, folder });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  await server.linked(1);
  return gateway;
}

const stop = (gateway: TestGateway) => gateway.request('POST', '/v1/lifecycle', { intent: 'stop' });

const commandRows = (folder: TestFolder) =>
  storeRows(folder.home, 'SELECT name, outcome, signal, output FROM commands ORDER BY id');

/** Waits until so many commands have printed their first line: each has a shell and two that sleep. */
async function begun(gateway: TestGateway, count: number): Promise<string[]> {
  const { inFlight } = await gateway.statusWhere(
    ({ inFlight: { commands } }) =>
      commands.length === count && commands.every(({ id }: { id: string }) => survivors(id).length >= 3),
  );
  return inFlight.commands.map(({ id }: { id: string }) => id);
}

/** What is on disk of /up, and of /slow twice, once the life that ran them is over. */
const ONE_RAN_TWO_CUT_OFF = [
  { name: 'up', outcome: 'ran', signal: null, output: 'up' },
  ...Array(2).fill({
    name: 'slow',
    outcome: 'interrupted',
    signal: 'SIGKILL',
    output: expect.stringMatching(/^begun\ntrouble/),
  }),
];

/** What could not leave any more leaves with the next life, once. */
async function nextLifeSaysOnce(server: StandInServer, folder: TestFolder): Promise<void> {
  const next = await begin(server, folder);
  await server.reached(({ text }) => CUT_OFF.test(text));
  expect(server.sent.filter(({ text }) => CUT_OFF.test(text))).toHaveLength(1);
  await next.stop();
}

/** Commands of both faces are admitted as ever; those that last have begun. Gives the ids of these, and what becomes of one. */
async function admitsAll({ server, gateway }: Pick<Awaited<ReturnType<typeof world>>, 'server' | 'gateway'>) {
  expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran', replies: ['up'], recorded: true });
  const slow = gateway.send('/slow', { id: 'slow' });
  expect(await server.deliver({ id: 'from-ann', from: 'ann', text: '/slow' })).toBe('acknowledged');
  return { ids: await begun(gateway, 2), slow };
}

test('admitted while it flushes: answered, or settled as interrupted with what it printed', async () => {
  const { server, folder, gateway } = await world();
  server.hold('send');
  await server.deliver({ id: 'stalled', from: 'ann', text: '/status' });
  await server.until(() => server.asked.length === 1, 'the reply that stalls');
  await stop(gateway);
  await gateway.entered('stopped.flushing');

  const { ids, slow } = await admitsAll({ server, gateway });
  expect((await slow).json).toMatchObject({
    outcome: 'interrupted',
    outcomeReason: 'abandoned',
    recorded: true,
    replies: [expect.stringMatching(CUT_OFF)],
  });
  expect(survivors(...ids)).toEqual([]);
  await gateway.exited;
  expect(commandRows(folder)).toEqual(ONE_RAN_TWO_CUT_OFF);

  server.release('send');
  await nextLifeSaysOnce(server, folder);
});

test('admitted while it closes: answered, or settled as interrupted with what it printed', async () => {
  const { server, folder, gateway } = await world();
  server.hold('stop-receiving');
  await stop(gateway);
  await gateway.entered('stopped.closing');

  const { ids, slow } = await admitsAll({ server, gateway });
  expect((await slow).json).toMatchObject({
    outcome: 'interrupted',
    outcomeReason: 'abandoned',
    replies: [expect.stringMatching(CUT_OFF)],
  });
  await gateway.exited;
  expect(survivors(...ids)).toEqual([]);
  expect(commandRows(folder)).toEqual(ONE_RAN_TWO_CUT_OFF);
  server.release('stop-receiving');
  await nextLifeSaysOnce(server, folder);
});

test('one that waits for a free place when the time is over is not run, and says so', async () => {
  const { server, folder, gateway } = await world();
  server.hold('stop-receiving');
  const first = gateway.send('/single', { id: 'first' });
  await gateway.statusWhere(({ inFlight: { commands } }) =>
    commands.some(({ id }: { id: string }) => survivors(id).length >= 2),
  );
  const second = gateway.send('/single', { id: 'second' });
  await gateway.inFlight('commands', 2);
  await gateway.request('POST', '/v1/lifecycle', { intent: 'stop', hurry: true });
  expect((await first).json).toMatchObject({
    outcome: 'interrupted',
    replies: [expect.stringMatching(/^begun\n/)],
  });
  expect((await second).json).toMatchObject({
    outcome: 'interrupted',
    outcomeReason: 'not-run',
    replies: [expect.stringMatching(/^\/single was not run: /)],
  });
  server.release('stop-receiving');
  await gateway.exited;
  expect(commandRows(folder)).toMatchObject([
    { outcome: 'interrupted', output: expect.stringMatching(/^begun/) },
    { outcome: 'interrupted', output: '' },
  ]);
});
