import { expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';

test('a gateway answers a turn, runs an exec command, and stops with 0 on Ctrl-C', async () => {
  await using gateway = await TestGateway.start({
    config: 'quick_commands: { up: { type: exec, command: "echo up; echo err >&2" } }',
  });
  expect((await gateway.send('hello')).json).toMatchObject({
    kind: 'turn',
    admission: 'dispatch',
    outcome: 'answered',
    replies: ['echo: hello\n'],
  });
  expect((await gateway.send('/up')).json).toMatchObject({
    kind: 'exec',
    outcome: 'ran',
    replies: ['up\nerr'],
  });
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});

test('a drain lets a turn finish, refuses another, and still runs exec commands', async () => {
  await using gateway = await TestGateway.start({
    config: 'quick_commands: { up: { type: exec, command: "echo up" } }',
  });
  gateway.folder.fifo('one');
  const turn = gateway.send('wait one');
  await gateway.inFlight('turns', 1);
  const restart = gateway.cli('restart');
  await gateway.entered('draining.waiting');
  expect((await gateway.send('another')).json).toMatchObject({
    admission: 'refuse',
    outcome: 'refused',
    reason: 'state',
  });
  expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran' });
  await gateway.folder.release('one');
  expect((await turn).json).toMatchObject({ outcome: 'answered', replies: ['started one\nfinished one\n'] });
  expect(await restart).toMatchObject({ code: 0 });
  expect((await gateway.status()).epoch).toBe(2);
});
