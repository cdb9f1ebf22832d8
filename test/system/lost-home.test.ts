/**
 * A home that changes under a running gateway: lost altogether, when it leaves without touching whoever is there now,
 * or in single files, which it puts back.
 */
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { debrisIn, pidFile, statusFile, when } from '../support/home-files.ts';

/** How often a look is taken where no file tells. */
const LOOK_MS = 50;

describe('a gateway whose home is gone', () => {
  test('leaves by itself, with a code that has a supervisor start the next one, and makes no file there', async () => {
    await using gateway = await TestGateway.start();
    rmSync(gateway.folder.home, { recursive: true });
    expect(await gateway.exited).toEqual({ code: 72, signal: null });
    expect(gateway.stderr).toContain(
      `the home ${gateway.folder.home} was deleted or replaced while the gateway ran in it`,
    );
    expect(existsSync(gateway.folder.home)).toBe(false);
  });

  test('or moved away leaves too, and its turn is told', async () => {
    await using gateway = await TestGateway.start();
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one');
    await gateway.inFlight('turns', 1);
    renameSync(gateway.folder.home, `${gateway.folder.home}.away`);
    expect((await turn).json).toMatchObject({ outcome: 'interrupted' });
    expect(await gateway.exited).toEqual({ code: 72, signal: null });
  });

  test.each(['lock', '.'])('(%s) leaves the one alone that runs in its place', async (what) => {
    using folder = new TestFolder();
    folder.writeConfig(testConfig());
    await using old = await TestGateway.start({ folder });
    rmSync(join(folder.home, what), { recursive: true });
    await using young = await TestGateway.start({ folder });
    const epoch = what === 'lock' ? 2 : 1;
    expect(await old.exited).toEqual({ code: 72, signal: null });
    expect(pidFile(folder.home)).toMatchObject({ pid: young.pid, epoch });
    expect(statusFile(folder.home)).toMatchObject({ pid: young.pid, epoch, state: 'running.healthy' });
    expect((await young.cli('status', '--json')).json).toMatchObject({ pid: young.pid });
    expect(await young.stop()).toEqual({ code: 0, signal: null });
    expect(debrisIn(folder.home)).toEqual([]);
  });
});

describe('files that somebody deletes or replaces', () => {
  test('are put back by the gateway that runs, and taken away at its end', async () => {
    await using gateway = await TestGateway.start();
    const { home } = gateway.folder;
    const file = (name: string) => join(home, name);
    const { token } = await gateway.http();
    for (const name of ['sluice.pid', 'token', 'control.sock']) rmSync(file(name));
    await when(home, () => ['sluice.pid', 'token', 'control.sock'].every((name) => existsSync(file(name))));
    expect(pidFile(home)).toMatchObject({ pid: gateway.pid, epoch: 1 });
    expect(readFileSync(file('token'), 'utf8').trim()).toBe(token);
    expect(lstatSync(file('token')).mode & 0o777).toBe(0o600);
    expect(lstatSync(file('control.sock')).mode & 0o777).toBe(0o600);
    expect((await gateway.cli('status')).code).toBe(0);

    rmSync(file('control.sock'));
    writeFileSync(file('control.sock'), 'no socket');
    await when(home, () => lstatSync(file('control.sock')).isSocket(), LOOK_MS);
    expect((await gateway.cli('status')).code).toBe(0);
    // A place that cannot even be looked at is put right as well; it informs, and ends nothing.
    rmSync(file('sluice.pid'));
    symlinkSync('sluice.pid', file('sluice.pid'));
    await when(home, () => lstatSync(file('sluice.pid')).isFile(), LOOK_MS);
    expect((await gateway.cli('status')).code).toBe(0);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(debrisIn(home)).toEqual([]);
  });

  test('of a wedged gateway do not make it look gone', async () => {
    await using gateway = await TestGateway.start({
      config: 'quick_commands: { up: { type: exec, command: "echo up" } }',
    });
    gateway.signal('SIGSTOP');
    for (const name of ['sluice.pid', 'control.sock']) rmSync(join(gateway.folder.home, name));
    expect(await gateway.cli('status')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(new RegExp(`^not answering for \\d+ s: pid ${gateway.pid}, epoch 1, `)),
    });
    expect(await gateway.cli('stop')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(`the gateway \\(pid ${gateway.pid}\\) is not answering for \\d+ s`),
      ),
    });
    expect((await gateway.cli('exec', 'up')).stderr).toContain(
      'the gateway does not answer: run by this process',
    );
    gateway.signal('SIGCONT');
    await when(gateway.folder.home, () => existsSync(join(gateway.folder.home, 'control.sock')), LOOK_MS);
    expect((await gateway.cli('status')).code).toBe(0);
  });
});
