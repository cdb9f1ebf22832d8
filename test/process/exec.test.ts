import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { createProcesses, type ProcessSpec, type RunningProcess } from '../../src/process/exec.ts';
import { belonging, inSession, isAlive, survivors, zombieChildren } from './survivors.ts';
import { TREES } from './trees.ts';

const processes = createProcesses(systemClock);
/** How much later than its bound a result may come on a busy machine: little beside what would hold it up. */
const SLACK_MS = 10_000;
/** A grace that a process which heeds TERM never needs, however busy the machine is. */
const HEEDED_MS = 10_000;

let folder = '';
let workId = '';
let workNumber = 0;
/** The markers of this test. */
const workIds: string[] = [];
/** Processes that a test leaves running on purpose. */
const leftRunning: number[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-exec-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

afterEach(() => {
  const onPurpose = leftRunning.splice(0);
  const found = survivors(...workIds.splice(0));
  for (const pid of new Set([...onPurpose, ...found])) process.kill(pid, 'SIGKILL');
  expect(found.filter((pid) => !onPurpose.includes(pid))).toEqual([]);
  expect(processes.runningCount).toBe(0);
  expect(zombieChildren()).toEqual([]);
});

/** Starts a command under a marker of its own, which `workId` holds from then on. */
function start(
  command: ProcessSpec['command'],
  more: Partial<ProcessSpec> = {},
  by = processes,
): RunningProcess {
  workNumber += 1;
  workId = `exec-test-${process.pid}-${workNumber}`;
  workIds.push(workId);
  const env = { PATH: process.env.PATH ?? '/bin:/usr/bin' };
  return by.start({
    ...{ command, cwd: folder, env, workId, graceMs: 200, outputBytesMax: 100_000 },
    ...more,
  });
}

const run = (command: ProcessSpec['command'], more: Partial<ProcessSpec> = {}) => start(command, more).result;

/** Starts a command and resolves when it has printed "ready", with what it printed until then. */
async function startReady(command: ProcessSpec['command'], more: Partial<ProcessSpec> = {}, by = processes) {
  const ready = Promise.withResolvers<void>();
  let printed = '';
  const onStdout = (text: string) => {
    printed += text;
    if (printed.includes('ready')) ready.resolve();
  };
  const running = start(command, { ...more, onStdout }, by);
  await Promise.race([
    ready.promise,
    running.result.then((result) => {
      if (!printed.includes('ready')) throw new Error(`never ready: ${JSON.stringify(result)}`);
    }),
  ]);
  return { ...{ running, printed, workId }, pid: running.pid ?? 0 };
}

/** The system's clock, but timers of this length fire when the test says so. */
function clockThatWaitsFor(heldMs: number) {
  const timers: { fire: () => void }[] = [];
  const clock: Clock = {
    ...systemClock,
    timer(delayMs, fire) {
      if (delayMs !== heldMs) return systemClock.timer(delayMs, fire);
      timers.push({ fire });
      return { [Symbol.dispose]: () => timers.pop() };
    },
  };
  return { clock, timers };
}

const openDescriptors = () => readdirSync('/proc/self/fd').length;

function fifo(name: string): string {
  return join(folder, name);
}

describe('a command that ends by itself', () => {
  test('its exit code and both outputs are the result', async () => {
    const result = await run('echo out; echo err >&2; exit 7');
    expect(result).toMatchObject({ started: true, exitCode: 7, signal: null, ended: null });
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', cutBytes: 0, leftovers: 0 });
    expect(result.durationMs).toBeGreaterThan(0);
  });

  test('the signal that ended it is reported', async () => {
    expect(await run('kill -USR1 $$')).toMatchObject({ exitCode: null, signal: 'SIGUSR1', ended: null });
  });

  test('a list is run without a shell, and node is this Node', async () => {
    expect(await run(['printf', '%s|', '$HOME', 'a b'])).toMatchObject({ stdout: '$HOME|a b|' });
    const version = await run(['node', '-p', 'process.execPath']);
    expect(version.stdout).toBe(`${process.execPath}\n`);
  });

  test('its environment is what was given and the marker, nothing else', async () => {
    const result = await run(['/usr/bin/env'], { env: { A: '1', SLUICE_WORK_ID: 'of an outer gateway' } });
    expect(result.stdout.trim().split('\n').sort()).toEqual(['A=1', `SLUICE_WORK_ID=${workId}`]);
  });

  test('it runs in its folder', async () => {
    expect(await run('pwd -P', { cwd: '/usr' })).toMatchObject({ stdout: '/usr\n' });
  });

  test('it has a session and a group of its own, out of reach of a Ctrl-C in our terminal', async () => {
    const { running, pid } = await startReady('echo ready; exec sleep 100');
    expect(belonging(pid)).toEqual({ group: pid, session: pid });
    running.end('cancelled');
    await running.result;
  });

  test('a hundred at the same time all come back', async () => {
    const results = await Promise.all(Array.from({ length: 100 }, () => run(['true'])));
    expect(results.map((result) => result.exitCode)).toEqual(Array(100).fill(0));
  });

  test.skipIf(process.platform !== 'linux')('no file descriptor is left behind', async () => {
    await run('true', { input: 'x' });
    const before = openDescriptors();
    for (let round = 0; round < 50; round += 1) await run('echo x; echo y >&2', { input: 'x' });
    await run('echo ready; sleep 100 &', { graceMs: 20 });
    await expect.poll(openDescriptors).toBeLessThanOrEqual(before);
  });
});

describe('standard input', () => {
  test('is empty when none is given', async () => {
    expect(await run('cat; echo end')).toMatchObject({ stdout: 'end\n', exitCode: 0 });
  });

  test('arrives whole', async () => {
    expect(await run('wc -c', { input: 'ü'.repeat(500_000) })).toMatchObject({ stdout: '1000000\n' });
  });

  test('may be closed early or never be read', async () => {
    const input = 'x'.repeat(1_000_000);
    expect(await run('exec <&-; echo closed; exit 3', { input })).toMatchObject({ exitCode: 3, ended: null });
    expect(await run(['true'], { input })).toMatchObject({ exitCode: 0, ended: null });
    const { running } = await startReady('echo ready; exec sleep 100', { input, graceMs: HEEDED_MS });
    running.end('cancelled');
    expect(await running.result).toMatchObject({ signal: 'SIGTERM', ended: 'cancelled' });
  });
});

describe('output', () => {
  test('past the limit keeps beginning and end of each stream, half of the room for each, and counts the rest', async () => {
    const flood = 'echo BEGIN; head -c 1000000 /dev/zero | tr "\\0" x; echo END';
    const result = await run(`{ ${flood}; } ; { ${flood}; } >&2`, { outputBytesMax: 1000 });
    for (const text of [result.stdout, result.stderr]) {
      expect(text).toMatch(/^BEGIN\nx+\n\[… 999510 bytes cut …\]\nx+END\n$/);
    }
    expect(result.cutBytes).toBe(2 * 999_510);
  });

  test('on one stream may fill what the other does not need', async () => {
    const flood = 'head -c 1000000 /dev/zero | tr "\\0" x';
    const result = await run(`${flood}; echo problem >&2`, { outputBytesMax: 1000 });
    expect(result.stderr).toBe('problem\n');
    expect(result.stdout).toMatch(/^x{496}\n\[… 999008 bytes cut …\]\nx{496}$/);
    expect(result.cutBytes).toBe(999_008);
  });

  test('of a flood takes time but no memory', async () => {
    const FLOOD_BYTES = 200_000_000;
    await run(`yes | head -c ${FLOOD_BYTES / 10}`, { outputBytesMax: 10_000 });
    const before = process.memoryUsage.rss();
    let rssBytesMax = 0;
    const onStdout = () => {
      rssBytesMax = Math.max(rssBytesMax, process.memoryUsage.rss());
    };
    const result = await run(`yes | head -c ${FLOOD_BYTES}`, { outputBytesMax: 10_000, onStdout });
    expect(result.cutBytes).toBe(FLOOD_BYTES - 10_000);
    // What has been read and not yet been collected is in it; what is kept would be all of it.
    expect(rssBytesMax - before).toBeLessThan(FLOOD_BYTES / 2);
  });

  test('is streamed as it comes, a code point in two writes as one', async () => {
    const heard: string[] = [];
    const first = Promise.withResolvers<void>();
    const go = fifo('utf8');
    const onStdout = (text: string) => {
      heard.push(text);
      first.resolve();
    };
    const result = run(`mkfifo ${go}; printf 'a\\303'; cat ${go}; printf '\\274b\\377'`, { onStdout });
    await first.promise;
    expect(heard).toEqual(['a']);
    writeFileSync(go, '');
    expect((await result).stdout).toBe('aüb\ufffd');
    expect(heard.join('')).toBe('aüb\ufffd');
  });
});

describe('a program that cannot be started', () => {
  const refused = async (command: ProcessSpec['command'], more: Partial<ProcessSpec> = {}) => {
    const running = start(command, more);
    expect(running.pid).toBeUndefined();
    running.end('cancelled', 'kill');
    const result = await running.result;
    expect(result).toMatchObject({ started: false, exitCode: null, signal: null, ended: null });
    return result.startError;
  };

  test('is not found', async () => {
    expect(await refused(['no-such-program'])).toEqual({
      code: 'ENOENT',
      message: 'no-such-program was not found on PATH.',
    });
    expect(await refused(['./no-such-program'])).toEqual({
      code: 'ENOENT',
      message: `${folder}/no-such-program does not exist.`,
    });
  });

  test('has no interpreter', async () => {
    const path = join(folder, 'script');
    writeFileSync(path, '#!/no/such/interpreter\n', { mode: 0o755 });
    expect(await refused([path])).toEqual({
      code: 'ENOENT',
      message: `${path} exists, but the interpreter that its first line names does not.`,
    });
  });

  test('has no working directory, and the directory is named, not the program', async () => {
    expect(await refused('true', { cwd: join(folder, 'gone') })).toEqual({
      code: 'ENOENT',
      message: `The working directory ${folder}/gone does not exist.`,
    });
    expect(await refused('true', { cwd: '/etc/passwd' })).toEqual({
      code: 'ENOTDIR',
      message: 'The working directory /etc/passwd is not a directory.',
    });
  });

  test('may not be executed', async () => {
    const path = join(folder, 'plain-file');
    writeFileSync(path, 'text');
    chmodSync(path, 0o644);
    expect(await refused([path])).toEqual({
      code: 'EACCES',
      message: `${path} may not be executed by this user.`,
    });
  });

  test('has arguments that are too long, or that no system could pass', async () => {
    expect(await refused(['true', 'x'.repeat(3_000_000)])).toEqual({
      code: 'E2BIG',
      message: 'The arguments and the environment together are longer than this system allows.',
    });
    expect(await refused(['true', 'a\0b'])).toMatchObject({ code: 'EINVAL' });
    expect(await refused([])).toMatchObject({ code: expect.stringMatching(/^E/) });
  });
});

describe.skipIf(process.platform !== 'linux')('nothing is left of a tree that is ended', () => {
  test.for(Object.entries(TREES))('%s', async ([, command]) => {
    const { running, pid } = await startReady(command);
    expect(inSession(pid).length + survivors(workId).length).toBeGreaterThan(1);
    const askedMs = performance.now();
    running.end('cancelled');
    const result = await running.result;
    expect(performance.now() - askedMs).toBeLessThan(200 + 200 + SLACK_MS);
    expect([...survivors(workId), ...inSession(pid)]).toEqual([]);
    expect(result).toMatchObject({ started: true, ended: 'cancelled' });
    expect(result.exitCode ?? result.signal).not.toBeNull();
  });

  test.for(Object.entries(TREES))('by its timeout: %s', async ([, command]) => {
    const { clock, timers } = clockThatWaitsFor(86_400_000);
    const { running, pid } = await startReady(command, { timeoutMs: 86_400_000 }, createProcesses(clock));
    const dueMs = performance.now();
    timers[0]?.fire();
    const result = await running.result;
    expect(performance.now() - dueMs).toBeLessThan(200 + 200 + SLACK_MS);
    expect(result.ended).toBe('timeout');
    expect([...survivors(workId), ...inSession(pid)]).toEqual([]);
  });

  test('by its timeout, and not before it', async () => {
    const result = await run('sleep 100', { timeoutMs: 300, graceMs: HEEDED_MS });
    expect(result).toMatchObject({ ended: 'timeout', signal: 'SIGTERM' });
    expect(result.durationMs).toBeGreaterThanOrEqual(299);
    expect(result.durationMs).toBeLessThan(300 + SLACK_MS);
  });

  test('and those that needed KILL are counted, those that heeded TERM are not', async () => {
    const gentle = await startReady('sleep 100 & sleep 100 & echo ready; wait', { graceMs: HEEDED_MS });
    gentle.running.end('cancelled');
    expect(await gentle.running.result).toMatchObject({ signal: 'SIGTERM', leftovers: 0 });
    // The shell heeds TERM well within this one, and its children use all of it.
    const graceMs = 1000;
    const children = '(trap "" TERM; sleep 100 & setsid sleep 100 &)';
    const deaf = await startReady(`${children}; echo ready; sleep 100`, { graceMs });
    deaf.running.end('cancelled');
    expect(await deaf.running.result).toMatchObject({ signal: 'SIGTERM', leftovers: 2 });
    const deafToo = await startReady('trap "" TERM; sleep 100 & sleep 100 & sleep 100 & echo ready; wait');
    deafToo.running.end('cancelled');
    expect(await deafToo.running.result).toMatchObject({ signal: 'SIGKILL', leftovers: 3 });
  });
});

describe('how a process is ended', () => {
  test('a process that heeds TERM gets its grace to finish in', async () => {
    const command = 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.01; done';
    const { running } = await startReady(command, { graceMs: 10_000 });
    running.end('interrupted');
    expect(await running.result).toMatchObject({
      ...{ exitCode: 5, signal: null, ended: 'interrupted' },
      ...{ stdout: 'ready\nbye\n', leftovers: 0 },
    });
  });

  test('a daemon of the tree gets its grace, too, and so does what it starts to clean up with', async () => {
    const [done, stands] = [join(folder, 'daemon-is-done'), fifo('daemon-stands')];
    const daemon = `trap "sleep 0.1 && echo done > ${done}; exit" TERM; echo > ${stands}; while :; do sleep 0.01; done`;
    const command = `mkfifo ${stands}
      setsid sh -c '${daemon}' >/dev/null 2>&1 &
      read _ < ${stands}; echo ready; wait`;
    const { running } = await startReady(command, { graceMs: 10_000 });
    running.end('cancelled');
    expect(await running.result).toMatchObject({ ended: 'cancelled', leftovers: 0 });
    expect(readdirSync(folder)).toContain('daemon-is-done');
  });

  test('KILL outranks TERM and does not wait, and the first reason counts', async () => {
    const { running } = await startReady('trap "" TERM; echo ready; while :; do sleep 1; done', {
      graceMs: 60_000,
    });
    running.end('cancelled');
    running.end('timeout');
    running.end('abandoned', 'kill');
    running.end('interrupted', 'term');
    const result = await running.result;
    expect(result).toMatchObject({ signal: 'SIGKILL', exitCode: null, ended: 'cancelled' });
    expect(result.durationMs).toBeLessThan(SLACK_MS);
    running.end('interrupted');
    expect((await running.result).ended).toBe('cancelled');
  });

  test('the timeout is measured by the clock that was given', async () => {
    const { clock, timers } = clockThatWaitsFor(86_400_000);
    const running = createProcesses(clock).start({
      ...{ command: ['sleep', '100'], cwd: '/', env: { PATH: process.env.PATH ?? '' }, workId: 'clock' },
      ...{ timeoutMs: 86_400_000, graceMs: 1000, outputBytesMax: 10 },
    });
    expect(timers).toHaveLength(1);
    timers[0]?.fire();
    expect(await running.result).toMatchObject({ ended: 'timeout', signal: 'SIGTERM' });
    expect(timers).toHaveLength(0);
  });
});

describe.skipIf(process.platform !== 'linux')('what outlives a command that exits by itself', () => {
  test.for([
    'sleep 100 & echo $! ready',
    'setsid sleep 100 & echo $! ready',
    'sleep 100 >/dev/null & echo $! ready',
    'env -i sleep 100 & echo $! ready',
    '(trap "" TERM; exec sleep 100) & echo $! ready',
  ])('is ended after the grace when it holds an output: %s', async (command) => {
    const { running, printed } = await startReady(command);
    const result = await running.result;
    expect(result).toMatchObject({ exitCode: 0, signal: null, ended: null, leftovers: 1 });
    expect(result.durationMs).toBeGreaterThanOrEqual(199);
    expect(result.durationMs).toBeLessThan(200 + 200 + 200 + SLACK_MS);
    expect(survivors(workId)).toEqual([]);
    expect(isAlive(Number.parseInt(printed, 10))).toBe(false);
  });

  test('is ended at the timeout when that comes before the grace is over', async () => {
    // By then the shell has exited, also on a busy machine.
    const timeoutMs = 1500;
    const result = await run('sleep 100 & exit 0', { timeoutMs, graceMs: 30_000 });
    expect(result).toMatchObject({ exitCode: 0, ended: null, leftovers: 1 });
    expect(result.durationMs).toBeLessThan(timeoutMs + SLACK_MS);
    expect(survivors(workId)).toEqual([]);
  });

  test('may end by itself within the grace, and what it wrote is kept', async () => {
    const go = fifo('late');
    const command = `mkfifo ${go}; (cat ${go}; echo late) & echo ready`;
    const { running } = await startReady(command, { graceMs: 20_000 });
    writeFileSync(go, '');
    expect(await running.result).toMatchObject({ stdout: 'ready\nlate\n', exitCode: 0, leftovers: 0 });
  });

  test('is left alone when it has let go of the outputs', async () => {
    const { running, printed } = await startReady('sleep 100 >/dev/null 2>&1 & echo $! ready', {
      graceMs: 60_000,
    });
    const pid = Number.parseInt(printed, 10);
    leftRunning.push(pid);
    const result = await running.result;
    expect(result).toMatchObject({ exitCode: 0, leftovers: 0 });
    expect(result.durationMs).toBeLessThan(SLACK_MS);
    expect(survivors(workId)).toEqual([pid]);
  });

  test('does not keep the result waiting when it can be neither found nor reached', async () => {
    const before = openDescriptors();
    // Out of the session and without the marker: the one way out.
    const { running, printed } = await startReady(
      'setsid env -i /bin/sh -c "echo \\$\\$ ready; exec sleep 100"',
    );
    leftRunning.push(Number.parseInt(printed, 10));
    running.end('cancelled');
    const result = await running.result;
    expect(result.durationMs).toBeLessThan(200 + 200 + 200 + SLACK_MS);
    await expect.poll(openDescriptors).toBeLessThanOrEqual(before);
  });
});

describe.skipIf(process.platform !== 'linux')('all trees at once', () => {
  test('are dead when the gateway leaves without asking, escaped ones, too', async () => {
    const trees = await Promise.all([
      startReady('trap "" TERM; echo ready; sleep 100; sleep 100', { graceMs: 60_000 }),
      startReady('setsid sleep 100 & echo ready; wait', { graceMs: 60_000 }),
      startReady('sleep 100 & echo ready', { graceMs: 60_000 }),
    ]);
    expect(processes.runningCount).toBe(3);
    // The shell of the third one exits by itself after its last word.
    await expect.poll(() => isAlive(trees[2]?.pid ?? 0)).toBe(false);
    processes.killAllNow();
    await expect.poll(() => survivors(...trees.map((tree) => tree.workId))).toEqual([]);
    const results = await Promise.all(trees.map((tree) => tree.running.result));
    expect(results.map((result) => result.signal ?? result.exitCode)).toEqual(['SIGKILL', 'SIGKILL', 0]);
  });

  test('of a dead life are swept by their markers, and no other', async () => {
    const leave = (command: string) => startReady(`${command} >/dev/null 2>&1 & echo $! ready`);
    const gentle = await leave('sleep 100');
    const deaf = await leave('(trap "" TERM; exec setsid sleep 100)');
    const other = await leave('sleep 100');
    leftRunning.push(Number.parseInt(other.printed, 10));
    await Promise.all([gentle, deaf, other].map((tree) => tree.running.result));

    const later = createProcesses(systemClock);
    expect(await later.sweep(new Set())).toBe(0);
    expect(await later.sweep(new Set([gentle.workId, deaf.workId, 'never-used']))).toBe(2);
    expect(survivors(gentle.workId, deaf.workId)).toEqual([]);
    expect(survivors(other.workId)).toHaveLength(1);
    expect(await later.sweep(new Set([gentle.workId]))).toBe(0);
  });
});
