import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import {
  createSignalGate,
  createSignals,
  type HandledSignal,
  SIGNAL_QUEUE_MAX,
  SIGNAL_REPEAT_MS,
  type SignalRequest,
} from '../../src/process/signals.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { startCommand, startProgram } from '../support/line-process.ts';

const HAS_SCRIPT = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;

const request = (signal: HandledSignal, hurry = false, terminalGone = false): SignalRequest => ({
  signal,
  hurry,
  terminalGone,
});

describe('the gate', () => {
  /** What each of the deliveries, a signal at a time, amounts to. */
  function verdicts(...deliveries: [HandledSignal, number][]) {
    let nowMs = 0;
    const gate = createSignalGate(() => nowMs);
    return deliveries.map(([signal, atMs]) => {
      nowMs = atMs;
      return gate.judge(signal);
    });
  }

  test('lets the second SIGINT hurry, and the third be the last resort, and each later one', () => {
    expect(verdicts(['SIGINT', 0], ['SIGINT', 100], ['SIGINT', 200], ['SIGINT', 300])).toEqual([
      'request',
      'hurry',
      'last-resort',
      'last-resort',
    ]);
  });

  test('lets every SIGTERM after the first hurry and none be the last resort', () => {
    expect(verdicts(['SIGTERM', 0], ['SIGTERM', 500], ['SIGTERM', 900], ['SIGTERM', 1300])).toEqual([
      'request',
      'hurry',
      'hurry',
      'hurry',
    ]);
  });

  test('counts each signal on its own', () => {
    expect(verdicts(['SIGTERM', 0], ['SIGINT', 500], ['SIGTERM', 900], ['SIGINT', 1300])).toEqual([
      'request',
      'request',
      'hurry',
      'hurry',
    ]);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGUSR1'] as const)('counts two %s within 100 ms once', (signal) => {
    expect(SIGNAL_REPEAT_MS).toBe(100);
    expect(verdicts([signal, 50], [signal, 50], [signal, 149])).toEqual(['request', 'repeat', 'repeat']);
  });

  test('does not let a steady stream of SIGINT hide that it goes on', () => {
    expect(
      verdicts(['SIGINT', 0], ['SIGINT', 60], ['SIGINT', 120], ['SIGINT', 180], ['SIGINT', 240]),
    ).toEqual(['request', 'repeat', 'hurry', 'repeat', 'last-resort']);
  });

  test.each(['SIGUSR1', 'SIGHUP'] as const)('never lets %s hurry', (signal) => {
    const many = verdicts(
      ...Array.from({ length: 5 }, (_, n): [HandledSignal, number] => [signal, n * 1000]),
    );
    expect(new Set(many)).toEqual(new Set(['request']));
  });

  test('passes every SIGHUP, because each may mean another reload', () => {
    expect(verdicts(['SIGHUP', 0], ['SIGHUP', 1])).toEqual(['request', 'request']);
  });
});

describe('the handlers', () => {
  function handlers(terminal: { opens: boolean } = { opens: true }) {
    const listeners = new Map<string, (argument: unknown) => void>();
    const host = {
      exitCode: undefined,
      on: (event: string, listener: (argument: unknown) => void) => listeners.set(event, listener),
      removeAllListeners: (event: string) => listeners.delete(event),
    };
    let nowMs = 0;
    const signals = createSignals(
      host,
      () => nowMs,
      () => terminal.opens,
    );
    const emit = (event: string, argument?: unknown) => {
      nowMs += 1000;
      listeners.get(event)?.(argument);
    };
    return { signals, emit, host, listeners };
  }

  test.each([
    [true, ['SIGUSR1']],
    [false, ['SIGHUP', 'SIGUSR1']],
  ])('let go what asks for a stop, with a terminal (%s), and keep the rest', async (opens, kept) => {
    const { signals, listeners } = handlers({ opens });
    signals.install();
    expect(await signals.release(() => false)).toBe(true);
    expect([...listeners.keys()].filter((event) => event.startsWith('SIG')).sort()).toEqual(kept);
  });

  test('let nothing go once a stop has come', async () => {
    const { signals, listeners } = handlers({ opens: false });
    signals.install();
    let looks = 0;
    // The stop comes between the first signal and the second.
    expect(await signals.release(() => ++looks > 1)).toBe(false);
    expect(listeners.has('SIGTERM')).toBe(true);
  });

  test('stand after install and not before, once', () => {
    const { signals, listeners, host } = handlers();
    expect(listeners.size).toBe(0);
    let added = 0;
    const { on } = host;
    host.on = (event, listener) => {
      added += 1;
      return on(event, listener);
    };
    signals.install();
    signals.install();
    expect(added).toBe(6);
    expect([...listeners.keys()].toSorted()).toEqual(
      ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'uncaughtException', 'unhandledRejection'].toSorted(),
    );
  });

  test('keep the order of what came before and after somebody listens', () => {
    const { signals, emit } = handlers();
    signals.install();
    emit('SIGUSR1');
    emit('SIGTERM');
    const seen: SignalRequest[] = [];
    signals.attach((each) => seen.push(each));
    emit('SIGTERM');
    expect(seen).toEqual([request('SIGUSR1'), request('SIGTERM'), request('SIGTERM', true)]);
  });

  test('keep a bounded number of requests while nobody listens', () => {
    const { signals, emit } = handlers();
    signals.install();
    for (let count = 0; count < SIGNAL_QUEUE_MAX + 5; count += 1) emit('SIGUSR1');
    let seen = 0;
    signals.attach(() => {
      seen += 1;
    });
    expect(seen).toBe(SIGNAL_QUEUE_MAX);
  });

  test('remember a last resort that came before its handler', () => {
    const { signals, emit } = handlers();
    signals.install();
    for (let count = 0; count < 3; count += 1) emit('SIGINT');
    let lastResorts = 0;
    signals.onLastResort(() => {
      lastResorts += 1;
    });
    expect(lastResorts).toBe(1);
    emit('SIGINT');
    expect(lastResorts).toBe(2);
  });

  test.each([
    { before: true, after: true, gone: false },
    { before: true, after: false, gone: true },
    { before: false, after: false, gone: false },
  ])('say of a SIGHUP that the terminal is gone: $gone (opened before: $before, now: $after)', (one) => {
    const terminal = { opens: one.before };
    const { signals, emit } = handlers(terminal);
    signals.install();
    terminal.opens = one.after;
    const seen: SignalRequest[] = [];
    signals.attach((each) => seen.push(each));
    emit('SIGHUP');
    emit('SIGTERM');
    expect(seen).toEqual([request('SIGHUP', false, one.gone), request('SIGTERM')]);
  });

  /** A debugger that Node opens in its own time, and what `reclaim` made of it when so many milliseconds had passed. */
  async function reclaimed(opensAfterMs: number, wanted = false) {
    const clock = new FakeClock();
    let closed = 0;
    const closeDebugger = () => {
      if (closed > 0 || clock.monotonicMs() < opensAfterMs) return false;
      closed += 1;
      return true;
    };
    const host = new EventEmitter();
    const signals = createSignals(
      host,
      () => clock.monotonicMs(),
      () => false,
      closeDebugger,
    );
    const seen: HandledSignal[] = [];
    signals.attach(({ signal }) => seen.push(signal));
    signals.reclaim(wanted, clock);
    await clock.advance(5_000);
    return { seen, closed };
  }

  test.each([0, 1, 10, 990])(
    'take back a SIGUSR1 for which Node opens its debugger %i ms after the first look, once',
    async (opensAfterMs) => {
      expect(await reclaimed(opensAfterMs)).toEqual({ seen: ['SIGUSR1'], closed: 1 });
    },
  );

  test('leave a debugger alone that is wanted, or opened much later', async () => {
    expect(await reclaimed(0, true)).toEqual({ seen: [], closed: 0 });
    expect(await reclaimed(1_001)).toEqual({ seen: [], closed: 0 });
  });

  test('have Node open no debugger at a port that another process may have', () => {
    const host = Object.assign(new EventEmitter(), { debugPort: 9229 });
    createSignals(
      host,
      () => 0,
      () => false,
    ).install();
    expect(host.debugPort).toBe(0);
  });

  test('keep faults for who listens later, and set the exit code in case nobody ever does', () => {
    const { signals, emit, host } = handlers();
    signals.install();
    emit('uncaughtException', 'first');
    expect(host.exitCode).toBe(70);
    const faults: unknown[] = [];
    signals.onFault((fault) => faults.push(fault));
    emit('unhandledRejection', 'second');
    expect(faults).toEqual(['first', 'second']);
  });
});

describe('a real process', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const)(
    'that is busy loading survives %s and hears of it when it listens',
    async (signal) => {
      await using program = startProgram('receive-signals', ['slow'], { detached: true });
      expect(await program.nextLine()).toBe('ready');
      process.kill(program.pid, signal);
      program.write('listen');
      // A process of a session of its own has no terminal, so it cannot have lost one.
      expect(JSON.parse(await program.nextLine())).toEqual(request(signal));
    },
  );

  test('that imports the module without installing dies of a signal as any program', async () => {
    await using program = startProgram('receive-signals', ['bare']);
    await program.nextLine();
    process.kill(program.pid, 'SIGINT');
    expect(await program.ended).toEqual({ code: null, signal: 'SIGINT' });
  });

  test('counts the two SIGINTs of one Ctrl-C under npm once, the next one hurries, the third leaves with 130', async () => {
    await using program = startProgram('receive-signals', ['clocked']);
    await program.nextLine();
    const interrupt = () => process.kill(program.pid, 'SIGINT');
    const later = async (ms: number) => {
      program.write(`later ${ms}`);
      return await program.nextLine();
    };
    interrupt();
    expect(JSON.parse(await program.nextLine())).toEqual(request('SIGINT'));
    interrupt();
    // Another signal's request proves that nothing was said of the one before it.
    process.kill(program.pid, 'SIGUSR1');
    expect(JSON.parse(await program.nextLine())).toEqual(request('SIGUSR1'));
    expect(await later(100)).toBe('at 100');
    interrupt();
    expect(JSON.parse(await program.nextLine())).toEqual(request('SIGINT', true));
    expect(await later(100)).toBe('at 200');
    interrupt();
    expect(await program.nextLine()).toBe('last resort');
    expect(await program.ended).toEqual({ code: 130, signal: null });
  });

  test('that throws and rejects while loading tells both to who listens later', async () => {
    await using program = startProgram('receive-signals', ['fault']);
    expect(await program.nextLine()).toBe('ready');
    program.write('listen');
    const faults = [await program.nextLine(), await program.nextLine()];
    expect(faults.toSorted()).toEqual(['rejected too early', 'thrown too early']);
  });

  test('that throws and never listens leaves with 70', async () => {
    await using program = startProgram('receive-signals', ['unheard']);
    expect(await program.ended).toEqual({ code: 70, signal: null });
  });

  test.skipIf(!HAS_SCRIPT)('knows that its terminal was closed (needs `script` of Linux)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-hangup-'));
    const server = createServer().listen(join(folder, 'wire'));
    try {
      const program = new URL('../support/programs/report-hangup.ts', import.meta.url).pathname;
      const command = `exec "${process.execPath}" "${program}" "${join(folder, 'wire')}"`;
      await using terminal = startCommand('script', ['-qec', command, '/dev/null']);
      const [wire] = await once(server, 'connection');
      const lines = createInterface({ input: wire })[Symbol.asyncIterator]();
      expect((await lines.next()).value).toBe('ready');
      process.kill(terminal.pid, 'SIGKILL');
      const { value: said = '' } = await lines.next();
      expect(JSON.parse(said)).toEqual(request('SIGHUP', false, true));
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
