/** What a person is told to do next is what helps there, and nothing that belongs to another trouble. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { RunningCli } from '../support/running-cli.ts';

test('a gateway that died before it could restart is to be started, not to be ended', async () => {
  await using gateway = await TestGateway.start();
  const { folder } = gateway;
  folder.fifo('busy');
  void gateway.send('wait busy').catch(() => {});
  await gateway.turnsBegun(1);
  await using restart = new RunningCli(['restart', '--home', folder.home], folder.path);
  await restart.says('turn ');
  await gateway.kill9();
  const { code, stderr } = await restart.result();
  expect(code).toBe(1);
  expect(stderr).toContain('the gateway died before it could restart');
  expect(stderr).toMatch(/\nStart it: (npx )?sluice run --home /);
  expect(stderr).not.toContain('wedged');
});

test('a gateway that could write no log is asked for what it remembers, not to be started', async () => {
  await using gateway = await TestGateway.start();
  rmSync(join(gateway.folder.home, 'logs/current.log'));
  const { code, stderr } = await gateway.cli('logs');
  expect(code).toBe(1);
  expect(stderr).toContain('there is no log of a gateway');
  expect(stderr).toContain('could not write one, as on a full disk');
  expect(stderr).toMatch(/sluice logs --follow --home /);
  expect(stderr).not.toContain('sluice run');
});
