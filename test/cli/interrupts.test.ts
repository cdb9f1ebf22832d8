import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Interrupts } from '../../src/cli/interrupts.ts';
import { createSignals, SIGNAL_REPEAT_MS } from '../../src/process/signals.ts';

/** Interrupts over a host of events; each signal comes long after the one before. */
function heard() {
  const host = new EventEmitter();
  let nowMs = 0;
  const interrupts = new Interrupts(
    createSignals(
      host,
      () => nowMs,
      () => false,
    ),
  );
  const press = (signal: string) => {
    nowMs += SIGNAL_REPEAT_MS * 2;
    host.emit(signal);
  };
  return { interrupts, press, host };
}

const told = (interrupts: Interrupts): string[] => {
  const lines: string[] = [];
  interrupts.listen((signal, nth) => lines.push(`${nth} ${signal}`));
  return lines;
};

test('one that comes between two listeners is heard by the second', () => {
  const { interrupts, press } = heard();
  const first = told(interrupts);
  press('SIGINT');
  const second = told(interrupts);
  press('SIGTERM');
  expect(first).toEqual(['1 SIGINT']);
  expect(second).toEqual(['1 SIGINT', '2 SIGTERM']);
  expect(interrupts.last).toBe('SIGTERM');
});

test('two deliveries of one press are one, and SIGUSR1 interrupts nothing', () => {
  const { interrupts, press, host } = heard();
  const lines = told(interrupts);
  press('SIGINT');
  host.emit('SIGINT');
  press('SIGUSR1');
  expect(lines).toEqual(['1 SIGINT']);
});

test('a fault of the program is handed to whoever waits', async () => {
  const { interrupts, host } = heard();
  host.emit('uncaughtException', new Error('planted'));
  await expect(interrupts.fault).rejects.toThrow('planted');
});
