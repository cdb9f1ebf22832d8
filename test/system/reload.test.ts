/** A configuration that changes under a real gateway: what counts at once, what waits, and what changes nothing. */
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpRequest, type Reply, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { isRunning, statusFile, when } from '../support/home-files.ts';
import { OpenAiStandIn } from '../support/openai-stand-in.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const MAIN = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const says = (text: string, more = '') =>
  `quick_commands: { say: { type: exec, command: "echo ${text}" } }\n${more}`;

const said = async (gateway: TestGateway): Promise<string> => (await gateway.send('/say')).json.replies[0];

const reload = (gateway: TestGateway): Promise<Reply> => gateway.request('POST', '/v1/reload');

/** Puts a file in the place of the gateway's as most editors do. */
function replace({ folder }: TestGateway, text: string): void {
  const other = join(folder.path, '.sluice.yaml.swp');
  writeFileSync(other, text);
  renameSync(other, folder.configPath);
}

const reloadsIn = (gateway: TestGateway, cause: string) =>
  gateway.lines.filter((line) => line.cause === cause && line.msg.startsWith('reload asked by'));

describe('sluice reload', () => {
  test('says of each changed key what happened, and a command, a person and an agent are others at once', async () => {
    await using gateway = await TestGateway.start({ config: says('before') });
    const { configPath } = gateway.folder;
    gateway.folder.writeConfig(
      testConfig(
        `agent: { type: command, command: "cat; echo and more", turn_timeout: 5m }\n${says('after')}`,
      ),
    );
    const { code, stdout, stderr } = await gateway.cli('reload');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'from the next turn  agent.turn_timeout  30m → 5m',
      expect.stringMatching(/^from the next turn {2}agent\.command {2}.* → "cat; echo and more"$/),
      'now                 quick_commands.say.command  "echo before" → "echo after"',
      `${configPath} is reloaded: 3 changes.`,
      '',
    ]);
    expect(await said(gateway)).toBe('after');
    expect((await gateway.send('hello')).json.replies).toEqual(['helloand more\n']);
    expect(await gateway.cli('reload')).toMatchObject({
      code: 0,
      stdout: `${configPath} is reloaded: nothing has changed.\n`,
    });
    expect(await gateway.cli('reload', '--json')).toMatchObject({
      code: 0,
      json: { ok: true, file: configPath, changes: [], needs: null, warnings: [], notes: [] },
    });
  });

  test('leaves a running command and a running turn what they began with', async () => {
    const slow = (command: string, timeout: number) =>
      `quick_commands: { slow: { type: exec, command: "${command}", timeout: ${timeout}, concurrency: 2 } }`;
    await using gateway = await TestGateway.start({ config: slow('cat one; echo old', 60) });
    for (const name of ['one', 'two']) gateway.folder.fifo(name);
    const command = gateway.send('/slow');
    const turn = gateway.send('wait two');
    await gateway.statusWhere(({ inFlight }) => inFlight.turns.length + inFlight.commands.length === 2);
    gateway.folder.writeConfig(testConfig(`agent: { command: "echo new agent" }\n${slow('echo new', 0.01)}`));
    expect((await reload(gateway)).status).toBe(200);
    expect((await gateway.send('hello', { conversation: 'other' })).json.replies).toEqual(['new agent\n']);
    await gateway.folder.release('one');
    await gateway.folder.release('two');
    expect((await command).json).toMatchObject({ outcome: 'ran', replies: ['old'] });
    expect((await turn).json).toMatchObject({ outcome: 'answered' });
    expect((await turn).json.replies).not.toEqual(['new agent\n']);
  });

  test('leaves what waits for a restart as it is, and the status names it until then', async () => {
    await using gateway = await TestGateway.start({ config: says('one') });
    const { url, token } = await gateway.http();
    const moved = testConfig(says('two')).replace('http: 127.0.0.1:0', 'http: off');
    gateway.folder.writeConfig(moved);
    const { stdout, code } = await gateway.cli('reload');
    expect({ code, lines: stdout.split('\n') }).toEqual({
      code: 0,
      lines: [
        'needs a restart     listen.http  127.0.0.1:0 → "off"',
        'now                 quick_commands.say.command  "echo one" → "echo two"',
        `${gateway.folder.configPath} is reloaded: 1 change, and 1 that waits for a restart: sluice restart`,
        '',
      ],
    });
    const at = new URL(url);
    const where = {
      host: at.hostname,
      port: Number(at.port),
      headers: { host: at.host, authorization: `Bearer ${token}` },
    };
    const { json } = await httpRequest(where, 'GET', '/v1/status');
    expect(json.warnings).toEqual(['waiting for a restart: listen.http']);
    expect(await said(gateway)).toBe('two');
    // A plan and another reload still tell of it.
    expect((await gateway.cli('config', 'plan', '--json')).json.changes).toMatchObject([
      { key: 'listen.http', applies: 'restart' },
    ]);
    expect((await reload(gateway)).json).toMatchObject({
      changes: [{ key: 'listen.http' }],
      needs: 'restart',
    });
    await gateway.cli('restart');
    expect(await gateway.status()).toMatchObject({ epoch: 2, http: null, warnings: [] });
  });

  test('keeps what it applied as the last good configuration', async () => {
    await using gateway = await TestGateway.start({ config: says('one') });
    const good = testConfig(says('two'));
    gateway.folder.writeConfig(good);
    await reload(gateway);
    gateway.folder.writeConfig('listn: {}\n');
    expect((await reload(gateway)).status).toBe(409);
    const kept = readFileSync(join(gateway.folder.home, 'last-good.yaml'), 'utf8');
    expect(kept.slice(kept.indexOf('\n') + 1)).toBe(good);
    gateway.signal('SIGUSR1');
    await gateway.ready(2);
    expect(await said(gateway)).toBe('two');
    // Once the file is valid again the last good one is over.
    gateway.folder.writeConfig(testConfig(says('three')));
    await reload(gateway);
    expect({ said: await said(gateway), warnings: (await gateway.status()).warnings }).toEqual({
      said: 'three',
      warnings: [],
    });
  });

  test('says which changes have no effect because the environment holds the key, as at the start', async () => {
    await using gateway = await TestGateway.start({ env: { SLUICE_RESTART_DRAIN_TIMEOUT: '7' } });
    gateway.folder.writeConfig(testConfig(`agent: { command: cat, restart_drain_timeout: 90 }`));
    const { stdout } = await gateway.cli('reload');
    expect(stdout).toContain(
      "agent.restart_drain_timeout  1m → 90s (no effect: SLUICE_RESTART_DRAIN_TIMEOUT holds in the gateway's environment)",
    );
    expect((await gateway.status()).deadlines.drainMs).toBe(7000);
  });

  test('without a gateway exits with 4', async () => {
    await using gateway = await TestGateway.start();
    await gateway.stop();
    expect((await gateway.cli('reload')).code).toBe(4);
  });
});

describe('a file that cannot be used', () => {
  const large = `# ${'x'.repeat(1024 * 1024)}`;
  const WRONG: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['is gone', () => {}, /^FILE:1:1 \(file\): does not exist; /],
    ['is a folder', (path) => mkdirSync(path), /^FILE:1:1 \(file\): is a folder; name a file in it$/m],
    [
      'is half-written',
      (path) => writeFileSync(path, 'quick_commands:\n  say: { type: exec, comm'),
      /^FILE:2:\d+ /,
    ],
    ['ends in the middle of a text', (path) => writeFileSync(path, 'agent: { command: "ca'), /^FILE:1:\d+ /],
    [
      'has a byte more than 1 MB',
      (path) => writeFileSync(path, large.slice(0, 1024 * 1024 + 1)),
      /larger than 1 MB/,
    ],
    [
      'is no text',
      (path) => writeFileSync(path, Uint8Array.of(0x61, 0xff)),
      /^FILE:1:2 \(file\): is not UTF-8 text/,
    ],
    [
      'has two errors',
      (path) => writeFileSync(path, 'listn: {}\nagent: { turn_timeout: soon }\n'),
      /^FILE:1:1 listn: unknown key; did you mean listen\?\n {5}1 \| listn: \{\}\nFILE:2:24 agent\.turn_timeout: "soon" is not a duration; [^\n]*\n.*\nFILE has 2 errors; nothing is changed\n$/,
    ],
  ];

  test('changes nothing, is said with its place, and the next good one is taken', async () => {
    await using gateway = await TestGateway.start({ config: says('before') });
    const { configPath, home } = gateway.folder;
    const running = (await gateway.request('GET', '/v1/configuration')).json;
    const lastGood = readFileSync(join(home, 'last-good.yaml'));
    for (const [what, write, text] of WRONG) {
      rmSync(configPath, { recursive: true, force: true });
      write(configPath);
      const { code, stdout } = await gateway.cli('reload');
      expect(code, what).toBe(1);
      expect(stdout.replaceAll(configPath, 'FILE'), what).toMatch(text);
      expect((await gateway.request('GET', '/v1/configuration')).json, what).toEqual(running);
      expect(await said(gateway), what).toBe('before');
      const { warnings } = await gateway.status();
      expect(warnings, what).toEqual([
        expect.stringContaining(`the last reload changed nothing, because: ${configPath}:`),
      ]);
    }
    expect(readFileSync(join(home, 'last-good.yaml'))).toEqual(lastGood);
    rmSync(configPath, { recursive: true, force: true });
    gateway.folder.writeConfig(testConfig(says('after')));
    expect((await gateway.cli('reload')).code).toBe(0);
    expect((await gateway.status()).warnings).toEqual([]);
    expect(await said(gateway)).toBe('after');
  });

  test.skipIf(process.getuid?.() !== 0)(
    'that may not be read by the gateway changes nothing (needs root, to give the file away)',
    async () => {
      using folder = new TestFolder();
      folder.writeConfig(testConfig(says('before')));
      mkdirSync(folder.home);
      for (const path of [folder.path, folder.home]) chownSync(path, 65_534, 65_534);
      const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
      await using gateway = await TestGateway.start({ folder, under: drop });
      folder.writeConfig(testConfig(says('after')));
      chmodSync(folder.configPath, 0o600);
      const { json, status } = await reload(gateway);
      expect(status).toBe(409);
      expect(json.errors).toMatchObject([{ key: '(file)', message: 'may not be read by this user' }]);
      expect(await said(gateway)).toBe('before');
    },
  );
});

describe('POST /v1/reload', () => {
  test('wants the token, and shows no line of the file and no value in it', async () => {
    await using gateway = await TestGateway.start({ config: says('before') });
    const { url, token } = await gateway.http();
    const { hostname, port, host } = new URL(url);
    const where = { host: hostname, port: Number(port), headers: { host } };
    expect((await httpRequest(where, 'POST', '/v1/reload')).status).toBe(401);
    const known = { ...where, headers: { host, authorization: `Bearer ${token}` } };
    expect((await httpRequest(known, 'GET', '/v1/reload')).status).toBe(405);
    gateway.folder.writeConfig('listn: { secret: hunter22222 }\n');
    const wrong = await httpRequest(known, 'POST', '/v1/reload');
    expect(wrong).toMatchObject({
      status: 409,
      json: {
        error: {
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(/^nothing is changed: .* has 1 error$/),
        },
        errors: [{ line: 1, column: 1, key: 'listn', message: 'unknown key', source: '' }],
        more: 0,
      },
    });
    expect(JSON.stringify(wrong.json)).not.toContain('hunter');
    gateway.folder.writeConfig(testConfig(says('after')));
    const key = 'quick_commands.say.command';
    expect(await httpRequest(known, 'POST', '/v1/reload', {})).toEqual({
      status: 200,
      json: {
        file: gateway.folder.configPath,
        changes: [{ key, change: 'changed', applies: 'now', heldBy: null }],
        ...{ needs: 'now', warnings: [], notes: [] },
      },
    });
    gateway.folder.writeConfig(testConfig(says('at the socket -u ada:hunter2 -phunter2')));
    const [change] = (await reload(gateway)).json.changes;
    expect(change).toMatchObject({
      key,
      before: '"echo after"',
      after: '"echo at the socket -u ada:*** -p***"',
    });
    expect(reloadsIn(gateway, 'reload')).toMatchObject([
      { actor: 'local:owner', level: 40 },
      { actor: 'local:owner', level: 30, changes: 1 },
      { actor: 'local:owner', level: 30, changes: 1 },
    ]);
  });

  test('is in order when many come at once, and the last file is the one that runs', async () => {
    await using gateway = await TestGateway.start({ config: says('0') });
    const asked: Promise<Reply>[] = [];
    for (let n = 1; n <= 20; n += 1) {
      replace(gateway, testConfig(says(String(n))));
      asked.push(reload(gateway));
    }
    const replies = await Promise.all(asked);
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await said(gateway)).toBe('20');
  });
});

describe('SIGHUP', () => {
  test('reloads a gateway that never had a terminal, and an invalid file is told in the log and the status', async () => {
    await using gateway = await TestGateway.start({ config: says('before'), under: ['setsid', '--wait'] });
    const { pid } = statusFile(gateway.folder.home);
    gateway.folder.writeConfig(testConfig(says('after')));
    process.kill(pid, 'SIGHUP');
    await gateway.log((line) => line.cause === 'SIGHUP' && line.actor === 'signal');
    expect(await said(gateway)).toBe('after');
    gateway.folder.writeConfig('listn: {}\n');
    process.kill(pid, 'SIGHUP');
    await gateway.log(
      (line) => line.cause === 'SIGHUP' && /nothing is changed, because: .*listn/.test(line.msg),
    );
    expect(await gateway.status()).toMatchObject({ state: 'running.healthy', intent: null });
    expect((await gateway.status()).warnings).toEqual([expect.stringMatching(/because: .*:1:1 listn/)]);
    expect(await said(gateway)).toBe('after');
  });

  test.skipIf(process.platform !== 'linux')(
    'reloads while the terminal can be opened, and stops the gateway when that has gone (Linux: util-linux’ script)',
    async () => {
      using folder = new TestFolder();
      folder.writeConfig(testConfig(says('before')));
      mkdirSync(folder.home, { mode: 0o700 });
      const command = `exec '${process.execPath}' '${MAIN}' run --home '${folder.home}' --config '${folder.configPath}'`;
      const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      onTestFinished(() => void terminal.kill('SIGKILL'));
      let shown = '';
      const shows = (text: string) =>
        new Promise<void>((resolve) => {
          const look = () => shown.includes(text) && resolve();
          terminal.stdout.on('data', look);
          look();
        });
      terminal.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
      await shows('/?token=');
      const { pid } = statusFile(folder.home);
      folder.writeConfig(testConfig(says('after')));
      process.kill(pid, 'SIGHUP');
      await shows('reload asked by signal: quick_commands.say.command (now)');
      expect(statusFile(folder.home)).toMatchObject({ state: 'running.healthy', intent: null });
      const left = when(folder.home, () => 'exit' in statusFile(folder.home));
      terminal.kill('SIGKILL');
      await left;
      expect(statusFile(folder.home)).toMatchObject({ pid, exit: { code: 0, cause: 'hangup' } });
      await when(folder.home, () => !isRunning(pid), 20);
    },
  );
});

describe('a gateway that leaves', () => {
  test('reloads while it drains, and the drain under way keeps its deadline', async () => {
    await using gateway = await TestGateway.start({ config: says('before') });
    gateway.folder.fifo('turn');
    const turn = gateway.send('wait turn');
    await gateway.inFlight('turns', 1);
    gateway.signal('SIGINT');
    const { deadlineAt } = await gateway.statusWhere(({ state }) => state === 'draining.waiting');
    gateway.folder.writeConfig(
      testConfig(`agent: { command: "cat", restart_drain_timeout: 1s }\n${says('after')}`),
    );
    const { stdout } = await gateway.cli('reload');
    expect(stdout).toContain(
      'note: the deadline under way stays as it is; agent.restart_drain_timeout counts from the next one on',
    );
    expect(await gateway.status()).toMatchObject({ state: 'draining.waiting', deadlineAt });
    expect(await said(gateway)).toBe('after');
    // Code that was not needed before is not loaded now: it may be the next version's.
    gateway.folder.writeConfig(
      testConfig(`agent: { type: openai, base_url: "http://127.0.0.1:1/v1", model: m }\n${says('never')}`),
    );
    expect(await reload(gateway)).toMatchObject({ status: 409, json: { error: { code: 'RESTART_NEEDED' } } });
    expect(await said(gateway)).toBe('after');
    await gateway.folder.release('turn');
    expect((await turn).json).toMatchObject({ outcome: 'answered' });
    expect((await gateway.exited).code).toBe(0);
  });

  test('answers that it is leaving once it closes', async () => {
    await using server = await StandInServer.start();
    await using gateway = await startWithStandIn(server, { config: says('before') });
    server.hold('stop-receiving');
    gateway.signal('SIGINT');
    await gateway.entered('stopped.closing');
    gateway.folder.writeConfig(testConfig(`${server.config}\n${says('after')}`));
    expect(await gateway.cli('reload')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('the gateway is leaving: nothing is reloaded any more'),
    });
    server.release('stop-receiving');
    await gateway.exited;
  });
});

test('an agent behind an API that a reload adds answers, and its key is in no log line', async () => {
  const key = 'sk-planted-9876543210';
  await using server = await OpenAiStandIn.start();
  await using gateway = await TestGateway.start({ config: says('hi'), env: { MODEL_KEY: key } });
  const model = `agents: { ${key}: { type: openai, base_url: "${server.baseUrl}", model: m, api_key_env: MODEL_KEY } }`;
  gateway.folder.writeConfig(testConfig(`${model}\n${says('hi')}`));
  expect((await reload(gateway)).status).toBe(200);
  expect((await gateway.send('hello', { agent: key })).json).toMatchObject({ replies: ['you said: hello'] });
  expect(server.asked[0]?.request.headers.authorization).toBe(`Bearer ${key}`);
  expect(gateway.stderr).toContain('reload asked by local:owner: agents.[redacted] (next turn)');
  expect(gateway.stderr).not.toContain(key);
});

describe('a watched file', () => {
  const WATCHED = 'reload: { watch: true }\n';

  test('is reloaded when it is written or replaced, and an invalid one is said once', async () => {
    await using gateway = await TestGateway.start({ config: says('one', WATCHED) });
    replace(gateway, testConfig(says('two', WATCHED)));
    await gateway.log((line) => line.cause === 'watch' && line.changes === 1);
    expect(await said(gateway)).toBe('two');
    gateway.folder.writeConfig(testConfig(says('three', WATCHED)));
    await gateway.until(() => reloadsIn(gateway, 'watch').length === 2, 'a second reload');
    expect(await said(gateway)).toBe('three');

    replace(gateway, 'listn: {}\n');
    await gateway.log((line) => line.cause === 'watch' && line.level === 40);
    replace(gateway, 'listn: { }\n');
    replace(gateway, 'listn: {}\n');
    expect((await gateway.status()).warnings).toEqual([expect.stringContaining('listn')]);
    expect(await said(gateway)).toBe('three');

    // What ends the watch is the last thing that it sees.
    replace(gateway, testConfig(says('four')));
    await gateway.log((line) => line.cause === 'watch' && line.changes === 2);
    expect((await gateway.status()).warnings).toEqual([]);
    expect(await said(gateway)).toBe('four');
    expect(reloadsIn(gateway, 'watch').filter(({ level }) => level === 40)).toHaveLength(1);
  });

  test('is not reloaded by itself unless it is asked for', async () => {
    await using gateway = await TestGateway.start({ config: says('one') });
    replace(gateway, testConfig(says('two', WATCHED)));
    await reload(gateway);
    replace(gateway, testConfig(says('three', WATCHED)));
    await gateway.log((line) => line.cause === 'watch' && line.changes === 1);
    expect(reloadsIn(gateway, 'watch')).toHaveLength(1);
  });
});
