/**
 * Work that the system itself keeps together: with a cgroup for each, nothing escapes, not even what left the session
 * and dropped its environment. Needs cgroups of version 2 that this user may write.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createProcesses, type Enclosures } from '../../src/process/exec.ts';
import { isAlive } from './survivors.ts';

const root = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
  existsSync(join(path, 'cgroup.procs')),
);

/** Why it cannot be tried here; undefined when it can. */
function obstacle(): string | undefined {
  if (root === undefined) return 'no cgroups of version 2';
  try {
    accessSync(join(root, 'cgroup.procs'), constants.W_OK);
    const probe = join(root, `sluice-probe-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
    return undefined;
  } catch {
    return 'cgroups may not be written';
  }
}

const missing = obstacle();

/** A cgroup for each piece of work, below the root. */
function cgroups(): Enclosures {
  const prefix = `sluice-test-${process.pid}-`;
  const pathOf = (workId: string) => join(root ?? '', prefix + workId);
  return {
    enter(workId, pid) {
      mkdirSync(pathOf(workId));
      writeFileSync(join(pathOf(workId), 'cgroup.procs'), String(pid));
    },
    workOf(pid) {
      try {
        return new RegExp(`^0::/${prefix}(.+)$`, 'm').exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
      } catch {
        return undefined;
      }
    },
    leave: (workId) => rmdirSync(pathOf(workId)),
  };
}

/** Its child leaves session and environment behind at once, and says its number once it is a process of its own. */
const ESCAPES =
  'sleep 0.5; env -i /usr/bin/setsid /bin/sh -c "echo \\$\\$ ready; exec /bin/sleep 600" & wait';

async function escaped(enclosures: Enclosures | undefined): Promise<number> {
  const printed = Promise.withResolvers<number>();
  const running = createProcesses(systemClock, undefined, enclosures).start({
    ...{ command: ESCAPES, cwd: '/', env: { PATH: process.env.PATH ?? '' }, workId: 'escapes' },
    ...{ graceMs: 200, outputBytesMax: 1_000 },
    onStdout: (text) => printed.resolve(Number.parseInt(text, 10)),
  });
  const pid = await printed.promise;
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  running.end('cancelled');
  expect((await running.result).ended).toBe('cancelled');
  return pid;
}

test.skipIf(missing !== undefined)(
  `a cgroup for each piece of work keeps what would escape otherwise${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    expect(isAlive(await escaped(undefined))).toBe(true);
    expect(isAlive(await escaped(cgroups()))).toBe(false);
    expect(readdirSync(root ?? '/').filter((name) => name.startsWith(`sluice-test-${process.pid}`))).toEqual(
      [],
    );
  },
);
