/** Signals to real gateways: at work, at a terminal, and in the first moments of a start. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, watch } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { SIGNAL_REPEAT_MS } from '../../src/process/signals.ts';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { childrenOf, debrisIn, isRunning, statusFile, storeRows, when } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';

const MAIN = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** How long a gateway may take to leave, by far; one that is still there then has not heard the signal. */
const LEAVES_MS_MAX = 10_000;

/** Signals closer to one another than this are one press of Ctrl-C, so a second press is given after it. */
const anotherPress = () => systemClock.delay(SIGNAL_REPEAT_MS + 20);

describe('Ctrl-C', () => {
  test('twice in the same moment is one; a second one hurries, and each says what comes next', async () => {
    await using gateway = await TestGateway.start();
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one');
    await gateway.inFlight('turns', 1);
    gateway.signal('SIGINT');
    gateway.signal('SIGINT');
    const { msg } = await gateway.log((line) => line.msg.startsWith('Stopping when 1 turn is done'));
    expect((await gateway.status()).state).toBe('draining.waiting');
    expect(msg).toMatch(/in 60 s at most\. Commands still run\. A second Ctrl-C hurries\.$/);
    await anotherPress();
    gateway.signal('SIGINT');
    expect(await turn).toMatchObject({
      status: 202,
      json: { admission: 'hold', text: expect.stringMatching(/^Interrupted: .*Send \/resume/) },
    });
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    expect(gateway.stderr).toContain('Stopping now: 1 turn interrupted. A third Ctrl-C leaves at once.');
  });

  test('a third time leaves at once with 130, and no process of its trees is left', async () => {
    await using gateway = await TestGateway.start({
      config:
        'quick_commands: { deep: { type: exec, command: "trap \'\' TERM; setsid sleep 60 & cat one" } }',
    });
    gateway.folder.fifo('one');
    void gateway.post('deaf one');
    void gateway.post('/deep');
    // A TERM that came before its trap would end it.
    await gateway.turnsBegun(1);
    await gateway.commandsBegun(1);
    await gateway.statusWhere(() => treeOf(gateway.pid).some((pid) => commandOf(pid).startsWith('sleep')));
    gateway.signal('SIGINT');
    await gateway.entered('draining.waiting');
    await anotherPress();
    gateway.signal('SIGINT');
    await gateway.entered('draining.interrupting');
    const tree = treeOf(gateway.pid);
    expect(tree.length).toBeGreaterThanOrEqual(4);
    await anotherPress();
    gateway.signal('SIGINT');
    expect(await gateway.exited).toEqual({ code: 130, signal: null });
    expect(tree.filter(isRunning)).toEqual([]);
  });
});

test('a stop that comes when the chart of a restart has ended still beats the restart', async () => {
  await using gateway = await TestGateway.start();
  gateway.signal('SIGUSR1');
  await gateway.log((line) => line.to === 'exited');
  gateway.signal('SIGTERM');
  // In the tenth of a millisecond before the handlers are given back it is lost; then whoever asked asks once more.
  const waited = systemClock.delay(LEAVES_MS_MAX).then(() => undefined);
  if ((await Promise.race([gateway.exited, waited])) === undefined) gateway.signal('SIGTERM');
  // Between two lives the process has no handlers for a moment: then the signal ends it as any program.
  const { code, signal } = await gateway.exited;
  expect(code === 0 || signal === 'SIGTERM').toBe(true);
});

describe.skipIf(process.platform !== 'linux')('at a terminal (Linux: util-linux’ script)', () => {
  test('a gateway whose terminal goes away stops as on Ctrl-C, with 0', async () => {
    using folder = new TestFolder();
    folder.writeConfig(testConfig());
    mkdirSync(folder.home, { mode: 0o700 });
    const command = `exec '${process.execPath}' '${MAIN}' run --home '${folder.home}' --config '${folder.configPath}'`;
    const terminal = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      let shown = '';
      await new Promise<void>((resolve) => {
        terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
          shown += text;
          if (shown.includes('/?token=')) resolve();
        });
      });
      const { pid } = statusFile(folder.home);
      const left = when(folder.home, () => 'exit' in statusFile(folder.home));
      terminal.kill('SIGKILL');
      await left;
      expect(statusFile(folder.home)).toMatchObject({ pid, exit: { code: 0, cause: 'hangup' } });
      await when(folder.home, () => !isRunning(pid), 20);
    } finally {
      terminal.kill('SIGKILL');
    }
  });
});

describe('a signal during the start', () => {
  /** Moments of a start, by what tells of them: its handlers stand, files of its home, lines of its log. */
  const MOMENTS = [
    'handlers',
    'sluice.db-wal',
    'sluice.pid',
    'status.json',
    'control.sock',
    /starts in/,
    /local is connecting/,
    /local is connected/,
    'last-good.yaml',
  ] as const;
  const SIGNALS = [
    ['SIGTERM', 1],
    ['SIGUSR1', 75],
    ['SIGINT', 0],
  ] as const;

  test('has its code at every moment, and leaves nothing half-written', async () => {
    using folder = new TestFolder();
    folder.writeConfig(testConfig());
    mkdirSync(folder.home, { mode: 0o700 });
    const codes: (number | null)[] = [];
    for (const [index, moment] of MOMENTS.entries()) {
      const [signal, code] = SIGNALS[index % SIGNALS.length] ?? SIGNALS[0];
      const came =
        typeof moment === 'string' && moment !== 'handlers' ? changed(folder.home, moment) : undefined;
      await using gateway = await TestGateway.start({
        folder,
        early: true,
        env: { SLUICE_SUPERVISOR: 'systemd' },
      });
      if (moment === 'handlers') await handlersStand(gateway.pid);
      else if (came !== undefined) await came;
      else await gateway.log((line) => (moment as RegExp).test(line.msg), String(moment));
      gateway.signal(signal);
      expect(await gateway.exited, `${signal} at ${moment}\n${gateway.stderr}`).toEqual({
        code,
        signal: null,
      });
      expect(debrisIn(folder.home), String(moment)).toEqual([]);
      expect(statusFile(folder.home).exit, String(moment)).toMatchObject({ code, cause: signal });
      codes.push(code);
    }
    const lives = storeRows(folder.home, 'SELECT epoch, exit_code AS code FROM lives ORDER BY epoch');
    expect(lives.map(({ code }) => code)).toEqual(codes);
    expect(storeRows(folder.home, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    const first = storeRows(folder.home, 'SELECT epoch, min(number) AS number FROM journal GROUP BY epoch');
    expect(first).toEqual(codes.map((_, index) => ({ epoch: index + 1, number: 1 })));
    await using after = await TestGateway.start({ folder });
    expect((await after.send('hello')).json).toMatchObject({ outcome: 'answered' });
  });
});

/** Resolves when a file of this name is made or replaced in the folder from now on. */
function changed(folder: string, name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_event, file) => {
      if (file !== name) return;
      watcher.close();
      resolve();
    });
  });
}

/** Resolves when our handlers stand, which only the kernel tells: of SIGHUP, as Node catches the others itself. */
async function handlersStand(pid: number): Promise<void> {
  const SIGHUP_BIT = 1n;
  // The next moment of the start is some milliseconds away.
  const PAUSE_MS = 1;
  const caught = () => /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  await polled(() => (BigInt(`0x${caught() ?? '0'}`) & SIGHUP_BIT) !== 0n, 'the handlers', PAUSE_MS);
}

const treeOf = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...treeOf(child)]);

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
