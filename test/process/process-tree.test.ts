import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { ProcessTable, TableEntry } from '../../src/process/process-table.ts';
import { procTable } from '../../src/process/process-table.ts';
import { ProcessTree } from '../../src/process/process-tree.ts';
import { PS_COMMAND, psTable } from '../../src/process/ps-table.ts';
import { stateOf } from './survivors.ts';

const started: ChildProcess[] = [];

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** A process in a session of its own, as every process of the gateway is. */
async function sleeper(env: NodeJS.ProcessEnv = {}): Promise<ChildProcess & { pid: number }> {
  const child = spawn('sleep', ['100'], { detached: true, stdio: 'ignore', env: { ...process.env, ...env } });
  started.push(child);
  await once(child, 'spawn');
  return child as ChildProcess & { pid: number };
}

/** A table that shows these entries and whose time stands still. */
const tableOf = (nowMs: number, ...entries: TableEntry[]): ProcessTable => ({
  nowMs: () => nowMs,
  visit: async (each) => entries.forEach(each),
  visitNow: (each) => entries.forEach(each),
});

const inSessionOf = (pid: number, startedMs: number, workId?: string): TableEntry => ({
  ...{ pid, groupId: pid, sessionId: pid },
  ...{ startedMs, workId },
});

test('a group that got the number of a reaped leader is a stranger and is not signalled', async () => {
  const stranger = await sleeper();
  const tree = new ProcessTree(stranger.pid, 'w-1', tableOf(1000, inSessionOf(stranger.pid, 1010)));
  tree.leaderReaped();
  expect(await tree.signal('SIGKILL')).toEqual(new Set());
  // Had it been signalled, this signal would have come too late to be the one that ended it.
  stranger.kill('SIGTERM');
  expect(await once(stranger, 'exit')).toEqual([null, 'SIGTERM']);
});

test('a member of the session that is older than the exit of its leader proves that the group is ours', async () => {
  const member = await sleeper();
  const tree = new ProcessTree(member.pid, 'w-1', tableOf(1000, inSessionOf(member.pid, 990)));
  tree.leaderReaped();
  expect(await tree.signal('SIGKILL')).toEqual(new Set([member.pid]));
  expect(await once(member, 'exit')).toEqual([null, 'SIGKILL']);
});

test('while members of the session are seen, younger ones stay ours', async () => {
  const [older, younger] = [await sleeper(), await sleeper()];
  const leader = older.pid;
  const ofLeader = (pid: number, startedMs: number): TableEntry => ({
    ...{ pid, groupId: pid, sessionId: leader },
    ...{ startedMs, workId: undefined },
  });
  const shown = [ofLeader(older.pid, 900)];
  let nowMs = 1000;
  const table: ProcessTable = {
    nowMs: () => nowMs,
    visit: async (each) => shown.forEach(each),
    visitNow: () => {},
  };
  const tree = new ProcessTree(leader, 'w-1', table);
  tree.leaderReaped();
  nowMs = 2000;
  expect(await tree.signal(0)).toEqual(new Set([older.pid]));
  shown.splice(0, 1, ofLeader(younger.pid, 1500));
  expect(await tree.signal('SIGKILL')).toEqual(new Set([younger.pid]));
  expect(await once(younger, 'exit')).toEqual([null, 'SIGKILL']);
});

test('the marker alone is enough, wherever the process has gone', async () => {
  const daemon = await sleeper();
  const leader = await sleeper();
  const tree = new ProcessTree(leader.pid, 'w-1', tableOf(1000, inSessionOf(daemon.pid, 5000, 'w-1')));
  tree.leaderReaped();
  expect(await tree.signal('SIGTERM')).toEqual(new Set([daemon.pid]));
  expect(await once(daemon, 'exit')).toEqual([null, 'SIGTERM']);
});

test.skipIf(process.platform !== 'linux')(
  'the table of /proc shows a process as it was started',
  async () => {
    const beforeMs = procTable().nowMs();
    const child = await sleeper({ NOT_SLUICE_WORK_ID: 'other', SLUICE_WORK_ID: 'w 1=ü' });
    const entries = new Map<number, TableEntry>();
    await procTable().visit((entry) => entries.set(entry.pid, entry), 'all');
    const { pid } = child;
    expect(entries.get(pid)).toMatchObject({ pid, groupId: pid, sessionId: pid, workId: 'w 1=ü' });
    // The kernel counts in hundredths of a second and rounds down.
    expect(entries.get(pid)?.startedMs).toBeGreaterThanOrEqual(beforeMs - 20);
    expect(entries.get(pid)?.startedMs).toBeLessThanOrEqual(procTable().nowMs());
    expect(entries.has(process.pid)).toBe(false);
    expect(entries.has(1)).toBe(false);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a zombie is not shown, and a marker in an argument is none',
  async () => {
    const parent = spawn(
      'sh',
      ['-c', 'exec 3<&0; sh -c "read line <&3" & echo $!; exec sleep 100', 'SLUICE_WORK_ID=in-an-argument'],
      { stdio: ['pipe', 'pipe', 'ignore'] },
    );
    started.push(parent);
    const [line] = await once(parent.stdout!, 'data');
    // The child ends only once its parent is `sleep`, which reaps nobody; the shell would have.
    await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
    parent.stdin!.end();
    await expect.poll(() => stateOf(Number(line))).toBe('Z');
    const entries = new Map<number, TableEntry>();
    procTable().visitNow((entry) => entries.set(entry.pid, entry));
    expect(entries.has(Number(line))).toBe(false);
    expect(entries.get(parent.pid!)).toMatchObject({ workId: process.env.SLUICE_WORK_ID });
  },
);

test('ps is asked for every process with its environment, and its lines are understood', async () => {
  expect(PS_COMMAND.join(' ')).toBe('/bin/ps -A -E -ww -o pid= -o pgid= -o state= -o lstart= -o command=');
  const lines = [
    '    1     1 Ss   Mon Nov 16 03:12:00 2026     /sbin/launchd SLUICE_WORK_ID=w-1',
    '  812   810 S+   Mon Nov 16 03:34:10 2026     /opt/bin/tool --for SLUICE_WORK_ID=w-0 HOME=/root SLUICE_WORK_ID=w-1 A=b',
    '  813   810 Z    Mon Nov 16 03:34:11 2026     (tool)',
    '  814   814 R    Wed Nov  4 03:34:11 2026     /usr/bin/other XSLUICE_WORK_ID=w-1',
    '',
  ];
  const entries: TableEntry[] = [];
  await psTable(async () => lines.join('\n')).visit((entry) => entries.push(entry), 'all');
  expect(entries).toEqual([
    {
      ...{ pid: 812, groupId: 810, sessionId: 810, workId: 'w-1' },
      startedMs: new Date(2026, 10, 16, 3, 34, 10).getTime(),
    },
    {
      ...{ pid: 814, groupId: 814, sessionId: 814, workId: undefined },
      startedMs: new Date(2026, 10, 4, 3, 34, 11).getTime(),
    },
  ]);
});

test('what a real ps prints is understood', async () => {
  const child = await sleeper({ SLUICE_WORK_ID: 'w-ps' });
  // procps spells the option that shows the environment in the old way.
  const args = process.platform === 'darwin' ? PS_COMMAND.slice(1) : ['axeww', ...PS_COMMAND.slice(4)];
  const ps = spawn('/bin/ps', args, { env: { LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  ps.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  await once(ps, 'close');
  const entries = new Map<number, TableEntry>();
  const table = psTable(async () => printed);
  await table.visit((entry) => entries.set(entry.pid, entry), 'all');
  expect(entries.get(child.pid)).toMatchObject({ groupId: child.pid, workId: 'w-ps' });
  expect(Math.abs(table.nowMs() - (entries.get(child.pid)?.startedMs ?? 0))).toBeLessThan(60_000);
  expect(entries.size).toBeGreaterThan(1);
  expect(entries.has(process.pid)).toBe(false);
});
