/** A quick command in the hands of a gateway that says one thing and keeps another to itself. */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { execByGateway } from '../../src/cli/exec-by-gateway.ts';
import { Interrupts } from '../../src/cli/interrupts.ts';
import type { ControlEvent, StreamOptions } from '../../src/control/client.ts';
import { createSignals, SIGNAL_REPEAT_MS } from '../../src/process/signals.ts';
import { settled } from '../support/fake-clock.ts';

const COMMAND = { name: 'slow', text: '/slow', id: 'mine' };

/** A caller of a gateway whose events the test says, and which never answers a wish to end the command. */
function calling() {
  const host = new EventEmitter();
  let nowMs = 0;
  const signals = createSignals(
    host,
    () => nowMs,
    () => false,
  );
  const stream = Promise.withResolvers<undefined>();
  let say = (_: ControlEvent): void => {};
  const asked: unknown[] = [];
  const control = {
    stream: (_: string, __: unknown, { onEvent, signal }: StreamOptions) => {
      say = onEvent;
      signal?.addEventListener('abort', () => stream.resolve(undefined));
      return stream.promise;
    },
    request: (_: string, __: string, body: unknown) => {
      asked.push(body);
      return new Promise(() => {});
    },
  };
  const notes: string[] = [];
  const output = { note: (text: string) => void notes.push(text), print: () => {} };
  const context = { control, output, json: false, home: '/h', env: {}, cwd: '/' } as unknown as Context;
  const ended: unknown[] = [];
  execByGateway(context, COMMAND, new Interrupts(signals)).then(
    (followed) => ended.push(followed),
    (error: unknown) => ended.push(error),
  );
  return {
    ...{ notes, asked, ended },
    says: (event: string, data: Record<string, unknown>) => say({ event, id: undefined, data }),
    press: (signal: string) => {
      nowMs += SIGNAL_REPEAT_MS * 2;
      host.emit(signal);
    },
  };
}

test('a second signal does not wait for what the gateway says of the first, though the command has ended', async () => {
  const { says, press, asked, ended } = calling();
  says('admission', { admission: 'dispatch', duplicate: false });
  press('SIGINT');
  says('settled', { outcome: 'interrupted' });
  await settled();
  expect(asked).toEqual([{ text: '/cancel mine', conversation: 'exec' }]);
  expect(ended).toEqual([]);
  press('SIGINT');
  await settled();
  expect(ended).toEqual([expect.objectContaining({ settled: { outcome: 'interrupted' } })]);
});

test('a signal before the decision ends nothing that somebody else had sent under the id', async () => {
  const { says, press, asked, ended } = calling();
  press('SIGINT');
  says('admission', { admission: 'dispatch', duplicate: true });
  await settled();
  expect(asked).toEqual([]);
  expect(ended).toEqual([expect.objectContaining({ code: 'INTERRUPTED' })]);
});

test('what is its own stays so when a restart has it asked for again', async () => {
  const { says, press, asked } = calling();
  says('admission', { admission: 'dispatch', duplicate: false });
  says('admission', { admission: 'hold', duplicate: true });
  press('SIGINT');
  await settled();
  expect(asked).toHaveLength(1);
});
