/** The gateway as process 1 of a pid namespace, as it is in a container without an init. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { pidFile } from '../support/home-files.ts';

const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=KILL'];
const CAN_UNSHARE =
  process.platform === 'linux' && spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), 'true']).status === 0;
const MAIN = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The pid outside of the process that is 1 inside; `unshare` itself waits for it and takes no signals. */
function outerPid({ pid }: TestGateway): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return Number(child);
}

/** Runs the CLI inside, as `docker exec` does. */
function cliInside(gateway: TestGateway, ...args: string[]) {
  const inside = ['-t', String(outerPid(gateway)), '-m', '-p', process.execPath, MAIN];
  return spawnSync('nsenter', [...inside, ...args, '--home', gateway.folder.home], { encoding: 'utf8' });
}

describe.skipIf(!CAN_UNSHARE)('as process 1 of a container (needs root on Linux)', () => {
  test('a gateway knows it, and leaves with 0 at a SIGTERM', async () => {
    await using gateway = await TestGateway.start({ under: UNSHARE });
    expect(gateway.lines[0]).toMatchObject({ supervisor: 'container', because: 'we are process 1' });
    expect(await gateway.status()).toMatchObject({ supervisor: 'container', pid: 1 });
    process.kill(outerPid(gateway), 'SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  test('a restart by SIGUSR1 or by `sluice restart` inside is a new life of process 1', async () => {
    await using gateway = await TestGateway.start({ under: UNSHARE });
    const before = outerPid(gateway);
    process.kill(before, 'SIGUSR1');
    await gateway.ready(2);
    expect(cliInside(gateway, 'restart')).toMatchObject({ status: 0 });
    expect(await gateway.status()).toMatchObject({ epoch: 3, pid: 1, supervisor: 'container' });
    expect(outerPid(gateway)).toBe(before);
    // It ends with the container, as a process of `docker exec` does, and cannot tell any more.
    cliInside(gateway, 'stop');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  test('`sluice restart` and `sluice stop` outside, on the same home, return when it is so', async () => {
    await using gateway = await TestGateway.start({ under: UNSHARE });
    expect(await gateway.cli('restart')).toMatchObject({ code: 0 });
    expect(await gateway.status()).toMatchObject({ epoch: 2 });
    expect(await gateway.cli('stop')).toMatchObject({ code: 0 });
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  test('the next container on a home whose gateway was killed works at once', async () => {
    await using first = await TestGateway.start({ under: UNSHARE });
    process.kill(outerPid(first), 'SIGKILL');
    await first.exited;
    expect(pidFile(first.folder.home)).toMatchObject({ pid: 1, epoch: 1 });
    await using second = await TestGateway.start({ under: UNSHARE, folder: first.folder });
    expect(await second.status()).toMatchObject({ epoch: 2, pid: 1, lastExit: { cause: 'died' } });
  });

  test('a command that leaves a process behind does not hold up process 1, nor its stop', async () => {
    await using gateway = await TestGateway.start({
      under: UNSHARE,
      config:
        'quick_commands: { leave: { type: exec, command: "setsid sleep 600 >/dev/null 2>&1 & echo gone" } }',
    });
    for (let round = 0; round < 3; round += 1) {
      expect((await gateway.send('/leave')).json).toMatchObject({ outcome: 'ran', replies: ['gone'] });
    }
    process.kill(outerPid(gateway), 'SIGTERM');
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });
});
