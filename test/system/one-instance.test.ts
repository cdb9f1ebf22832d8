/** One gateway a home: the lock alone decides, and the files that tell of its owner never stand in the way. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processIdentity } from '../../src/process/identity.ts';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { debrisIn, pidFile } from '../support/home-files.ts';

const STARTS = 12;

test('of twelve starts at once one runs, and eleven leave with 73 and one line that names it or the home', async () => {
  using folder = new TestFolder();
  folder.writeConfig(testConfig());
  await using stack = new AsyncDisposableStack();
  const gateways = [];
  for (let n = 0; n < STARTS; n += 1) {
    gateways.push(stack.use(await TestGateway.start({ folder, early: true })));
  }
  const ends = gateways.map((gateway) =>
    Promise.race([
      gateway.exited.then(({ code }) => code),
      gateway
        .ready()
        .then(() => 'runs')
        .catch(() => gateway.exited.then(({ code }) => code)),
    ]),
  );
  const came = await Promise.all(ends);
  expect(came.filter((end) => end === 'runs')).toHaveLength(1);
  expect(came.filter((end) => end === 73)).toHaveLength(STARTS - 1);
  const winner = gateways[came.indexOf('runs')];
  for (const loser of gateways.filter((gateway) => gateway !== winner)) {
    const lines = loser.lines.filter((line) => line.msg.startsWith('not started'));
    expect(lines.map((line) => line.msg)).toEqual([
      expect.stringContaining(`the home ${folder.home} is owned by`),
    ]);
    const named = /pid (\d+)/.exec(lines[0]?.msg ?? '')?.[1];
    expect([undefined, String(winner?.pid)]).toContain(named);
  }
  expect(pidFile(folder.home)).toMatchObject({ pid: winner?.pid, epoch: 1 });
});

test('a gateway that is stopped, and whose pid file is gone, is still named as the owner', async () => {
  await using gateway = await TestGateway.start();
  const { folder } = gateway;
  // Its heartbeat would put the file back.
  gateway.signal('SIGSTOP');
  try {
    rmSync(join(folder.home, 'sluice.pid'));
    await using second = await TestGateway.start({ folder, early: true });
    expect(await second.exited).toEqual({ code: 73, signal: null });
    const { msg } = await second.log(({ msg }) => msg.startsWith('not started'));
    expect(msg).toContain(`the home ${folder.home} is owned by the gateway with pid ${gateway.pid}, epoch 1`);
  } finally {
    gateway.signal('SIGCONT');
  }
});

test('a pid file of a dead gateway leads to no other gateway, as the one in the copy of a home would', async () => {
  await using gateway = await TestGateway.start();
  using copy = new TestFolder();
  mkdirSync(copy.home);
  const record = { ...pidFile(gateway.folder.home), startTime: '1' };
  writeFileSync(join(copy.home, 'sluice.pid'), JSON.stringify(record));
  const stop = await runCli(['stop', '--home', copy.home], copy.path);
  expect(stop).toMatchObject({ code: 4, stderr: expect.stringContaining('no gateway is running here') });
  expect(gateway.alive).toBe(true);
  expect((await gateway.status()).state).toBe('running.healthy');
});

test('a pid file of whatever kind, and a socket file of a dead gateway, never keep the next one from starting', async () => {
  using folder = new TestFolder();
  folder.writeConfig(testConfig());
  const path = join(folder.home, 'sluice.pid');
  const ours = {
    ...processIdentity(),
    epoch: 7,
    argv: ['run'],
    config: null,
    socket: '/nowhere/control.sock',
  };
  const found = [
    'of a dead process',
    JSON.stringify({ ...ours, startTime: '1' }),
    JSON.stringify(ours),
    JSON.stringify({ ...ours, bootId: 'of another machine' }),
    JSON.stringify(ours).slice(0, 40),
  ];
  for (const [index, text] of found.entries()) {
    if (index > 0) writeFileSync(path, text);
    await using gateway = await TestGateway.start({ folder });
    expect(pidFile(folder.home)).toMatchObject({ pid: gateway.pid, epoch: index + 1 });
    expect(await gateway.status()).toMatchObject({ state: 'running.healthy' });
    expect((await gateway.cli('status', '--json')).json).toMatchObject({ pid: gateway.pid });
    await gateway.kill9();
    expect(debrisIn(folder.home).sort()).toEqual(['control.sock', 'sluice.pid']);
  }
});

test('a home whose path is too long for a socket is reached all the same', async () => {
  using runtime = new TestFolder();
  using folder = new TestFolder('h'.repeat(150));
  folder.writeConfig(testConfig());
  const env = { XDG_RUNTIME_DIR: runtime.path };
  await using gateway = await TestGateway.start({ folder, env });
  const { socket } = pidFile(folder.home);
  expect(socket.startsWith(join(runtime.path, 'sluice'))).toBe(true);
  // The CLI is told by the pid file, so it needs no XDG_RUNTIME_DIR of its own.
  expect((await gateway.cli('status', '--json')).json).toMatchObject({ pid: gateway.pid, epoch: 1 });
  expect((await gateway.cli('stop')).code).toBe(0);
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
});
