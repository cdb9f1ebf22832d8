/**
 * Who asks is another user than the one whose gateway it is: what may not be looked at is said to be so, and not to be
 * nothing; and where both have an environment of their own they find the same control socket. Needs root, to be two users.
 */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type CliResult, cleanEnvironment, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** `nobody`, wherever there is one. */
const OTHER = 65_534;

const COMMANDS = 'quick_commands: { hi: { type: exec, command: [echo, hi] } }';

const asRoot = process.getuid?.() === 0;

/** Runs the real CLI as another user. */
function cliAs(uid: number, words: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [ENTRY, ...words], {
    ...{ uid, gid: uid, cwd: '/' },
    env: cleanEnvironment({ HOME: '/nonexistent', XDG_CACHE_HOME: '/nonexistent', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr, json: undefined }));
  });
}

const CALLED = [
  ...[
    'status',
    'stop',
    'restart',
    'send hello',
    'drain',
    'reload',
    'exec hi',
    'exec',
    'logs',
    'logs --follow',
  ],
  ...['messages list', 'messages show m_1', 'messages discard m_1'],
];

describe.runIf(asRoot)("another user's home", () => {
  test('is said to be closed to whoever calls a command there, and nothing is done', async () => {
    await using gateway = await TestGateway.start({ config: COMMANDS });
    const { folder } = gateway;
    // The folder above is open, so that the home itself is what is closed.
    chmodSync(folder.path, 0o755);
    for (const line of CALLED) {
      const told = await cliAs(OTHER, [...line.split(' '), '--home', folder.home]);
      expect(told, line).toMatchObject({ code: 1, stdout: '' });
      const closed = `sluice: ${folder.home} cannot be read by this user: permission denied\n`;
      expect(told.stderr, line).toContain(closed);
      expect(told.stderr, line).toContain('--home');
    }
    expect(await gateway.status()).toMatchObject({ state: 'running.healthy', intent: null });
  });

  test('may be open while its socket is not', async () => {
    await using gateway = await TestGateway.start();
    const { folder } = gateway;
    for (const path of [folder.path, folder.home]) chmodSync(path, 0o755);
    const told = await cliAs(OTHER, ['status', '--home', folder.home]);
    expect(told.code).toBe(1);
    expect(told.stderr).toContain('control.sock may not be used by this user: permission denied');
  });

  test('that may be read and not written says so where the store is asked without a gateway', async () => {
    using folder = new TestFolder();
    folder.writeConfig(testConfig());
    await using gateway = await TestGateway.start({ folder });
    await gateway.stop();
    for (const path of [folder.path, folder.home]) chmodSync(path, 0o755);
    chmodSync(join(folder.home, 'sluice.db'), 0o644);
    const told = await cliAs(OTHER, ['messages', 'list', '--home', folder.home]);
    expect(told.code).toBe(1);
    expect(told.stderr).toContain('sluice.db cannot be read while its folder may not be written');
    expect(told.stderr).not.toContain('disk space');
  });
});

describe('a home whose path is too long for a socket', () => {
  const LONG = join('a'.repeat(60), 'b'.repeat(60));

  /** A gateway with this runtime folder; gives where its socket is. */
  async function started(folder: TestFolder, runtime: string) {
    folder.writeConfig(testConfig(COMMANDS));
    const gateway = await TestGateway.start({ folder, env: { XDG_RUNTIME_DIR: runtime } });
    const { socket } = JSON.parse(readFileSync(join(folder.home, 'sluice.pid'), 'utf8'));
    return { gateway, socket: String(socket) };
  }

  const inTmp = new RegExp(`^/tmp/sluice-${process.getuid?.()}/`);

  test('has it in /tmp where the runtime folder is not there, which nobody makes', async () => {
    using folder = new TestFolder(LONG);
    const runtime = join(folder.path, 'run');
    const { gateway, socket } = await started(folder, runtime);
    await using _ = gateway;
    expect(socket).toMatch(inTmp);
    expect(existsSync(runtime)).toBe(false);
    expect((await gateway.cli('exec', 'hi')).stdout).toBe('hi\n');
  });

  test('is found from another environment by what its gateway says', async () => {
    using folder = new TestFolder(LONG);
    const runtime = join(folder.path, 'run');
    mkdirSync(runtime, { mode: 0o700 });
    const { gateway, socket } = await started(folder, runtime);
    await using _ = gateway;
    expect(socket.startsWith(`${runtime}/sluice/`)).toBe(true);
    // A CLI of these tests has no runtime folder.
    expect((await gateway.cli('send', 'hello')).stdout).toBe('echo: hello\n');
    expect((await gateway.cli('status')).code).toBe(0);
  });

  test.runIf(asRoot)("has it in /tmp where the runtime folder is another user's, as after sudo", async () => {
    using folder = new TestFolder(LONG);
    const runtime = join(folder.path, 'run');
    mkdirSync(runtime, { mode: 0o700 });
    chownSync(runtime, OTHER, OTHER);
    const { gateway, socket } = await started(folder, runtime);
    await using _ = gateway;
    expect(socket).toMatch(inTmp);
    expect(existsSync(join(runtime, 'sluice'))).toBe(false);
  });
});
