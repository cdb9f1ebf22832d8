/** The exit table of a gateway, each row with a real process. */
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { standInAgent, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { debrisIn, statusFile } from '../support/home-files.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';

const under = (supervisor: string) => ({ SLUICE_SUPERVISOR: supervisor });

test('a bad SLUICE_SUPERVISOR is a warning that names it, and the gateway runs as without it', async () => {
  await using gateway = await TestGateway.start({ env: under('bogus') });
  expect(await gateway.status()).toMatchObject({ supervisor: 'none' });
  const known = 'use one of systemd, launchd, supervise, container, none';
  await gateway.log(
    ({ level, msg }) =>
      level === 40 &&
      msg === `SLUICE_SUPERVISOR=bogus is not known and counts as not set (recognised: none); ${known}`,
    'the warning',
  );
});

/** Ways to ask, by the names people know them by. */
const ASK = {
  'sluice stop': (gateway: TestGateway) => gateway.cli('stop'),
  'POST stop': (gateway: TestGateway) => gateway.request('POST', '/v1/lifecycle', { intent: 'stop' }),
  '/stop': (gateway: TestGateway) => gateway.send('/stop'),
  'sluice restart': (gateway: TestGateway) => gateway.cli('restart', '--no-wait'),
  'POST restart': (gateway: TestGateway) => gateway.request('POST', '/v1/lifecycle', { intent: 'restart' }),
  '/restart': (gateway: TestGateway) => gateway.send('/restart'),
  SIGINT: async (gateway: TestGateway) => gateway.signal('SIGINT'),
  SIGTERM: async (gateway: TestGateway) => gateway.signal('SIGTERM'),
  SIGUSR1: async (gateway: TestGateway) => gateway.signal('SIGUSR1'),
} as const;

describe('a gateway that is asked to leave', () => {
  test.each([
    ['none', 'sluice stop', 0, 'stop'],
    ['none', 'SIGINT', 0, 'SIGINT'],
    ['none', 'SIGTERM', 0, 'SIGTERM'],
    ['systemd', '/stop', 0, 'stop'],
    ['systemd', 'SIGINT', 0, 'SIGINT'],
    ['systemd', 'SIGTERM', 1, 'SIGTERM'],
    ['systemd', 'SIGUSR1', 75, 'SIGUSR1'],
    ['launchd', '/restart', 75, 'restart'],
    ['launchd', 'SIGTERM', 1, 'SIGTERM'],
    ['supervise', 'POST stop', 0, 'stop'],
    ['supervise', 'sluice restart', 75, 'restart'],
    ['supervise', 'SIGTERM', 1, 'SIGTERM'],
    ['container', 'SIGTERM', 0, 'SIGTERM'],
  ] as const)('under the supervisor %s, by %s, exits with %i', async (supervisor, how, code, cause) => {
    await using gateway = await TestGateway.start({ env: under(supervisor) });
    await ASK[how](gateway);
    expect(await gateway.exited).toEqual({ code, signal: null });
    expect(statusFile(gateway.folder.home)).toMatchObject({ state: 'exited', exit: { code, cause } });
    expect(debrisIn(gateway.folder.home)).toEqual([]);
  });

  test('re-executes itself in place where nobody would revive it, however it was asked', async () => {
    await using gateway = await TestGateway.start();
    const restart = await gateway.cli('restart');
    expect(restart.code).toBe(0);
    expect(await gateway.status()).toMatchObject({ pid: gateway.pid, epoch: 2, state: 'running.healthy' });
    let lives = 2;
    for (const how of ['POST restart', '/restart', 'SIGUSR1'] as const) {
      await ASK[how](gateway);
      lives += 1;
      await gateway.ready(lives);
      expect(await gateway.status()).toMatchObject({
        pid: gateway.pid,
        epoch: lives,
        lastExit: { code: null, cause: how === 'SIGUSR1' ? how : 'restart' },
      });
    }
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });

  test('re-executes itself in a container, too', async () => {
    await using gateway = await TestGateway.start({ env: under('container') });
    gateway.signal('SIGUSR1');
    await gateway.ready(2);
    expect(await gateway.status()).toMatchObject({ pid: gateway.pid, epoch: 2 });
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('a gateway that cannot start', () => {
  test('exits with 73 and names the owner when its home is owned', async () => {
    await using owner = await TestGateway.start();
    await using second = await TestGateway.start({ folder: owner.folder, early: true });
    expect((await second.exited).code).toBe(73);
    expect(second.stderr).toContain(`is owned by the gateway with pid ${owner.pid}, epoch 1`);
    expect(await owner.status()).toMatchObject({ pid: owner.pid, state: 'running.healthy' });
  });

  test.skipIf(process.getuid?.() !== 0)(
    'exits with 77 when the home is another user’s (needs root)',
    async () => {
      using folder = new TestFolder();
      mkdirSync(folder.home, { mode: 0o700 });
      chmodSync(folder.path, 0o755);
      folder.writeConfig(testConfig());
      const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
      await using gateway = await TestGateway.start({ folder, under: drop, early: true });
      expect((await gateway.exited).code).toBe(77);
      expect(gateway.stderr).toContain(`the home ${folder.home} cannot be used`);
      chownSync(folder.home, 65534, 65534);
      writeFileSync(join(folder.home, 'lock'), '', { mode: 0o400 });
      await using locked = await TestGateway.start({ folder, under: drop, early: true });
      expect((await locked.exited).code).toBe(77);
    },
  );

  test.skipIf(SMALL_DISK_MISSING)(
    `exits with 77 on a read-only disk${SMALL_DISK_MISSING ? ` (${SMALL_DISK_MISSING})` : ''}`,
    async () => {
      using disk = mountSmallDisk();
      using folder = new TestFolder(disk.path);
      disk.makeReadOnly();
      folder.writeConfig(testConfig());
      await using gateway = await TestGateway.start({ folder, early: true });
      expect((await gateway.exited).code).toBe(77);
      expect(gateway.stderr).toMatch(/cannot be used: EROFS/);
    },
  );

  test('exits with 77 when its home is a file', async () => {
    using folder = new TestFolder();
    folder.writeConfig(testConfig());
    writeFileSync(folder.home, 'a file');
    await using gateway = await TestGateway.start({ folder, early: true });
    expect((await gateway.exited).code).toBe(77);
    expect(gateway.stderr).toContain(`the home ${folder.home} cannot be used`);
  });

  test('exits with 69 when its port is taken, and says which', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const { port } = server.address() as { port: number };
      const configText = `listen: { http: "127.0.0.1:${port}" }\nagent: { type: command, command: ["${standInAgent}"] }`;
      await using gateway = await TestGateway.start({ configText, early: true });
      expect((await gateway.exited).code).toBe(69);
      expect(gateway.stderr).toContain(`cannot listen on 127.0.0.1:${port}`);
      expect(statusFile(gateway.folder.home)).toMatchObject({ exit: { code: 69, cause: 'unavailable' } });
      expect(debrisIn(gateway.folder.home)).toEqual([]);
    } finally {
      server.close();
    }
  });

  test('exits with 78 when the store has a newer schema, and changes nothing in it', async () => {
    using folder = new TestFolder();
    folder.writeConfig(testConfig());
    await using first = await TestGateway.start({ folder });
    await first.stop();
    const db = new DatabaseSync(join(folder.home, 'sluice.db'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    await using gateway = await TestGateway.start({ folder, early: true });
    expect((await gateway.exited).code).toBe(78);
    const again = new DatabaseSync(join(folder.home, 'sluice.db'));
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 });
    again.close();
  });
});

describe('an internal fault', () => {
  const planted = ['--import', 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("planted")})'];

  test('ends a running gateway with 70, and its turn with it', async () => {
    await using gateway = await TestGateway.start({ nodeArgs: planted });
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one');
    await gateway.inFlight('turns', 1);
    gateway.signal('SIGUSR2');
    expect(await turn).toMatchObject({
      status: 202,
      json: {
        admission: 'hold',
        text: expect.stringMatching(
          /^Interrupted: the gateway itself has failed; its log says why\. Send \/resume/,
        ),
      },
    });
    expect(await gateway.exited).toEqual({ code: 70, signal: null });
    const { code, stderr } = await gateway.cli('status');
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /^sluice: no gateway is running here; the last one ended with exit 70 \(fault\) at \d{4}-\S+Z.* \(home .*\)\nIts crash report: \S+\/logs\/crash-\S+\.json\n/,
    );
    expect(existsSync(/Its crash report: (\S+)/.exec(stderr)?.[1] ?? '')).toBe(true);
    expect(statusFile(gateway.folder.home)).toMatchObject({ exit: { code: 70, cause: 'fault' } });
    expect(gateway.stderr).toContain('planted');
  });

  test('during a wanted restart still ends with 70', async () => {
    await using gateway = await TestGateway.start({ nodeArgs: planted });
    gateway.folder.fifo('one');
    void gateway.post('wait one');
    await gateway.inFlight('turns', 1);
    gateway.signal('SIGUSR1');
    await gateway.entered('draining.waiting');
    gateway.signal('SIGUSR2');
    expect(await gateway.exited).toEqual({ code: 70, signal: null });
  });
});
