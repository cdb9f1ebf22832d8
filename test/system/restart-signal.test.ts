/** SIGUSR1 asks for a restart, and to Node it means to open the debugger: whose it is, from the first moment on. */
import { expect, test } from 'vitest';
import { httpRequest, TestGateway } from '../support/gateway.ts';

/**
 * The first thing that runs in the process, before any line of the gateway. Node opens its debugger at a port that is free:
 * at its usual one another process may have opened its own.
 */
const EARLY = ['--import', 'data:text/javascript,process.debugPort=0;process.kill(process.pid,"SIGUSR1")'];

test('a SIGUSR1 that comes before the first line runs is a restart', async () => {
  await using gateway = await TestGateway.start({
    nodeArgs: EARLY,
    env: { SLUICE_SUPERVISOR: 'systemd' },
    early: true,
  });
  expect(await gateway.exited).toEqual({ code: 75, signal: null });
  expect(gateway.stderr).toContain('exit 75 (SIGUSR1)');
});

test('a SIGUSR1 is a restart though Node was told to disable it', async () => {
  await using gateway = await TestGateway.start({ nodeArgs: ['--disable-sigusr1'] });
  gateway.signal('SIGUSR1');
  await gateway.ready(2);
  expect(await gateway.status()).toMatchObject({ pid: gateway.pid, epoch: 2 });
});

test.each([
  ['an argument', { nodeArgs: ['--inspect=127.0.0.1:0'] }],
  ['NODE_OPTIONS', { env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } }],
])('a debugger asked for by %s stays open, and is no restart', async (_, options) => {
  await using gateway = await TestGateway.start(options);
  expect(await gateway.status()).toMatchObject({ epoch: 1, state: 'running.healthy' });
  const port = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(gateway.stderr)?.[1]);
  expect(await httpRequest({ host: '127.0.0.1', port }, 'GET', '/json/version')).toMatchObject({
    status: 200,
  });
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
});
