/** From the chart's end to the process's own: the exit stands, whatever fails or hangs on the way. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';

const SOURCES = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const STORE = new URL('../../src/store/sqlite.ts', import.meta.url).href;

/** Something planted in the gateway's process before its first line. */
const planted = (source: string) => ['--import', `data:text/javascript,${encodeURIComponent(source)}`];

test('a pid file that cannot be removed is logged, and the exit code is the one that was decided', async () => {
  const nodeArgs = planted(`import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const { rmSync } = fs;
fs.rmSync = (path, options) => {
  if (String(path).endsWith('sluice.pid')) throw new Error('planted: read-only');
  return rmSync(path, options);
};
syncBuiltinESMExports();`);
  await using gateway = await TestGateway.start({ nodeArgs });
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(gateway.lines).toContainEqual(
    expect.objectContaining({
      msg: 'could not end the record of this life',
      error: expect.stringContaining('planted'),
    }),
  );
  expect(gateway.stderr).not.toContain('not started');
});

// A store that never closes can be planted in the sources only, so they are what runs here whatever is being tested.
test('what never ends is left behind after five seconds, by its name, with the exit that was decided', async () => {
  const nodeArgs = planted(`import { SqliteStore } from '${STORE}';
SqliteStore.prototype.close = () => new Promise(() => {});`);
  const env = { SLUICE_SUPERVISOR: 'systemd' };
  await using gateway = await TestGateway.start({ entry: SOURCES, nodeArgs, env });
  gateway.signal('SIGTERM');
  expect(await gateway.exited).toEqual({ code: 1, signal: null });
  expect(gateway.lines).toContainEqual(
    expect.objectContaining({
      msg: 'left without waiting any longer for the store',
      code: 1,
      held: 'the store',
    }),
  );
});

test('a log level that does not exist is info, and said', async () => {
  await using gateway = await TestGateway.start({ env: { SLUICE_LOG_LEVEL: 'verbose' } });
  expect(gateway.stderr).toContain(
    'SLUICE_LOG_LEVEL=verbose is no level, so it is info; known are fatal, error',
  );
  expect(await gateway.status()).toMatchObject({ state: 'running.healthy' });
});
