/**
 * A gateway that keeps dying: the conversation that was in flight each time rests alone, and a gateway that dies too often
 * starts without turns until nothing happened for a while, or an owner says so.
 */
import { expect, onTestFinished, test } from 'vitest';
import { standInAgent, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const AGENT = `agent: { type: command, command: ["${standInAgent}"], effects: none }`;
const UP = 'quick_commands: { up: { type: exec, command: "echo up" } }';

/** A folder in which a turn can wait for `one`, and lives in it, one after the other. */
function lives(config: string) {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.writeConfig(testConfig(`${AGENT}\n${UP}\n${config}`));
  folder.fifo('one');
  const live = async (): Promise<TestGateway> => {
    const gateway = await TestGateway.start({ folder });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  return { folder, live };
}

test('a conversation that was in flight in three deaths running rests alone, says so, and /resume lets it go on', async () => {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const config = `${AGENT}\naccess: { users: ["standin:ann", "standin:bob"] }\nsafe_mode: off`;
  const live = async () => {
    const gateway = await startWithStandIn(server, { folder, config });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const to = (name: string) =>
    server.sent.filter(({ conversation }) => conversation === `standin:${name}`).map(({ text }) => text);

  /** What is said of the first death has arrived, and is known to: a kill in between would have it said again. */
  const told = async () => {
    await server.reached(({ text }) => text.includes('went down while this was being answered'));
    const onTheirWay = () => storeRows(folder.home, "SELECT id FROM outbox WHERE state <> 'delivered'");
    await polled(() => onTheirWay().length === 0, 'what was sent to be marked');
  };

  const first = await live();
  await server.deliver({ id: 'bob', from: 'bob', text: 'hello' });
  await server.reached(({ text }) => text === 'echo: hello\n');
  await server.deliver({ id: 'ann', from: 'ann', text: 'wait one' });
  await first.inFlight('turns', 1);
  await first.kill9();
  for (const _ of ['second', 'third']) {
    const next = await live();
    await next.inFlight('turns', 1);
    await told();
    await next.kill9();
  }
  const fourth = await live();
  await server.reached(({ text }) => text.includes('nothing more is answered here by itself'));
  expect(await fourth.status()).toMatchObject({ degraded: [], awaitingResume: 1, inFlight: { turns: [] } });
  await server.deliver({ id: 'more', from: 'ann', text: 'hello?' });
  await server.reached(({ text }) => /^Not taken: .*it rests\. \/resume lets it go on/.test(text));
  await server.deliver({ id: 'bob 2', from: 'bob', text: 'still there?' });
  await server.reached(({ text }) => text === 'echo: still there?\n');

  await server.deliver({ id: 'resume', from: 'ann', text: '/resume' });
  await fourth.inFlight('turns', 1);
  await folder.release('one');
  await server.reached(({ text }) => text.includes('finished one'));
  await server.deliver({ id: 'well', from: 'ann', text: 'well again' });
  await server.reached(({ text }) => text === 'echo: well again\n');
  expect(to('ann')).toEqual([
    expect.stringMatching(/The gateway went down while this was being answered\. It is being answered again/),
    expect.stringMatching(
      /^The gateway is back\. It went down three times running .*\/resume tries once more\.$/,
    ),
    expect.stringMatching(/^Not taken: /),
    'Being answered now: 1 message of this conversation that waited for /resume.',
    'started one\nfinished one\n',
    'echo: well again\n',
  ]);
  expect(to('bob')).toEqual(['echo: hello\n', 'echo: still there?\n']);
  await fourth.stop();
});

test('a conversation that was in flight in three lives which ended by a defect rests as after three kills, and a stop between counts for nothing', async () => {
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const config = `${AGENT}\naccess: { users: ["standin:ann"] }\nsafe_mode: off`;
  const planted = ['--import', 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("planted")})'];
  const live = async () => {
    const gateway = await startWithStandIn(server, { folder, config, nodeArgs: planted });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const crashes = () => storeRows(folder.home, 'SELECT crashes, quarantined FROM sessions')[0];
  const first = await live();
  await server.deliver({ id: 'ann', from: 'ann', text: 'wait one' });
  await first.inFlight('turns', 1);
  first.signal('SIGUSR2');
  expect(await first.exited).toMatchObject({ code: 70 });
  for (const [end, code] of [
    [(gateway: TestGateway) => gateway.post('/stop now'), 0],
    [async (gateway: TestGateway) => gateway.signal('SIGUSR2'), 70],
  ] as const) {
    const next = await live();
    await next.turnsBegun(1);
    expect(crashes()).toEqual({ crashes: 1, quarantined: 0 });
    await end(next);
    expect(await next.exited).toMatchObject({ code });
  }
  const third = await live();
  await third.inFlight('turns', 1);
  expect(crashes()).toEqual({ crashes: 2, quarantined: 0 });
  third.signal('SIGUSR2');
  await third.exited;

  const fourth = await live();
  await server.reached(({ text }) => text.includes('nothing more is answered here by itself'));
  expect(await fourth.status()).toMatchObject({ awaitingResume: 1, inFlight: { turns: [] } });
  expect(crashes()).toEqual({ crashes: 3, quarantined: 1 });
  expect(server.sent.map(({ text }) => text)).toEqual([
    expect.stringMatching(/The gateway went down while this was being answered\. It is being answered again/),
    'started one\n',
    expect.stringMatching(/^Interrupted: the gateway is stopping, and was asked to go at once\./),
    // What its turn had said may be on disk by then.
    expect.stringMatching(/^(?:started one\n\n\n)?The gateway is back\. It went down three times running/),
  ]);
  await fourth.stop();
});

test('the fifth death within a minute begins safe mode, which is ready and runs commands, and takes no turn and resumes none', async () => {
  const { folder, live } = lives('');
  const first = await live();
  await first.post('wait one', { id: 'one' });
  await first.inFlight('turns', 1);
  await first.kill9();
  for (let deaths = 1; deaths < 4; deaths += 1) await (await live()).kill9();
  const fifth = await live();
  // Neither a restart nor a stop is a death.
  await fifth.request('POST', '/v1/lifecycle', { intent: 'restart', hurry: true });
  await fifth.ready(2);
  expect((await fifth.status()).degraded).toEqual([]);
  fifth.signal('SIGTERM');
  await fifth.exited;
  const stopped = await live();
  expect((await stopped.status()).degraded).toEqual([]);
  await stopped.kill9();

  const gateway = await live();
  expect(await gateway.status()).toMatchObject({
    ...{ state: 'running.degraded', degraded: ['safe-mode'], inFlight: { turns: [] } },
    accepts: { control: 'dispatch', exec: 'dispatch', turn: 'refuse' },
  });
  expect((await gateway.request('GET', '/readyz')).status).toBe(200);
  expect((await gateway.cli('status')).stdout).toContain('safe-mode');
  expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran', replies: ['up'] });
  expect(await gateway.cli('send', 'hello')).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(/^Not taken: the gateway is in safe mode .*\/resume-turns\.\n$/),
  });

  expect(await gateway.cli('send', '/resume-turns')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Turns are taken again\./),
  });
  expect((await gateway.send('hello', { conversation: 'other' })).json).toMatchObject({
    outcome: 'answered',
  });
  expect(await gateway.cli('send', '/resume-turns')).toMatchObject({ code: 3 });
  // By the deaths that it met it was in flight too often: it is asked about.
  await gateway.statusWhere(({ awaitingResume, inFlight }) => awaitingResume + inFlight.turns.length === 1);
  if ((await gateway.status()).awaitingResume === 1) await gateway.post('/resume');
  await folder.release('one');
  expect(await gateway.outcome('one')).toMatchObject({ outcome: 'answered' });

  // Those deaths count no more: one that comes after is the first.
  await gateway.kill9();
  const after = await live();
  expect(await after.status()).toMatchObject({ state: 'running.healthy', degraded: [] });
  await after.stop();
});

test('safe mode goes on over a planned restart until it is over, and begins again with new deaths alone', async () => {
  const { folder, live } = lives('safe_mode: { deaths: 2, within: 10m }');
  for (let deaths = 0; deaths < 2; deaths += 1) await (await live()).kill9();
  const gateway = await live();
  const degraded = async () => (await gateway.status()).degraded;
  const restart = async (lives: number) => {
    await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
    await gateway.ready(lives);
  };
  expect(await degraded()).toEqual(['safe-mode']);
  await restart(2);
  expect(await degraded()).toEqual(['safe-mode']);
  expect((await gateway.cli('send', '/resume-turns')).code).toBe(0);
  for (const lives of [3, 4]) {
    await restart(lives);
    expect(await degraded()).toEqual([]);
  }
  await gateway.kill9();
  const once = await live();
  expect((await once.status()).degraded).toEqual([]);
  await once.kill9();
  const twice = await live();
  expect((await twice.status()).degraded).toEqual(['safe-mode']);
  await twice.stop();

  // A quiet while ends it as well, and `off` ends it for good.
  folder.writeConfig(testConfig(`${AGENT}\nsafe_mode: { deaths: 2, within: 10m, quiet: 1s }`));
  const quiet = await live();
  await quiet.log(({ msg }) => msg === 'safe mode is over');
  await quiet.statusWhere(({ state }) => state === 'running.healthy');
  await quiet.stop();
  expect(storeRows(folder.home, 'SELECT safe_mode FROM lives ORDER BY id DESC LIMIT 1')).toEqual([
    { safe_mode: 'left' },
  ]);
  const healthy = await live();
  expect((await healthy.status()).degraded).toEqual([]);
  await healthy.kill9();
  folder.writeConfig(testConfig(`${AGENT}\nsafe_mode: off`));
  const ever = await live();
  expect(await ever.status()).toMatchObject({ state: 'running.healthy', degraded: [] });
  await ever.stop();
});
