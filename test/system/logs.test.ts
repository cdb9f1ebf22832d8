/** What a gateway leaves to read: its log in the home, of this life and the last, followed over a restart; the way of one message. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EventClient } from '../support/event-client.ts';
import { httpRequest, runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { PATIENCE_MS } from '../support/polling.ts';
import { HOME_SIZE_KB, mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const messagesIn = (home: string, file = 'current.log'): string[] =>
  readFileSync(join(home, 'logs', file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg);

const reportsIn = (home: string): string[] =>
  readdirSync(join(home, 'logs')).filter((name) => name.startsWith('crash-'));

/** `sluice logs -f` as a process of its own, read as it goes. */
class Following implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';
  #wake: () => void = () => {};

  constructor(home: string, ...args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, 'logs', '-f', '--home', home, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#wake();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  get messages(): string[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).msg);
  }

  async until(check: () => boolean): Promise<void> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    while (!check()) {
      if (limit.aborted) throw new Error(`waited in vain\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        limit.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

describe('the log in the home', () => {
  test('has this life from its first line to its last, and the life before, over a restart in place', async () => {
    using folder = new TestFolder();
    await using gateway = await TestGateway.start({ folder, config: '' });
    gateway.signal('SIGUSR1');
    await gateway.ready(2);
    const before = messagesIn(folder.home, 'last.log');
    expect(before[0]).toMatch(/^sluice .* starts in /);
    expect(before.at(-1)).toBe('restarting in place');
    await gateway.stop();
    const messages = messagesIn(folder.home);
    expect(messages[0]).toMatch(/^sluice .* starts in /);
    expect(messages.at(-1)).toBe('exit 0 (SIGINT)');
    expect(reportsIn(folder.home)).toEqual([]);
  });

  test('survives a kill -9 up to the last line that was written', async () => {
    using folder = new TestFolder();
    await using gateway = await TestGateway.start({ folder, config: '' });
    await gateway.request('POST', '/v1/lifecycle', {
      intent: 'drain',
      reason: 'the last that is heard of it',
    });
    await gateway.kill9();
    expect(readFileSync(join(folder.home, 'logs/current.log'), 'utf8')).toContain(
      'the last that is heard of it',
    );
  });

  test('of an owner is not touched by a start that loses', async () => {
    using folder = new TestFolder();
    await using owner = await TestGateway.start({ folder, config: '' });
    const before = readFileSync(join(folder.home, 'logs/current.log'), 'utf8');
    await using loser = await TestGateway.start({ folder, early: true });
    expect((await loser.exited).code).toBe(73);
    expect(readdirSync(join(folder.home, 'logs')).toSorted()).toEqual(['current.log', 'current.ran']);
    expect(readFileSync(join(folder.home, 'logs/current.log'), 'utf8')).toBe(before);
    expect(owner.alive).toBe(true);
  });

  test('says why a start failed that had the home already', async () => {
    using folder = new TestFolder();
    await using gateway = await TestGateway.start({ folder, configText: 'agent: 7', early: true });
    expect((await gateway.exited).code).toBe(78);
    expect(messagesIn(folder.home).join('\n')).toMatch(/not started: .*agent/);
    expect(reportsIn(folder.home)).toEqual([]);
  });

  test('of a life that died is still there after starts that failed', async () => {
    using folder = new TestFolder();
    await using died = await TestGateway.start({ folder, config: '' });
    await died.request('POST', '/v1/lifecycle', { intent: 'drain', reason: 'before it died' });
    await died.kill9();
    for (let start = 0; start < 3; start += 1) {
      await using failed = await TestGateway.start({ folder, configText: 'agent: 7', early: true });
      expect((await failed.exited).code).toBe(78);
    }
    const last = await runCli(['logs', '--last-life', '--home', folder.home], folder.path);
    expect(last.stdout).toContain('before it died');
    const failures = await runCli(['logs', '--home', folder.home], folder.path);
    expect(failures.stdout.match(/not started: /g)).toHaveLength(3);
    await using gateway = await TestGateway.start({ folder, config: '' });
    expect((await gateway.cli('logs', '--last-life')).stdout).toContain('before it died');
    expect(messagesIn(folder.home).at(-1)).toMatch(/^a stop takes/);
  });

  test.skipIf(process.platform !== 'linux')(
    'is JSON also where a terminal gets it for eyes, and has no token in it',
    async () => {
      using folder = new TestFolder();
      folder.writeConfig(testConfig());
      const command = `exec '${process.execPath}' '${MAIN}' run --home '${folder.home}' --config '${folder.configPath}'`;
      const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      let shown = '';
      await new Promise<void>((resolve) => {
        terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
          shown += text;
          if (shown.includes('/?token=')) resolve();
        });
      });
      const token = readFileSync(join(folder.home, 'token'), 'utf8').trim();
      const log = readFileSync(join(folder.home, 'logs/current.log'), 'utf8');
      const ended = new Promise((resolve) => terminal.once('close', resolve));
      terminal.stdin.write('\u0003');
      await ended;
      expect(shown).toContain(token);
      expect(shown).not.toMatch(/^\{"level"/m);
      expect(log).toMatch(/^\{"level":30,.*"msg":"starting → running.healthy"\}$/m);
      expect(log).not.toContain(token);
    },
  );
});

describe('a log that finds no room', () => {
  test('in a folder that is none is said once, and disturbs nothing', async () => {
    using folder = new TestFolder();
    mkdirSync(folder.home, { mode: 0o700 });
    writeFileSync(join(folder.home, 'logs'), 'no folder');
    await using gateway = await TestGateway.start({ folder, config: '' });
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered' });
    const told = gateway.lines.filter(({ msg }) => /^the log in .* cannot be written/.test(msg));
    expect(told).toHaveLength(1);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  });

  test.skipIf(SMALL_DISK_MISSING)(
    'on a full disk leaves lines out, and goes on when there is room',
    async () => {
      using disk = mountSmallDisk(HOME_SIZE_KB);
      using folder = new TestFolder(disk.path);
      await using gateway = await TestGateway.start({ folder, config: '' });
      disk.fill();
      const cannot = (line: { msg: string }) =>
        /^the log in .* cannot be written: .*no space left/i.test(line.msg);
      // The last page of the file takes some lines more.
      while (!gateway.lines.some(cannot)) {
        for (const intent of ['drain', 'cancel-drain']) {
          expect((await gateway.request('POST', '/v1/lifecycle', { intent })).status).toBe(202);
        }
      }
      disk.empty();
      await expect
        .poll(async () => {
          await gateway.request('POST', '/v1/lifecycle', { intent: 'drain' });
          await gateway.request('POST', '/v1/lifecycle', { intent: 'cancel-drain' });
          return messagesIn(folder.home);
        })
        .toContain('log lines left out');
      expect(gateway.lines.filter(cannot)).toHaveLength(1);
      expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    },
  );
});

describe('sluice logs', () => {
  test('shows this life’s log, the last one’s, and as many lines as are asked for', async () => {
    await using gateway = await TestGateway.start();
    gateway.signal('SIGUSR1');
    await gateway.ready(2);
    const all = await gateway.cli('logs');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    const lines = all.stdout.trim().split('\n');
    expect(JSON.parse(lines[0] ?? '').msg).toMatch(/ starts in /);
    expect((await gateway.cli('logs', '-n', '2')).stdout.trim().split('\n')).toEqual(lines.slice(-2));
    expect((await gateway.cli('logs', '-n', '0')).stdout).toBe('');
    const last = await gateway.cli('logs', '--last-life', '--json');
    expect(last.json).toMatchObject({ life: 'last', running: true });
    expect(last.json.lines.at(-1)).toMatchObject({ msg: 'restarting in place', code: 75 });
  });

  test('reads the files where no gateway runs, and says so', async () => {
    using folder = new TestFolder();
    await using gateway = await TestGateway.start({ folder, config: '' });
    await gateway.stop();
    const read = await runCli(['logs', '--home', folder.home], folder.path);
    expect(read).toMatchObject({ code: 0, stderr: expect.stringContaining('no gateway is running') });
    expect(read.stdout).toContain('exit 0 (SIGINT)');
    const followed = await runCli(['logs', '-f', '-n', '1', '--home', folder.home], folder.path);
    expect(followed).toMatchObject({ code: 4, stderr: expect.stringContaining('no gateway is running') });
    expect(JSON.parse(followed.stdout).msg).toBe('exit 0 (SIGINT)');
  });

  test('-f exits with 4 where no gateway runs, whatever there is to show', async () => {
    using folder = new TestFolder();
    const follow = (...more: readonly string[]) =>
      runCli(['logs', '-f', '--home', folder.home, ...more], folder.path);
    expect(await follow()).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('no gateway is running'),
    });
    expect(existsSync(folder.home)).toBe(false);
    await using gateway = await TestGateway.start({ folder, config: '' });
    await gateway.kill9();
    const documents = (await follow('--json', '-n', '2')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(documents).toMatchObject([{ level: 30 }, { level: 30 }, { error: { code: 'NO_GATEWAY' } }]);
    rmSync(join(folder.home, 'logs/current.log'));
    mkdirSync(join(folder.home, 'logs/current.log'));
    expect(await follow()).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/cannot be read: .*current\.log is a folder/),
    });
  });

  test('says that there is no log where no gateway ever was, and which options do not go together', async () => {
    using folder = new TestFolder();
    const none = await runCli(['logs', '--home', folder.home], folder.path);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringMatching(/there is no log of a gateway in/) });
    const wrong = await runCli(['logs', '-f', '--last-life', '--home', folder.home], folder.path);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/--follow and --last-life/) });
    const many = await runCli(['logs', '-n', 'many', '--home', folder.home], folder.path);
    expect(many.code).toBe(2);
  });

  test('-f goes on over a restart, misses nothing and repeats nothing, and ends when the gateway does', async () => {
    await using gateway = await TestGateway.start();
    await using following = new Following(gateway.folder.home, '-n', '500');
    await following.until(() => following.messages.some((msg) => msg.startsWith('a stop takes')));
    gateway.signal('SIGUSR1');
    await gateway.ready(2);
    await following.until(
      () => following.messages.filter((msg) => msg.startsWith('a stop takes')).length === 2,
    );
    await gateway.stop();
    expect(await following.ended).toBe(0);
    expect(following.messages).toEqual(gateway.lines.map(({ msg }) => msg));
    expect(following.stderr).toMatch(/the gateway is away.*\n.*the gateway has ended: exit 0 \(SIGINT\)/);
  });

  test('-f of a gateway that dies says so', async () => {
    using folder = new TestFolder();
    const planted = [
      '--import',
      'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("planted")})',
    ];
    await using gateway = await TestGateway.start({ folder, config: '', nodeArgs: planted });
    await using following = new Following(folder.home);
    await following.until(() => following.messages.some((msg) => msg.startsWith('a stop takes')));
    gateway.signal('SIGUSR2');
    await gateway.exited;
    expect(await following.ended).toBe(1);
    expect(following.messages).toContain('a fault');
    expect(following.stderr).toContain('exit 70 (fault)');
  });

  test('is followed over the control socket alone, and by a few at a time', async () => {
    await using gateway = await TestGateway.start();
    const { url, token } = await gateway.http();
    const { hostname, port } = new URL(url);
    const where = { host: hostname, port: Number(port), headers: { authorization: `Bearer ${token}` } };
    expect(await httpRequest(where, 'GET', '/v1/logs')).toMatchObject({ status: 404 });

    for (const lines of ['abc', '-1', '1.5', '']) {
      expect(await gateway.request('GET', `/v1/logs?lines=${lines}`), lines).toMatchObject({
        status: 400,
        json: {
          error: {
            code: 'MESSAGE_INVALID',
            message: `lines must be a whole number, 0 or more, and is "${lines}"`,
          },
        },
      });
    }

    using clients = new DisposableStack();
    const socket = { socketPath: join(gateway.folder.home, 'control.sock') };
    for (let open = 0; open < 8; open += 1) {
      const client = clients.use(await EventClient.open(socket, '/v1/logs'));
      await client.next(({ event }) => event === 'line');
    }
    await using tooMany = new Following(gateway.folder.home);
    expect(await tooMany.ended).toBe(1);
    expect(tooMany.stderr).toContain('8 follow the log already');
  });
});

describe('the way of one message', () => {
  const commands = 'quick_commands: { fails: { type: exec, command: "exit 3" } }';

  test('that was refused names state, rule, actor and time, by our id and by its own', async () => {
    await using gateway = await TestGateway.start({ config: commands });
    gateway.folder.fifo('one');
    void gateway.post('wait one');
    await gateway.inFlight('turns', 1);
    const asked = Date.now();
    await gateway.request('POST', '/v1/lifecycle', { intent: 'drain' });
    const { json } = await gateway.send('refuse me', { id: 'mine' });
    const told = await gateway.cli('logs', '--message', 'mine');
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(
      /^m_\w+ {2}turn in local:default: refused \(state\)\nwhy {2}refuse in draining\.waiting, rule state, by local\S* \(drain\), at \d{4}-\d\d-\d\d [\d:.]{12}; asked for at \d/,
    );
    const { json: way } = await gateway.cli('logs', '--message', json.messageId, '--json');
    expect(way).toMatchObject({
      ...{ id: json.messageId, platformMessageId: 'mine', text: 'refuse me', outcome: 'refused', epoch: 1 },
      why: { rule: 'state', state: 'draining.waiting', cause: 'drain', admission: 'refuse' },
      replies: [{ kind: 'refusal', state: 'delivered' }],
    });
    expect(way.why.askedAt).toBeGreaterThanOrEqual(asked);
    expect(way.why.at).toBeGreaterThanOrEqual(way.why.askedAt);
    expect(way.why.at).toBeLessThanOrEqual(Date.now());
    await gateway.folder.release('one');
  });

  test('that was answered goes over a restart, and is told by the store where no gateway runs', async () => {
    using folder = new TestFolder();
    await using gateway = await TestGateway.start({ folder, config: commands });
    folder.fifo('one');
    const first = gateway.send('wait one', { id: 'first' });
    await gateway.inFlight('turns', 1);
    gateway.signal('SIGUSR1');
    await gateway.entered('draining.waiting');
    expect((await gateway.send('kept', { id: 'kept', whenBusy: 'queue' })).json.admission).toBe('hold');
    await folder.release('one');
    await first;
    await gateway.ready(2);
    await gateway.outcome('kept');
    const beside = await gateway.cli('logs', '--message', 'kept', '--json');
    expect(beside.json).toMatchObject({
      why: { admission: 'hold', state: 'draining.waiting', actor: 'signal', cause: 'SIGUSR1' },
      outcome: 'answered',
      turns: [{ agent: 'default', outcome: 'answered' }],
    });
    expect(beside.json.steps.map(({ what }: { what: string }) => what)).toEqual([
      ...['received', 'decided', 'judged again', 'started', 'ended', 'reply', 'delivered', 'settled'],
    ]);
    // It was asked for again, under the same id.
    expect(beside.json.log.map(({ msg }: { msg: string }) => msg).join('\n')).toContain('came again');
    await gateway.send('/fails', { id: 'fails' });
    await gateway.stop();

    const alone = await runCli(['logs', '--message', 'kept', '--json', '--home', folder.home], folder.path);
    expect(alone).toMatchObject({ code: 0, stderr: '' });
    expect(alone.json.steps).toEqual(beside.json.steps);
    const failed = await runCli(['logs', '--message', 'fails', '--home', folder.home], folder.path);
    expect(failed.stdout).toMatch(/exec in local:default: failed \(exit-code-3\)/);
    expect(failed.stdout).toMatch(/ended +command c_\w+: failed, exit code 3/);
  });

  test('that nobody knows is said to be none, by a gateway and by the store', async () => {
    using folder = new TestFolder();
    await using gateway = await TestGateway.start({ folder, config: '' });
    expect(await gateway.cli('logs', '--message', 'no such')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no message is known as "no such"'),
    });
    await gateway.stop();
    const alone = await runCli(['logs', '--message', 'no such', '--home', folder.home], folder.path);
    expect(alone).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no message is known as "no such"'),
    });
    rmSync(folder.home, { recursive: true });
    const never = await runCli(['logs', '--message', 'x', '--home', folder.home], folder.path);
    expect(never).toMatchObject({ code: 1, stderr: expect.stringContaining('does not exist yet') });
    expect(existsSync(folder.home)).toBe(false);
  });
});

test('a restart that fails shows how the log ends', async () => {
  using folder = new TestFolder();
  const drop = join(folder.path, 'drop.cjs');
  // The next life of this gateway cannot begin: the file it is to load has gone bad meanwhile.
  writeFileSync(drop, '');
  await using gateway = await TestGateway.start({ folder, config: '', nodeArgs: ['--require', drop] });
  writeFileSync(drop, 'throw new Error("gone bad");');
  const { code, stderr } = await gateway.cli('restart', '--timeout', '10');
  expect(code).toBe(1);
  expect(stderr).toMatch(/The log ends with:\n(.*\n)*.*restarting in place/);
});

test('a log that may not be read is an error, and no defect', async () => {
  using folder = new TestFolder();
  mkdirSync(join(folder.home, 'logs/current.log'), { recursive: true });
  chmodSync(folder.home, 0o700);
  const { code, stderr } = await runCli(['logs', '--home', folder.home], folder.path);
  expect(code).toBe(1);
  expect(stderr).toMatch(/current\.log is a folder/);
});
