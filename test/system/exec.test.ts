/** Exec quick commands as people meet them: what they print, how they fail, what never reaches a shell. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { childrenOf, storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';

const config = `quick_commands:
  up: { type: exec, command: "echo up; echo noise >&2" }
  warn: { type: exec, command: "echo only this >&2" }
  quiet: { type: exec, command: "true" }
  fails: { type: exec, command: "echo some output; exit 7" }
  dies: { type: exec, command: "kill -KILL $$" }
  missing: { type: exec, command: ["./nowhere.sh"] }
  slow: { type: exec, command: "setsid sleep 600 & echo begun; sleep 600", timeout: 2, grace: 1 }
  deaf: { type: exec, command: "trap : TERM; echo begun; while :; do sleep 600; done", timeout: 2, grace: 1 }
  long: { type: exec, command: "head -c 300000 /dev/zero | tr '\\\\0' x; echo; echo the end" }
  logs:
    type: exec
    command: 'echo "lines=$LINES level=$LEVEL"'
    args: { LINES: { default: "20", pattern: "^[0-9]+$" }, LEVEL: { choices: [debug, info], default: info } }
  say: { type: exec, command: 'printf "%s" "$WORDS"', args: { WORDS: { rest: true, required: true } } }
  argv: { type: exec, command: [printenv, WORDS], args: { WORDS: { rest: true } } }
  hold: { type: exec, command: 'echo "held $NAME"; cat "$NAME"', args: { NAME: { required: true } } }
  brief: { type: exec, command: "sleep 600", timeout: 300ms }
  environment: { type: exec, command: "env | sort" }
  upper: { type: alias, target: "/logs 7" }
  talk: { type: alias, target: "tell me more" }`;

let gateway: TestGateway;
let folder: TestFolder;

beforeAll(async () => {
  folder = new TestFolder();
  gateway = await TestGateway.start({
    folder,
    config,
    env: { SECRET_KEY: 'do not tell', SLUICE_LOG_LEVEL: 'debug' },
  });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const run = async (text: string, more: Readonly<Record<string, unknown>> = {}) =>
  (await gateway.send(text, more)).json;

describe('the reply', () => {
  const replies: readonly [string, string, string | RegExp][] = [
    ['/up', 'ran', 'up\nnoise'],
    ['/warn', 'ran', 'only this'],
    ['/quiet', 'ran', '/quiet: done, no output.'],
    ['/fails', 'failed', /^some output\n\/fails failed: exit code 7 after \d+\.\d s\.$/],
    ['/dies', 'failed', /^\/dies ended by SIGKILL after \d+\.\d s\.$/],
    [
      '/missing',
      'failed',
      /^\/missing could not be started: .*nowhere\.sh does not exist\. Check quick_commands\.missing\.$/,
    ],
    ['  /UP@anybot  ', 'ran', 'up\nnoise'],
    ['\n/up', 'ran', 'up\nnoise'],
    ['/upper', 'ran', 'lines=7 level=info'],
    ['/upper debug', 'ran', 'lines=7 level=debug'],
    ['//up', 'answered', 'echo: /up\n'],
    ['/etc/hosts is broken', 'answered', 'echo: /etc/hosts is broken\n'],
    ['say /up', 'answered', 'echo: say /up\n'],
  ];
  test.each(replies)('to %j is %s', async (text, outcome, reply) => {
    const json = await run(text);
    expect(json).toMatchObject({ outcome, recorded: true });
    if (typeof reply === 'string') expect(json.replies).toEqual([reply]);
    else expect(json.replies).toEqual([expect.stringMatching(reply)]);
  });

  test('keeps the beginning and the end of a long output, and says what is cut', async () => {
    const [reply] = (await run('/long')).replies;
    expect(Buffer.byteLength(reply)).toBeLessThan(66 * 1024);
    expect(reply).toMatch(/^x+\n\[… \d+ bytes cut …\]\nx+\nthe end\n\[\d+ bytes cut from the middle\]$/);
  });
});

test('a limit that a reply names is the one that was set', async () => {
  const [reply] = (await run('/brief')).replies;
  expect(reply).toMatch(
    /^\/brief was ended after \d+(\.\d)? s: it took longer than its timeout of 0\.3 s\.$/,
  );
});

describe('a command that overruns', () => {
  test.each(['slow', 'deaf'])(
    'its timeout (/%s) is ended with its tree, and the reply says after how long',
    async (name) => {
      const answer = run(`/${name}`);
      const { inFlight } = await gateway.statusWhere((status) => status.inFlight.commands.length === 1);
      const [{ id }] = inFlight.commands;
      await polled(() => survivors(id).length > 0, 'its processes');
      const { outcome, outcomeReason, replies } = await answer;
      expect({ outcome, outcomeReason }).toEqual({ outcome: 'failed', outcomeReason: 'timeout' });
      expect(replies[0]).toMatch(
        new RegExp(
          `^begun\\n(Terminated\\n)?/${name} was ended after \\d+\\.\\d s: it took longer than its timeout of 2 s\\.$`,
        ),
      );
      expect(survivors(id)).toEqual([]);
    },
  );
});

describe('words after a command', () => {
  const refused: readonly [string, string][] = [
    ['/up now', 'Not run: nothing is declared for "now". Usage: /up'],
    ['/logs 5 info more', 'Not run: nothing is declared for "more". Usage: /logs [LINES] [LEVEL]'],
    ['/logs five', 'Not run: LINES must match ^[0-9]+$, and "five" does not. Usage: /logs [LINES] [LEVEL]'],
    ['/logs LEVEL=loud', 'Not run: LEVEL is one of debug, info, not "loud". Usage: /logs [LINES] [LEVEL]'],
    ['/logs "5\n6"', 'Not run: LINES must match ^[0-9]+$, and "5\n6" does not. Usage: /logs [LINES] [LEVEL]'],
    ['/say', 'Not run: WORDS is missing. Usage: /say WORDS…'],
    ['/say ""', 'Not run: WORDS is empty. Usage: /say WORDS…'],
    ['/say a\0b', 'Not run: an argument holds a NUL character. Usage: /say WORDS…'],
  ];
  test.each(refused)('%j is refused with the usage', async (text, reply) => {
    expect(await run(text)).toMatchObject({
      kind: 'exec',
      admission: 'refuse',
      reason: 'arguments',
      outcome: 'refused',
      replies: [reply],
    });
  });

  test('fill the declared ones in order or by name', async () => {
    expect((await run('/logs 50')).replies).toEqual(['lines=50 level=info']);
    expect((await run('/logs LEVEL=debug 3')).replies).toEqual(['lines=3 level=debug']);
    expect((await run('/say  "two  words"   three')).replies).toEqual(['two  words three']);
  });

  test('are never read by a shell', async () => {
    const touched = join(folder.path, 'touched');
    for (const command of ['/say', '/argv']) {
      for (const words of [
        `; touch ${touched}`,
        `$(touch ${touched})`,
        `\`touch ${touched}\``,
        `a && touch ${touched}`,
        '-n %s $HOME',
      ]) {
        expect((await run(`${command} ${words}`)).replies, words).toEqual([words]);
      }
    }
    expect(existsSync(touched)).toBe(false);
  });

  test('longer than a program can be handed are a failure in words', async () => {
    expect(await run(`/say ${'x'.repeat(200_000)}`)).toMatchObject({
      outcome: 'failed',
      outcomeReason: 'E2BIG',
      replies: [expect.stringContaining('longer than this system allows')],
    });
  });
});

describe('a command nobody knows', () => {
  test('is answered with the near ones and reaches no agent', async () => {
    expect(await run('/lgos')).toMatchObject({ kind: 'control', outcome: 'done' });
    expect((await run('/lgos')).replies[0]).toMatch(/^There is no command \/lgos\. Did you mean \/logs/);
    expect((await run('/zzzzzz')).replies).toEqual([
      'There is no command /zzzzzz. /help lists them. To send it as text, write //zzzzzz.',
    ]);
  });
});

describe('sluice exec', () => {
  const inbox = () => storeRows(folder.home, "SELECT count(*) AS turns FROM inbox WHERE kind = 'turn'");

  test('takes a name with its slash, and what an alias of a command stands for', async () => {
    expect(await gateway.cli('exec', '/up')).toMatchObject({ code: 0, stdout: 'up\nnoise\n' });
    expect(await gateway.cli('exec', 'upper', 'debug')).toMatchObject({
      code: 0,
      stdout: 'lines=7 level=debug\n',
    });
  });

  const refused: readonly [string, string | RegExp][] = [
    ['//up', 'There is no exec command "/up". Did you mean up?\n'],
    ['../up', /^There is no exec command "\.\.\/up"\./],
    ['etc/hosts', /^There is no exec command "etc\/hosts"\./],
    ['up now', /^There is no exec command "up now"\. Usage: sluice exec NAME/],
    ['', /^There is no exec command ""\./],
    ['lgos', 'There is no exec command "lgos". Did you mean logs?\n'],
    ['talk', /^\/talk is no exec command/],
    ['restart', /^\/restart is no exec command/],
  ];
  test.each(refused)('refuses %j in words, and no turn comes of it', async (name, words) => {
    const turns = inbox();
    const { code, stdout } = await gateway.cli('exec', name);
    expect(code).toBe(3);
    if (typeof words === 'string') expect(stdout).toBe(words);
    else expect(stdout).toMatch(words);
    expect(inbox()).toEqual(turns);
    expect(await gateway.status()).toMatchObject({ state: 'running.healthy', inFlight: { turns: [] } });
  });

  test('the same id again tells the exit code of the first run', async () => {
    const first = await gateway.cli('exec', 'fails', '--id', 'seven', '--exit-code');
    const again = await gateway.cli('exec', 'fails', '--id', 'seven', '--exit-code');
    expect([first.code, again.code]).toEqual([7, 7]);
    const { json } = await gateway.cli('exec', 'fails', '--id', 'seven', '--json');
    expect(json).toMatchObject({ duplicate: true, outcome: 'failed', exitCode: 7 });
  });

  test('--json has the same keys with a gateway and without one', async () => {
    using alone = new TestFolder();
    alone.writeConfig(testConfig(config));
    for (const words of [['up'], ['fails'], ['nope'], ['logs', 'x']]) {
      const by = await gateway.cli('exec', ...words, '--json');
      const offline = await runCli(
        ['exec', ...words, '--json', '--home', alone.home, '--config', alone.configPath],
        alone.path,
      );
      expect(Object.keys(offline.json ?? {}).toSorted()).toEqual(Object.keys(by.json ?? {}).toSorted());
      expect(by.json).toMatchObject({ offline: false, duplicate: false });
      expect(offline.json).toMatchObject({
        offline: true,
        duplicate: false,
        kind: 'exec',
        text: by.json?.text,
      });
      expect(offline.code).toBe(by.code);
    }
  });

  test('says back no terminal escape, to a pipe either', async () => {
    for (const words of [['nope\x1b[31mX\x07'], ['up', '\x1b[31mX\x07']]) {
      const { code, stdout, stderr } = await gateway.cli('exec', ...words);
      expect([code, stdout]).toEqual([3, expect.stringContaining('X')]);
      for (const obeyed of ['\x07', '\x1b']) expect(stdout + stderr).not.toContain(obeyed);
    }
  });

  test('--cancel knows the id that the command was sent under, and fails where nothing was ended', async () => {
    folder.fifo('mine');
    const running = gateway.cli('exec', 'hold', 'mine', '--id', 'my-own');
    await gateway.inFlight('commands', 1);
    expect(await gateway.cli('exec', '--cancel', 'my-own')).toMatchObject({
      code: 0,
      stdout: 'Ending my-own.\n',
    });
    expect((await running).code).toBe(1);
    expect(await gateway.cli('exec', '--cancel', 'my-own')).toMatchObject({
      code: 1,
      stdout: 'Nothing in flight is called my-own. /ps lists what is.\n',
    });
  });
});

describe('commands in flight', () => {
  test('one of a name at a time: the second waits and then runs, and /ps shows both', async () => {
    folder.fifo('one');
    folder.fifo('two');
    const first = run('/hold one');
    await gateway.inFlight('commands', 1);
    const second = run('/hold two');
    await gateway.inFlight('commands', 2);
    expect((await run('/ps')).replies[0]).toMatch(
      /^c_\w+ \/hold by local:owner, \d+ s\nc_\w+ \/hold by local:owner, waits for a free place, \d+ s$/,
    );
    expect(childrenOf(gateway.pid)).toHaveLength(1);
    expect((await run('/up')).outcome).toBe('ran');
    await folder.release('one');
    expect((await first).replies).toEqual(['held one']);
    await folder.release('two');
    expect((await second).replies).toEqual(['held two']);
    expect((await run('/ps')).replies).toEqual(['Nothing in flight. A restart now would be instant.']);
  });

  test('/cancel ends one that runs with its tree, and one that waits before it began', async () => {
    folder.fifo('never');
    const running = run('/hold never', { id: 'running' });
    await gateway.inFlight('commands', 1);
    const waiting = run('/hold never', { id: 'waiting' });
    await gateway.inFlight('commands', 2);
    const [one, two] = (await gateway.status()).inFlight.commands;
    const commandOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    await polled(() => survivors(one.id).some((pid) => commandOf(pid) === 'cat'), 'its first words');
    expect((await run(`/cancel ${two.id}`)).replies).toEqual([`Ending ${two.id}.`]);
    expect(await waiting).toMatchObject({
      outcome: 'interrupted',
      replies: ['/hold was not run: local:owner cancelled it.'],
    });
    expect((await run(`/cancel ${one.id}`)).replies).toEqual([`Ending ${one.id}.`]);
    expect(await running).toMatchObject({ outcome: 'interrupted', outcomeReason: 'cancelled' });
    expect((await running).replies[0]).toMatch(
      /^held never\n\/hold was ended after \d+\.\d s: local:owner cancelled it\.$/,
    );
    expect(survivors(one.id, two.id)).toEqual([]);
    expect((await run(`/cancel ${one.id}`)).replies).toEqual([
      `Nothing in flight is called ${one.id}. /ps lists what is.`,
    ]);
    expect((await run('/cancel')).replies).toEqual(['Not done: /cancel takes ID.']);
  });

  test('sixty of one name at once run one after another, each exactly once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => run('/up', { id: `burst-${n}`, conversation: `c-${n % 7}` })),
    );
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array(60).fill('ran'));
    const started = gateway.lines.filter(
      ({ msg, command }) => msg === '/up started' && command !== undefined,
    );
    const ids = started.map(({ command }) => command);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a turn that runs is not touched by them', async () => {
    folder.fifo('turn');
    const turn = run('wait turn');
    await gateway.inFlight('turns', 1);
    expect((await run('/up')).outcome).toBe('ran');
    expect((await run('/status')).outcome).toBe('done');
    await folder.release('turn');
    expect(await turn).toMatchObject({ outcome: 'answered', replies: ['started turn\nfinished turn\n'] });
  });
});

describe('a command gets', () => {
  /** Of the table in docs/operating.md. */
  const SHORT_LIST =
    'PATH HOME USER LOGNAME SHELL LANG LC_TIME TERM TZ TMPDIR XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS'.split(
      ' ',
    );
  const namesIn = (reply: string) => reply.split('\n').map((line) => line.replace(/=.*/, ''));

  test('the short list, what it names, its arguments, its marks and the home, and nothing else', async () => {
    const given = Object.fromEntries(
      SHORT_LIST.filter((name) => !['PATH', 'HOME', 'TMPDIR'].includes(name)).map((name) => [name, 'x']),
    );
    const env = {
      ...given,
      TMPDIR: '/tmp',
      NAMED: 'x',
      SECRET_KEY: 'do not tell',
      SLUICE_LOG_LEVEL: 'debug',
      NOTIFY_SOCKET: '/n',
      EDITOR: 'vi',
    };
    const list =
      'quick_commands: { list: { type: exec, command: [env], env: [NAMED, ABSENT], args: { WORD: {} } } }';
    await using other = await TestGateway.start({ config: list, env });
    const expected = [
      ...SHORT_LIST,
      'NAMED',
      'WORD',
      'SLUICE_HOME',
      'SLUICE_LIFE',
      'SLUICE_WORK_ID',
    ].toSorted();
    const { json } = await other.send('/list one');
    expect(namesIn(json.replies[0]).toSorted()).toEqual(expected);
    expect(json.replies[0]).toContain(`SLUICE_HOME=${other.folder.home}\n`);
    const { folder: itsFolder } = other;
    await other.stop();
    // The same without a gateway.
    const alone = await runCli(['exec', 'list', 'one', '--home', itsFolder.home], itsFolder.path, env);
    expect(namesIn(alone.stdout.trimEnd()).toSorted()).toEqual(expected);
  });

  test('no secret from the environment of the gateway', async () => {
    const [environment] = (await run('/environment')).replies;
    expect(environment).toContain('SLUICE_WORK_ID=c_');
    expect(environment).not.toMatch(/SECRET_KEY|do not tell|SLUICE_LOG_LEVEL/);
  });
});
