import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cleanEnvironment } from '../support/gateway.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

test('the session in the README is what a person sees who types it now', () => {
  expect(existsSync(`${root}dist/main.js`), 'run `npm run build` first').toBe(true);
  const check = spawnSync(process.execPath, ['scripts/session.ts', '--check'], {
    cwd: root,
    env: cleanEnvironment(),
    encoding: 'utf8',
  });
  expect(check.stderr).toBe('');
  expect(check.status).toBe(0);
});
