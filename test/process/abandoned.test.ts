/** What a gateway leaves behind that is killed without a word, found by its life alone: no store is asked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { abandonedWork, lifeMarker } from '../../src/process/abandoned.ts';
import { createProcesses } from '../../src/process/exec.ts';
import { processIdentity } from '../../src/process/identity.ts';
import type { ProcessTable, TableEntry } from '../../src/process/process-table.ts';
import { survivors } from './survivors.ts';

const GATEWAY = join(import.meta.dirname, '../support/programs/dying-gateway.ts');
const started: ChildProcess[] = [];
let works: string[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const pid of survivors(...works)) process.kill(pid, 'SIGKILL');
});

/** A process that has started these commands under a home, and stands. */
async function gatewayOf(home: string, commands: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const list = Object.entries(commands).map(([name, command]) => [workId(name), command]);
  works.push(...list.map(([id = '']) => id));
  const child = spawn(process.execPath, [GATEWAY, home, JSON.stringify(list)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

const workId = (name: string) => `abandoned-${process.pid}-${name}`;

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe.skipIf(process.platform !== 'linux')('after kill -9 of a gateway', () => {
  test('its running trees are ended by the next life of its home, and nothing else is', async () => {
    works = [];
    const home = `/tmp/home of ${process.pid}`;
    // None of these ends by itself when another of its tree is ended before it: which is met first, their numbers decide.
    const dead = await gatewayOf(home, {
      plain: 'echo ready; sleep 600; sleep 600',
      escaped: 'setsid sleep 600 & echo ready; wait; sleep 600',
      deaf: 'trap "" TERM; setsid sleep 600 >/dev/null 2>&1 & echo ready; sleep 600; sleep 600',
      // Settled long before, and meant to stay.
      service: 'setsid sleep 600 </dev/null >/dev/null 2>&1 & echo ready; exit',
    });
    const living = await gatewayOf(home, { other: 'echo ready; sleep 600; true' });
    const elsewhere = await gatewayOf(`${home}/elsewhere`, { foreign: 'echo ready; sleep 600; true' });
    const ours = createProcesses(systemClock, home);
    expect(await ours.sweep(new Set())).toBe(0);

    // A shell says that it is ready before it has started its last one.
    const ofDead = () => survivors(workId('plain'), workId('escaped'), workId('deaf'));
    await expect.poll(() => [ofDead().length, survivors(workId('foreign')).length]).toEqual([7, 2]);
    await killed(dead);
    await killed(elsewhere);
    expect(ofDead().length).toBeGreaterThanOrEqual(6);
    expect(await ours.sweep(new Set())).toBeGreaterThanOrEqual(6);
    expect(ofDead()).toEqual([]);
    for (const spared of ['service', 'other', 'foreign']) {
      expect(survivors(workId(spared)).length, spared).toBeGreaterThan(0);
    }
    await killed(living);
    expect(await ours.sweep(new Set())).toBeGreaterThan(0);
    expect(survivors(workId('other'))).toEqual([]);
    expect(survivors(workId('foreign')).length).toBe(2);
  });

  test('a home that was copied from one whose gateway lives ends nothing of it, though its store names that work', async () => {
    works = [];
    const home = `/tmp/copy of ${process.pid}`;
    const original = await gatewayOf(`${home}/original`, { shared: 'echo ready; sleep 600; true' });
    const copy = createProcesses(systemClock, home);
    const named = new Set([workId('shared')]);
    expect(await copy.sweep(named)).toBe(0);
    expect(survivors(workId('shared')).length).toBeGreaterThan(0);
    await killed(original);
    expect(await copy.sweep(named)).toBeGreaterThan(0);
    expect(survivors(workId('shared'))).toEqual([]);
  });
});

describe('the marker of a life', () => {
  const identity = processIdentity();
  /** A table of one process, whose outputs are ours. */
  const tableOf = (life: string | undefined): ProcessTable => ({
    nowMs: () => 0,
    visit: async (each) => {
      const entry: TableEntry = {
        pid: holder.pid ?? 0,
        groupId: 1,
        sessionId: 1,
        startedMs: 0,
        workId: 'w',
        life,
      };
      each(entry);
    },
    visitNow: () => {},
  });
  let holder: ChildProcess;

  test.skipIf(process.platform !== 'linux').each<[string, string | undefined, string[]]>([
    ['of a process that is over', lifeMarker('/h', { ...identity, startTime: '1' }), ['w']],
    ['of a process of an earlier boot', lifeMarker('/h', { ...identity, bootId: 'earlier' }), ['w']],
    ['of a living process', lifeMarker('/h', identity), []],
    ['of another home', lifeMarker('/other', { ...identity, startTime: '1' }), []],
    [
      'of another container on this machine',
      lifeMarker('/h', { ...identity, bootId: `${identity.bootId.split(' ')[0]} pid:[1]` }),
      [],
    ],
    ['that somebody made up', '%zz,1', []],
    ['that is empty', '', []],
    ['that is not there', undefined, []],
  ])('%s', async (_, life, found) => {
    holder = spawn('sleep', ['600'], { stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(holder);
    await once(holder, 'spawn');
    expect([...(await abandonedWork('/h', tableOf(life)))]).toEqual(found);
  });
});
