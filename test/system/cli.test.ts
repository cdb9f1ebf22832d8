/** The real CLI against real gateways: that run, that do not, that are wedged, and that leave meanwhile. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { isRunning, storeRows } from '../support/home-files.ts';

const MAIN = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const QUICK = `quick_commands:
  up: { type: exec, command: "echo up" }
  three: { type: exec, command: "exit 3" }
  count: { type: exec, command: "echo ran >> count", cwd: . }
  many: { type: exec, command: "seq 5000" }
  again: { type: exec, command: '"$NODE" "$MAIN" restart 2>/dev/null', env: [NODE, MAIN], timeout: 20 }`;
const ENV = { NODE: process.execPath, MAIN };

describe('with a gateway that runs', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start({ config: QUICK, env: ENV });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test('what is wrong is told with a next step at a shell, never with a page about HTTP', async () => {
    for (const args of [
      ['logs', '--message', 'nope'],
      ['send', 'x', '--conversation', 'c'.repeat(300)],
    ]) {
      const { code, stderr } = await gateway.cli(...args);
      expect([code, stderr], args.join(' ')).toEqual([1, expect.stringMatching(/^sluice: .+\n.+\.\n$/)]);
      expect(stderr).not.toContain('http.md');
    }
  });

  test('--json prints one JSON document and nothing else, for every command', async () => {
    const commands = [
      ['status'],
      ['send', 'hello'],
      ['send', 'hello', '--no-wait'],
      ['send', '/nosuch'],
      ['exec', 'up'],
      ['exec', 'three'],
      ['exec'],
      ['drain', '--wait'],
      ['send', 'refused while draining'],
      ['drain', '--cancel'],
      ['drain', '--cancel'],
    ];
    const codes = [];
    for (const words of commands) {
      const { code, stdout, json } = await gateway.cli(...words, '--json');
      expect(json, `${words.join(' ')}: ${stdout}`).toBeTypeOf('object');
      codes.push(code);
    }
    expect(codes).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 3]);
  });

  test('wrong usage with --json is a document, too', async () => {
    const wrong: readonly (readonly string[])[] = [
      ['status', '--jsn'],
      ['send'],
      ['drain', '--for', 'soon'],
      ['drain', '--for', '25h'],
      ['drain', '--cancel', '--wait'],
      ['drain', '--cancel', '--for', '5s'],
      ['drain', '--cancel', '--reason', 'why'],
      ['restart', '--timeout', '0'],
    ];
    for (const words of wrong) {
      expect(await gateway.cli(...words, '--json'), words.join(' ')).toMatchObject({
        code: 2,
        json: {
          error: { code: 'USAGE', message: expect.any(String), hint: expect.any(String) },
          exitCode: 2,
        },
      });
    }
    expect(await gateway.status()).toMatchObject({ state: 'running.healthy' });
  });

  test('an option that was meant for a quick command is told where it belongs', async () => {
    const told = await runCli(['exec', 'up', 'a', '-x', '--home', gateway.folder.home], gateway.folder.path);
    expect(told).toMatchObject({ code: 2, stdout: '' });
    expect(told.stderr).toMatch(
      /^error: unknown option '-x'\n.*\nTo give it to \/up: (npx )?sluice exec up -- a -x\n$/,
    );
    const { code, json } = await gateway.cli('exec', '/up', '--lines', '--json');
    expect(code).toBe(2);
    expect(json).toMatchObject({
      exitCode: 2,
      error: {
        code: 'USAGE',
        hint: expect.stringMatching(/^To give it to \/up: (npx )?sluice exec \/up -- --lines$/),
      },
    });
    const nameless = await runCli(['exec', '-x'], gateway.folder.path);
    expect(nameless).toMatchObject({ code: 2, stderr: expect.not.stringContaining('To give it') });
  });

  test('the common options may stand before the command', async () => {
    const { home } = gateway.folder;
    expect((await runCli(['--home', home, 'status'], '/')).stdout).toContain(`pid ${gateway.pid}`);
    expect((await runCli(['--json', '--home', home, 'status'], '/')).json).toMatchObject({
      pid: gateway.pid,
    });
    expect((await runCli(['--home', '/nowhere', 'status', '--home', home], '/')).code).toBe(0);
  });

  test('send --no-wait prints the admission alone, also of what has its answer already', async () => {
    await gateway.send('hello', { id: 'answered' });
    const words = ['send', 'hello', '--id', 'answered', '--no-wait'];
    expect((await gateway.cli(...words)).stdout).toMatch(/^m_\w+ turn dispatch\n$/);
    const { json } = await gateway.cli(...words, '--json');
    expect(json).toMatchObject({ kind: 'turn', admission: 'dispatch', duplicate: true });
    expect(json).not.toHaveProperty('outcome');
  });

  test('a send that waited long enough says that the turn goes on, and how to hear its answer', async () => {
    gateway.folder.fifo('long');
    // Long enough for the agent to begin on a busy machine.
    const sent = await gateway.cli('send', 'wait long', '--id', 'long', '--timeout', '3');
    expect(sent).toMatchObject({
      code: 1,
      stdout: 'started long\n',
      stderr:
        'sluice: still working after 3 s\nThe answer is kept: to hear it, send the same again with --id long\n',
    });
    await gateway.folder.release('long');
    await gateway.inFlight('turns', 0);
    expect(await gateway.cli('send', 'wait long', '--id', 'long')).toMatchObject({
      code: 0,
      stdout: 'started long\nfinished long\n',
    });
  });

  test('a request of the gateway that it cannot carry out exits with 3, as a message too', async () => {
    expect((await gateway.cli('send', '/drain cancel')).code).toBe(3);
    writeFileSync(join(gateway.folder.path, 'good.yaml'), readFileSync(gateway.folder.configPath));
    gateway.folder.writeConfig('nonsense: 1');
    expect(await gateway.cli('send', '/restart')).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('Not restarted: the configuration is invalid.'),
    });
    gateway.folder.writeConfig(readFileSync(join(gateway.folder.path, 'good.yaml'), 'utf8'));
  });

  test.skipIf(!existsSync('/dev/full'))('an answer that cannot be written is a failure', () => {
    const script = `"$NODE" "$MAIN" status --home '${gateway.folder.home}' > /dev/full; echo "code $?" >&2`;
    const { stderr } = spawnSync('bash', ['-c', script], {
      env: { ...process.env, ...ENV },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^sluice: the answer could not be written: .*ENOSPC.*\ncode 1\n$/);
  });

  test('status --watch --json is one document a line', async () => {
    const watching = spawn(
      process.execPath,
      [MAIN, 'status', '--watch', '--json', '--home', gateway.folder.home],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const exited = once(watching, 'exit');
    const states: string[] = [];
    for await (const line of createInterface(watching.stdout)) {
      states.push(JSON.parse(line).state);
      if (states.length === 2) break;
    }
    watching.kill();
    await exited;
    expect(states).toEqual(['running.healthy', 'running.healthy']);
  });

  test('every command works from any folder, and an unknown option is wrong usage', async () => {
    const home = ['--home', gateway.folder.home];
    expect(await runCli(['exec', 'up', ...home], '/')).toMatchObject({ code: 0, stdout: 'up\n', stderr: '' });
    expect((await runCli(['status', ...home], '/')).stdout).toContain(`pid ${gateway.pid}`);
    expect(await runCli(['status', '--jsn', ...home], '/')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/unknown option '--jsn'[\s\S]*--json/),
    });
    expect((await runCli(['send', ...home], '/')).code).toBe(2);
    expect((await runCli(['exec', 'three', '--exit-code', ...home], '/')).code).toBe(3);
  });

  test('a pipe that closes is no error', async () => {
    const script = `"$NODE" "$MAIN" exec many --home '${gateway.folder.home}' | head -1; "$NODE" "$MAIN" send hello --home '${gateway.folder.home}' >&-; echo "code $?"`;
    const said = execFileSync('bash', ['-c', script], {
      env: { ...process.env, ...ENV },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(said).toBe('1\ncode 0\n');
  });

  test('a command that restarts the gateway returns at once, and the restart comes when it has settled', async () => {
    const { json } = await gateway.send('/again', { id: 'again' });
    expect(json).toMatchObject({
      outcome: 'ran',
      replies: ['asked; it happens when this work has settled'],
    });
    await gateway.ready(2);
    expect(await gateway.status()).toMatchObject({ epoch: 2, pid: gateway.pid });
    expect(await gateway.outcome('again')).toMatchObject({ duplicate: true, outcome: 'ran' });
  });

  test('a message that is kept says so, survives the restart in place, and its answer is printed', async () => {
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one', { conversation: 'other' });
    await gateway.inFlight('turns', 1);
    const { epoch } = await gateway.status();
    const restart = gateway.cli('restart');
    await gateway.statusWhere(({ state }) => state === 'draining.waiting');
    await gateway.post('before', { conversation: 'kept', whenBusy: 'queue', id: 'kept' });
    const sent = gateway.cli('send', 'before', '--conversation', 'kept', '--id', 'kept');
    const json = gateway.cli('send', 'before', '--id', 'kept', '--json');
    const shown = gateway.cli('status');
    expect((await shown).stdout).toMatch(/held {5}1/);
    await gateway.folder.release('one');
    await turn;
    expect(await restart).toMatchObject({ code: 0, stderr: expect.stringContaining(`epoch ${epoch + 1}`) });
    expect(await sent).toMatchObject({
      code: 0,
      stdout: 'echo: before\n',
      // By the one that leaves, or by the next one while it starts.
      stderr: expect.stringMatching(
        /^(Kept: (the gateway is restarting\. It is answered as soon as it is back|it is answered as soon as the gateway takes turns again)\.\n)?$/,
      ),
    });
    expect(await json).toMatchObject({ code: 0, json: { outcome: 'answered', replies: ['echo: before\n'] } });
  });

  test('a wedged gateway: status says for how long and what to do, exec runs by itself, and once', async () => {
    const silent = await wedged(gateway, async () => {
      const status = await gateway.cli('status');
      expect(status).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(
          /^not answering for \d+ s: pid \d+, epoch \d+, last state running\.healthy\n$/,
        ),
        stderr: expect.stringContaining(`kill -9 ${gateway.pid}`),
      });
      const ran = await gateway.cli('exec', 'count', '--id', 'once', '--json');
      expect(ran).toMatchObject({ code: 0, json: { outcome: 'ran', offline: true, recorded: true } });
      expect(ran.stderr).toContain('the gateway does not answer: run by this process');
      return ran;
    });
    expect(silent.code).toBe(0);
    // What the CLI had sent lies in the socket: the gateway reads it when it wakes.
    expect(await gateway.outcome('once')).toMatchObject({ duplicate: true, outcome: 'ran' });
    expect(readFileSync(join(gateway.folder.path, 'count'), 'utf8')).toBe('ran\n');
    const rows = storeRows(gateway.folder.home, "SELECT outcome FROM inbox WHERE text = '/count'");
    expect(rows).toEqual([{ outcome: 'ran' }]);
  });

  test('stop twice: both return when it is gone', async () => {
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one');
    await gateway.inFlight('turns', 1);
    const asked = [gateway.cli('stop'), gateway.cli('stop', '--json')];
    await gateway.log((line) => line.intent === 'stop' && line.verdict === 'joined', 'the second to join');
    await gateway.folder.release('one');
    expect((await turn).json).toMatchObject({ outcome: 'answered' });
    const both = await Promise.all(asked);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both[1]?.json).toMatchObject({ gone: true });
    expect(isRunning(gateway.pid)).toBe(false);
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });
});

describe('without a gateway', () => {
  test('a run that fails says so as one document', async () => {
    using folder = new TestFolder();
    const run = (...words: string[]) =>
      runCli(['run', '--json', '--home', folder.home, ...words], folder.path);
    folder.writeConfig('listne: {}');
    const invalid = await run('--config', folder.configPath);
    expect(invalid).toMatchObject({ code: 78, json: { error: { code: 'CONFIG_INVALID' }, exitCode: 78 } });
    expect(invalid.json.error.hint).toBe('Correct the named keys, then start again.');

    folder.writeConfig(testConfig(''));
    await using other = await TestGateway.start({ folder });
    expect(await run('--config', folder.configPath)).toMatchObject({
      code: 73,
      json: { error: { code: 'HOME_OWNED' }, exitCode: 73 },
    });
    const { url } = await other.http();
    const taken = new TestFolder();
    taken.writeConfig(testConfig('').replace('127.0.0.1:0', new URL(url).host));
    const words = ['run', '--json', '--home', taken.home, '--config', taken.configPath];
    const port = await runCli(words, taken.path);
    taken[Symbol.dispose]();
    expect(port).toMatchObject({ code: 69, json: { error: { code: 'PORT_UNAVAILABLE' }, exitCode: 69 } });
  });

  test('stop, restart, send and status say so and exit with 4; exec runs by itself and says that', async () => {
    using folder = new TestFolder();
    folder.writeConfig(testConfig(QUICK));
    const options = ['--home', folder.home, '--config', folder.configPath];
    for (const words of [['stop'], ['restart'], ['send', 'hello'], ['status'], ['drain']]) {
      const said = await runCli([...words, ...options], folder.path);
      expect(said, words[0]).toMatchObject({ code: 4, stdout: '' });
      expect(said.stderr).toContain(`no gateway is running here (home ${folder.home})`);
    }
    const ran = await runCli(['exec', 'up', ...options], folder.path);
    expect(ran).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no gateway is running: run by this process'),
    });
    expect(ran.stdout).toMatch(/^up\n/);
  });

  test('a restart whose next start fails is not called a restart', async () => {
    await using gateway = await TestGateway.start({ env: { SLUICE_SUPERVISOR: 'none' } });
    gateway.folder.fifo('one');
    const turn = gateway.send('wait one');
    await gateway.inFlight('turns', 1);
    const restart = gateway.cli('restart');
    await gateway.entered('draining.waiting');
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(join(gateway.folder.home, 'sluice.db'));
    db.exec('PRAGMA user_version = 999');
    db.close();
    await gateway.folder.release('one');
    await turn;
    expect(await gateway.exited).toEqual({ code: 78, signal: null });
    expect(await restart).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the next start failed: exit 78 \(schema-newer\): .*schema/),
    });
  });

  test.skipIf(!existsSync(BUILT) || olderNode() === undefined)(
    'under an older Node it says which one it needs and exits with 1 (needs the build, and an older Node)',
    () => {
      const child = spawn(olderNode() ?? '', [BUILT, 'status']);
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
      return new Promise<void>((resolve) => {
        child.once('close', (code) => {
          expect(said).toMatch(/^sluice needs Node ≥ 24, this is 2[0-3]\.\d+/);
          expect(code).toBe(1);
          resolve();
        });
      });
    },
  );
});

/** Does something while the gateway is stopped by SIGSTOP, long enough that its heartbeat is late. */
async function wedged<T>(gateway: TestGateway, work: () => Promise<T>): Promise<T> {
  gateway.signal('SIGSTOP');
  try {
    return await work();
  } finally {
    gateway.signal('SIGCONT');
  }
}

/** The machine's own Node, where it is an older one. */
function olderNode(): string | undefined {
  try {
    const version = execFileSync('/usr/bin/node', ['--version'], { encoding: 'utf8' });
    return /^v2[0-3]\./.test(version) ? '/usr/bin/node' : undefined;
  } catch {
    return undefined;
  }
}
