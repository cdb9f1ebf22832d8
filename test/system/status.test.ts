/** The status file of a real gateway: true, whole, and not written more than it must be. */
import { readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import { statusFile, when } from '../support/home-files.ts';

let gateway: TestGateway;
let path: string;
beforeAll(async () => {
  gateway = await TestGateway.start();
  path = join(gateway.folder.home, 'status.json');
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('an unchanged status is not written again, and its time is the heartbeat', async () => {
  await when(gateway.folder.home, () => statusFile(gateway.folder.home).state === 'running.healthy');
  const before = statSync(path);
  await when(gateway.folder.home, () => statSync(path).mtimeMs > before.mtimeMs + 1500);
  expect(statSync(path).ino).toBe(before.ino);
});

test('a change of state is written before the request that made it is answered', async () => {
  await gateway.request('POST', '/v1/lifecycle', { intent: 'drain' });
  expect(statusFile(gateway.folder.home)).toMatchObject({ state: 'draining.drained', intent: 'drain' });
  await gateway.request('POST', '/v1/lifecycle', { intent: 'cancel-drain' });
  expect(statusFile(gateway.folder.home)).toMatchObject({ state: 'running.healthy', intent: null });
});

test('counters follow within about a second', async () => {
  gateway.folder.fifo('one');
  const turn = gateway.send('wait one');
  await when(gateway.folder.home, () => statusFile(gateway.folder.home).inFlight.turns.length === 1);
  expect(statusFile(gateway.folder.home)).toMatchObject(await gateway.status());
  await gateway.folder.release('one');
  await turn;
  await when(gateway.folder.home, () => statusFile(gateway.folder.home).inFlight.turns.length === 0);
});

test('a reader never sees a part of it', async () => {
  const seen = new Set<string>();
  const watcher = watch(gateway.folder.home, () => seen.add(JSON.parse(readFileSync(path, 'utf8')).state));
  for (let round = 0; round < 30; round += 1) {
    await gateway.request('POST', '/v1/lifecycle', { intent: 'drain' });
    seen.add(JSON.parse(readFileSync(path, 'utf8')).state);
    await gateway.request('POST', '/v1/lifecycle', { intent: 'cancel-drain' });
  }
  watcher.close();
  expect([...seen].sort()).toEqual(expect.arrayContaining(['draining.drained']));
});

test('a killed gateway is never shown as running', async () => {
  await gateway.kill9();
  const { code, json } = await gateway.cli('status', '--json');
  expect(code).toBe(4);
  expect(json).toEqual({ error: expect.objectContaining({ code: 'NO_GATEWAY' }) });
});
