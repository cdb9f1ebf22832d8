/** `sluice config` by the real CLI: on files of every kind, and against gateways that run and that ran. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';

const PACKAGED = resolve(import.meta.dirname, '../../config');

let folder: TestFolder;
beforeEach(() => {
  folder = new TestFolder();
});
afterEach(() => folder[Symbol.dispose]());

/** The CLI in the folder, on its home. */
const config = (...args: string[]) => runCli(['config', ...args, '--home', folder.home], folder.path);

function write(name: string, text: string | Uint8Array): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

describe('sluice config check', () => {
  test('prints every error at once, each with place, key, what is wrong, what would be right, and the line', async () => {
    const path = write(
      'a.yaml',
      'listn: {}\nagent:\n  comand: x\n  turn_timeout: soon\nquick_commands:\n  status: { type: exec, command: ls }\n',
    );
    const { code, stdout, stderr } = await config('check', 'a.yaml');
    expect(stdout.split('\n')).toEqual([
      `${path}:1:1 listn: unknown key; did you mean listen?`,
      '     1 | listn: {}',
      `${path}:3:3 agent.comand: unknown key; did you mean command?`,
      '     3 |   comand: x',
      `${path}:4:17 agent.turn_timeout: "soon" is not a duration; write seconds, or a text as "30s", "5m", "2h", "10ms"`,
      '     4 |   turn_timeout: soon',
      `${path}:6:3 quick_commands.status: is a built-in command and cannot be replaced; choose another name, for example my-status`,
      '     6 |   status: { type: exec, command: ls }',
      `${path} has 4 errors (the one that was named)`,
      '',
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  });

  test('--json is one document, with all errors', async () => {
    const path = write('a.yaml', Array.from({ length: 30 }, (_, at) => `zebra${at}: 1\n`).join(''));
    const { code, json } = await config('check', path, '--json');
    expect(code).toBe(1);
    expect(json).toMatchObject({ ok: false, file: path, origin: 'flag', warnings: [] });
    expect(json.errors).toHaveLength(30);
    expect(json.errors[29]).toEqual({
      line: 30,
      column: 1,
      key: 'zebra29',
      message: 'unknown key',
      hint: expect.stringMatching(/^known here: listen, agent, /),
      source: 'zebra29: 1',
    });
    expect(json.more).toBe(0);
    const many = write('many.yaml', Array.from({ length: 1003 }, (_, at) => `zebra${at}: 1\n`).join(''));
    expect((await config('check', many, '--json')).json).toMatchObject({ errors: { length: 1000 }, more: 3 });
    expect((await config('check', many)).stdout).toMatch(/\n… and 3 more\n.* has 1003 errors \(/);
  });

  test('warns of what is valid and yet not as it seems', async () => {
    write('sluice.yaml', 'quick_commands: { r: { type: alias, target: /restrat } }\n');
    const env = { SLUICE_RESTART_DRAIN_TIMEOUT: 'soon', SLUICE_BUSY_INPUT_MODE: 'often' };
    const { code, stdout } = await runCli(['config', 'check', '--home', folder.home], folder.path, env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^warning: .*\/restrat is no command of this gateway; did you mean \/restart\?$/m);
    expect(stdout).toMatch(/^warning: SLUICE_RESTART_DRAIN_TIMEOUT: "soon" is not a duration/m);
    expect(stdout).toMatch(/^warning: SLUICE_BUSY_INPUT_MODE: "often" is not a busy input mode/m);
    expect(stdout).toMatch(/sluice\.yaml is valid \(the one in this folder\)\n$/);
  });

  test('says which file it took, and why', async () => {
    const took = async (args: string[], env: Record<string, string> = {}) => {
      const all = ['config', 'check', '--json', '--home', folder.home, ...args];
      const { json } = await runCli(all, folder.path, env);
      return [json.file, json.origin];
    };
    const xdg = join(folder.path, 'xdg');
    const named = write('named.yaml', '');
    expect(await took([], { XDG_CONFIG_HOME: xdg })).toEqual([
      join(PACKAGED, 'quickstart.yaml'),
      'quickstart',
    ]);
    mkdirSync(join(xdg, 'sluice'), { recursive: true });
    const inXdg = write('xdg/sluice/sluice.yaml', '');
    expect(await took([], { XDG_CONFIG_HOME: xdg })).toEqual([inXdg, 'xdg']);
    const here = write('sluice.yaml', '');
    expect(await took([], { XDG_CONFIG_HOME: xdg })).toEqual([here, 'folder']);
    expect(await took([], { SLUICE_CONFIG: named })).toEqual([named, 'environment']);
    expect(await took(['--config', named], { SLUICE_CONFIG: here })).toEqual([named, 'flag']);
    expect(await took(['named.yaml', '--config', here])).toEqual([named, 'flag']);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['a tab', 'agent:\n\tcommand: x\n', /:2:1 agent: a tab indents the line; indent with spaces$/m],
    ['a key written twice', 'agent: {}\nagent: {}\n', /:2:1 agent: is written twice; keep one of them$/m],
    [
      'a merge key',
      'a: &a {}\nagent:\n  <<: *a\n',
      /:3:3 agent\."<<": is a merge key, and those are not read; write the keys out$/m,
    ],
    [
      'a second document',
      'agent: {}\n---\nagent: {}\n',
      /:2:1 \(file\): a second document begins here; keep one, and put all keys into it\n {5}2 \| ---$/m,
    ],
    ['Windows line ends', 'agent: {}\r\nzebra: 1\r\n', /:2:1 zebra: unknown key; .*\n {5}2 \| zebra: 1$/m],
    ['a byte order mark', '\uFEFFzebra: 1\n', /:1:1 zebra: unknown key/],
    [
      'a NUL',
      'agent: { command: "a", cwd: b\0c }\n',
      /:1:29 agent\.cwd: "b\\u0000c" is not a folder; write its path.*\n {5}1 \| agent: \{ command: "a", cwd: b c \}$/m,
    ],
    [
      'a byte that is no UTF-8',
      Buffer.from('# größer\nagent: { cwd: ä\xe4 }\n', 'latin1'),
      /:1:5 \(file\): is not UTF-8 text; save it as UTF-8\n {5}1 \| # gr\uFFFD+er$/m,
    ],
    [
      'a byte that is no UTF-8, further down',
      Buffer.concat([
        Buffer.from('# größer \uFFFD\nagent: { cwd: ä'),
        Buffer.from([0xe4]),
        Buffer.from(' }\n'),
      ]),
      /:2:16 \(file\): is not UTF-8 text/,
    ],
    [
      'a tab between brackets',
      'agent: {\n\tcommand: x }\n',
      /:2:1 agent: a tab indents the line; indent with spaces\n {5}2 \| {2}command: \*{3}$/m,
    ],
    [
      'a quote that stays open',
      'agent:\n  command: "x\n  cwd: y\nagents: {}\n',
      /:2:12 agent\.command: begins with a quote that is never closed; end it with "\n {5}2 \| {3}command: \*{3}$/m,
    ],
    [
      'aliases that stand for billions of values',
      `a0: &a0 [x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(', ')}]\n`).join('')}`,
      /:5:\d+ a4(\[\d\]){4}: is the value after the first 20000, aliases written out; use fewer\n {5}5 \| a4: &a4 \[\*a3, /m,
    ],
    [
      'an alias without its anchor',
      'agent: { command: *x }\n',
      /:1:19 agent\.command: \*x has no anchor before it; write the value, .*\n {5}1 \| agent: \{ command: \*x \}$/m,
    ],
    [
      'deep nesting',
      `agent: ${'['.repeat(40)}${']'.repeat(40)}\n`,
      /:1:40 agent(\[0\]){32}: is nested deeper than 32 levels; make it flatter\n {5}1 \| agent: \[+/m,
    ],
    [
      'nesting without end',
      `agent: ${'['.repeat(100_000)}\n`,
      /:1:40 agent(\[0\]){32}: is nested deeper than 32 levels; make it flatter$/m,
    ],
    [
      'off for a section',
      'listen: off\n',
      /:1:9 listen: "off" is not a mapping; write \{ http: off \} in its place\n {5}1 \| listen: off$/m,
    ],
    [
      'a system prompt that is not there',
      'agent:\n  { type: openai, base_url: "http://h/v1", model: q, system_prompt_file: p.md }\n',
      /:2:74 agent\.system_prompt_file: \S+\/p\.md does not exist; check the path\n {5}2 \| /m,
    ],
    ['too much', `#${'x'.repeat(1024 * 1024)}`, /:1:1 \(file\): is larger than 1 MB; make it smaller$/m],
    [
      'a wrong type',
      'access: { owners: telegram:1 }\n',
      /:1:19 access\.owners: "telegram:1" is not a list of people; write \["PLATFORM:ID"\]/,
    ],
  ])('names the place of %s', async (_, text, expected) => {
    const { code, stdout, stderr } = await config('check', write('a.yaml', text));
    expect(stdout).toMatch(expected);
    expect(stdout).not.toMatch(/^ +at /m);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  });

  test('a mistake hides none beside it: not of its section, not of its command, not of another place', async () => {
    const path = write(
      'a.yaml',
      'agent: { type: llm, max_turns: 0 }\nquick_commands:\n  Clean Up: { type: shell, timeout: 0 }\nconversations: { "t:1": { agent: x } }\n',
    );
    const { stdout } = await config('check', path);
    expect(stdout.match(/^\S+?:\d+:\d+ .*(?=: .*;)/gm)).toEqual([
      `${path}:1:16 agent.type`,
      `${path}:1:32 agent.max_turns`,
      `${path}:3:3 quick_commands."Clean Up"`,
      `${path}:3:21 quick_commands."Clean Up".type`,
      `${path}:3:37 quick_commands."Clean Up".timeout`,
      `${path}:4:34 conversations."t:1".agent`,
    ]);
  });

  test.each([
    ['nothing', ''],
    ['Windows line ends', 'agent:\r\n  command: x\r\n'],
    ['anchors', 'agent: { command: &c x }\nagents: { b: { command: *c } }\n'],
    ['comments', '# nothing yet\n'],
  ])('a file of %s is valid', async (_, text) => {
    expect(await config('check', write('a.yaml', text))).toMatchObject({ code: 0, stderr: '' });
  });

  test('a file that is none is one error, and nothing hangs', async () => {
    spawnSync('mkfifo', [join(folder.path, 'pipe')]);
    for (const [path, message, hint] of [
      [join(folder.path, 'none.yaml'), 'does not exist', 'check the path'],
      [folder.path, 'is a folder', 'name a file in it'],
      [join(folder.path, 'pipe'), 'is not a regular file', 'name one that is'],
      ['/dev/zero', 'is not a regular file', 'name one that is'],
    ]) {
      const { stdout } = await config('check', String(path));
      expect(stdout).toBe(
        `${path}:1:1 (file): ${message}; ${hint}\n${path} has 1 error (the one that was named)\n`,
      );
      const { code, json } = await config('check', String(path), '--json');
      expect(json.errors).toEqual([{ line: 1, column: 1, key: '(file)', message, hint, source: '' }]);
      expect(code).toBe(1);
    }
  });

  test.skipIf(process.getuid?.() !== 0)(
    'a file that this user may not read is one error (needs root, to become a user who may not)',
    async () => {
      const path = write('a.yaml', 'agent: {}\n');
      chmodSync(path, 0o600);
      chmodSync(folder.path, 0o755);
      const entry = process.env.SLUICE_TEST_ENTRY ?? resolve(import.meta.dirname, '../../src/main.ts');
      const words = [entry, 'config', 'check', path, '--home', folder.home];
      const { status, stdout } = spawnSync(process.execPath, words, {
        encoding: 'utf8',
        ...{ uid: 65534, gid: 65534, cwd: '/', env: { PATH: '/usr/bin:/bin' } },
      });
      expect({ status, stdout }).toEqual({
        status: 1,
        stdout: `${path}:1:1 (file): may not be read by this user; check its permissions\n${path} has 1 error (the one that was named)\n`,
      });
    },
  );
});

describe('the environment that a file is judged by', () => {
  /* biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of the configuration. */
  const MODELS = 'agents:\n  m: { type: openai, base_url: "${MODEL_URL}", model: m, api_key_env: M_KEY }\n';
  const THEIRS = {
    MODEL_URL: 'http://127.0.0.1:9/v1',
    M_KEY: 'sk-planted-0123456789',
    SLUICE_BUSY_INPUT_MODE: 'often',
  };
  const UNSET = /\$\{MODEL_URL\} is not set|M_KEY is not set/;

  /** The CLI in another shell than the gateway's. */
  const inShell = (gateway: TestGateway, args: readonly string[], env: Record<string, string> = {}) =>
    runCli(['config', ...args, '--home', gateway.folder.home], '/', env);

  test('is that of the gateway whose file it is, however it is named', async () => {
    await using gateway = await TestGateway.start({ config: MODELS, env: THEIRS });
    const path = gateway.folder.configPath;
    const link = join(gateway.folder.path, 'link.yaml');
    symlinkSync(path, link);
    const named = [[], [path], [link]];
    for (const file of named) {
      const { code, stdout, stderr } = await inShell(gateway, ['check', ...file], { MODEL_URL: 'junk' });
      expect(stdout).not.toMatch(UNSET);
      expect(stdout).toMatch(/^warning: SLUICE_BUSY_INPUT_MODE: "often" is not a busy input mode/m);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    const { json } = await inShell(gateway, ['check', '--json']);
    expect(json).toMatchObject({ ok: true, origin: 'gateway', environment: 'gateway' });
  });

  test('is that of the gateway for what is new in a file, too', async () => {
    await using gateway = await TestGateway.start({
      config: MODELS,
      env: { ...THEIRS, NEW_URL: 'http://h/v1' },
    });
    const other = write(
      'other.yaml',
      testConfig(MODELS.replace('MODEL_URL', 'NEW_URL').replace('M_KEY', 'NO_KEY')),
    );
    const { code, stdout, json } = await inShell(gateway, ['plan', other, '--json'], {
      NEW_URL: 'junk',
      NO_KEY: 'x',
    });
    expect(stdout).not.toContain('sk-planted');
    expect(json).toMatchObject({
      ok: true,
      environment: 'gateway',
      warnings: expect.arrayContaining([
        'agents.m.api_key_env: NO_KEY is not set, so requests go without a key',
      ]),
    });
    expect(code).toBe(0);
  });

  test('is that of the shell for any other file', async () => {
    await using gateway = await TestGateway.start({ config: MODELS, env: THEIRS });
    const other = write('other.yaml', testConfig(MODELS));
    const { code, stdout } = await inShell(gateway, ['check', other]);
    expect(stdout).toMatch(UNSET);
    expect(code).toBe(1);
    expect((await inShell(gateway, ['check', other], THEIRS)).code).toBe(0);
  });

  test('is that of the shell where the gateway cannot be asked, and then the variables are named', async () => {
    await using gateway = await TestGateway.start({ config: MODELS, env: THEIRS });
    gateway.signal('SIGSTOP');
    try {
      const { code, stderr, json } = await inShell(gateway, ['check', '--json'], THEIRS);
      expect(stderr).toBe(
        "the gateway did not answer within 5 s: MODEL_URL, M_KEY taken as in this shell; the gateway's environment may differ\n",
      );
      expect({ code, environment: json.environment }).toEqual({ code: 0, environment: 'shell' });
    } finally {
      gateway.signal('SIGCONT');
    }
    await gateway.stop();
    const { stderr } = await inShell(gateway, ['plan'], THEIRS);
    expect(stderr).toBe(
      "no gateway is running here: MODEL_URL, M_KEY taken as in this shell; the gateway's environment may differ\n",
    );
  });

  test('is told at the control socket alone, and of a key only that it is set', async () => {
    await using gateway = await TestGateway.start({ config: MODELS, env: THEIRS });
    const asked = { values: ['MODEL_URL', 'NOT_THERE'], set: ['M_KEY', 'NOT_THERE'] };
    const told = await gateway.request('POST', '/v1/configuration/variables', asked);
    expect(told).toEqual({ status: 200, json: { values: { MODEL_URL: THEIRS.MODEL_URL }, set: ['M_KEY'] } });
    for (const wrong of [{}, { values: 'A', set: [] }, { values: [1], set: [] }, { ...asked, more: 1 }]) {
      expect((await gateway.request('POST', '/v1/configuration/variables', wrong)).status).toBe(400);
    }
    const { url, token } = await gateway.http();
    const overHttp = await fetch(`${url}/v1/configuration/variables`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    expect(overHttp.status).toBe(404);
    expect(await overHttp.text()).not.toContain(THEIRS.MODEL_URL);
  });
  /* biome-ignore-end lint/suspicious/noTemplateCurlyInString: variables of the configuration. */
});

describe('a pid file that a gateway left behind', () => {
  /** What the CLI in this folder takes for its configuration. */
  const taken = async () => (await config('check', '--json')).json.file;

  test('names what commands run by still, and no longer what a check takes, once its pid is nobody’s or another’s', async () => {
    const theirs = new TestFolder(folder.home);
    try {
      theirs.writeConfig(testConfig('quick_commands: { theirs: { type: exec, command: "echo theirs" } }'));
      folder.writeConfig(testConfig('quick_commands: { mine: { type: exec, command: "echo mine" } }'));
      await using gateway = await TestGateway.start({ folder: theirs });
      expect(await taken()).toBe(theirs.configPath);
      await gateway.kill9();
      const pidFile = join(folder.home, 'sluice.pid');
      const record = JSON.parse(readFileSync(pidFile, 'utf8'));
      expect(record.config).toBe(theirs.configPath);
      expect(await taken()).toBe(folder.configPath);
      // The pid is a living process's, which is not the one that wrote the file.
      writeFileSync(pidFile, JSON.stringify({ ...record, pid: process.pid }));
      expect(await taken()).toBe(folder.configPath);
      const exec = (name: string) => runCli(['exec', name, '--home', folder.home], folder.path);
      expect(await exec('theirs')).toMatchObject({ code: 0, stdout: 'theirs\n' });
      expect(await exec('mine')).toMatchObject({ code: 3 });
    } finally {
      theirs[Symbol.dispose]();
    }
  });
});

describe('sluice config schema', () => {
  test('prints what the package ships, and what refuses a wrong file', async () => {
    const { code, json } = await config('schema');
    expect(code).toBe(0);
    expect(json).toEqual(JSON.parse(readFileSync(join(PACKAGED, 'gateway.schema.json'), 'utf8')));
    const validate = new Ajv({ strict: false }).compile(json);
    expect(validate({ agent: { command: 'x' } })).toBe(true);
    expect(validate({ agent: { comand: 'x' } })).toBe(false);
  });
});

describe('sluice config plan, with a gateway that runs', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: variables, of the configuration and of a shell.
  const MODEL = 'model: { type: openai, base_url: "${MODEL_URL}", model: "m" }';
  const QUICK = `agents:\n  ${MODEL}\nquick_commands:\n  gpu: { type: exec, command: nvidia-smi }\n  tell: { type: exec, command: 'echo $\{MY_TOKEN}' }\n`;
  let gateway: TestGateway;
  beforeAll(async () => {
    const env = {
      SLUICE_RESTART_DRAIN_TIMEOUT: '5m',
      MODEL_URL: 'http://127.0.0.1:9/v1',
      MY_TOKEN: 'not told',
    };
    gateway = await TestGateway.start({ config: QUICK, env });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test('says of the same file that it changes nothing', async () => {
    const { code, stdout } = await gateway.cli('config', 'plan');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${gateway.folder.configPath} changes nothing in what runs\n`,
    });
  });

  test('says for each changed key of the file on disk when it counts, and changes nothing', async () => {
    gateway.folder.writeConfig(
      `${testConfig(QUICK.replace('agents:', 'agents:\n  other: { command: cat }').replace('nvidia-smi', '"nvidia-smi -L"'))}\ninspector: { xstate_inspect: "127.0.0.1:0" }\n`,
    );
    const { code, stdout } = await gateway.cli('config', 'plan');
    expect(stdout.split('\n')).toEqual([
      'next turn  agents.other  added',
      'now        quick_commands.gpu.command  "nvidia-smi" → "nvidia-smi -L"',
      'restart    inspector.xstate_inspect  "off" → 127.0.0.1:0',
      `${gateway.folder.configPath} makes 3 changes to what runs. A restart is needed for what says so: sluice restart`,
      '',
    ]);
    expect(code).toBe(0);
    const { json } = await gateway.cli('config', 'plan', '--json');
    expect(json).toMatchObject({
      ok: true,
      file: gateway.folder.configPath,
      against: { of: 'gateway', isLastGood: false },
      needs: 'restart',
    });
    expect(json.changes).toHaveLength(3);
    expect((await gateway.status()).warnings).toEqual([]);
  });

  test('an edited quick command never needs a restart', async () => {
    const keys =
      'timeout: 9, grace: 1, cwd: /, env: [LANG], concurrency: 2, allow: [user], description: d, args: { A: {} }';
    const gpu = 'gpu: { type: exec, command: nvidia-smi }';
    const edited = `gpu: { type: exec, command: [ls], ${keys} }\n  cards: { type: exec, command: [ls], ${keys} }`;
    const other = write('b.yaml', testConfig(QUICK.replace(gpu, edited)));
    const { json } = await gateway.cli('config', 'plan', other, '--json');
    expect(json.changes.length).toBeGreaterThan(8);
    expect(json.needs).toBe('now');
  });

  test('says what the environment of the gateway keeps from having an effect', async () => {
    const other = write('c.yaml', testConfig(`agent: { command: x, restart_drain_timeout: 90 }\n${QUICK}`));
    const { stdout } = await gateway.cli('config', 'plan', other);
    expect(stdout).toContain(
      "now        agent.restart_drain_timeout  1m → 90s (no effect: SLUICE_RESTART_DRAIN_TIMEOUT holds in the gateway's environment)\n",
    );
  });

  test('of an invalid file says what is wrong with it', async () => {
    const other = write('d.yaml', 'agent: { comand: x }\n');
    const { code, stdout } = await gateway.cli('config', 'plan', other);
    expect(code).toBe(1);
    expect(stdout).toContain(`${other}:1:10 agent.comand: unknown key; did you mean command?\n`);
    expect((await gateway.cli('config', 'plan', other, '--json')).json).toMatchObject({
      ok: false,
      changes: [],
    });
  });

  test('the text that runs is told at the control socket alone', async () => {
    const { json } = await gateway.request('GET', '/v1/configuration');
    expect(json).toMatchObject({ file: gateway.folder.configPath, isLastGood: false });
    expect(json.text).toContain('nvidia-smi');
    expect(json.variables).toEqual({ MODEL_URL: 'http://127.0.0.1:9/v1' });
    const { url, token } = await gateway.http();
    const overHttp = await fetch(`${url}/v1/configuration`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(overHttp.status).toBe(404);
    expect(await overHttp.text()).not.toContain('nvidia-smi');
  });
});

describe('sluice config plan, without a gateway', () => {
  test('compares with the last configuration that ran, and exits with 4 where none ever did', async () => {
    expect(await config('plan')).toMatchObject({ code: 4, stdout: '' });
    folder.writeConfig(testConfig());
    await using gateway = await TestGateway.start({ folder });
    await gateway.stop();
    folder.writeConfig(testConfig('display: { busy_input_mode: queue }'));
    const { code, stdout } = await config('plan');
    expect(stdout).toBe(
      `now        display.busy_input_mode  "interrupt" → "queue"\n${folder.configPath} makes 1 change to the last configuration that ran. A reload is enough.\n`,
    );
    expect(code).toBe(0);
  });

  test('a gateway on its last good configuration is compared with that, and its own file is judged', async () => {
    folder.writeConfig(testConfig());
    await using first = await TestGateway.start({ folder });
    await first.stop();
    folder.writeConfig('zebra: 1\n');
    await using second = await TestGateway.start({ folder, env: { SLUICE_SUPERVISOR: 'systemd' } });
    expect(await config('plan')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`${folder.configPath}:1:1 zebra: unknown key`),
    });
    expect((await config('check', '--json')).json).toMatchObject({
      file: folder.configPath,
      origin: 'gateway',
    });
    folder.writeConfig(testConfig('agents: { other: { command: cat } }'));
    const { stdout, stderr } = await config('plan');
    expect(stdout).toContain('next turn  agents.other  added\n');
    expect(stderr).toContain('the gateway runs on its last good configuration');
    await second.stop();
  });
});

describe('sluice config import', () => {
  const HERMES = `quick_commands:
  # what the GPUs do
  gpu: { type: exec, command: nvidia-smi }
  status: { type: exec, command: uptime }
agent: { max_turns: 90, restart_drain_timeout: 180 }
`;

  test('prints a configuration, and on stderr what it left and why', async () => {
    const from = write('config.yaml', HERMES);
    const { code, stdout, stderr } = await config('import', from);
    expect(code).toBe(0);
    expect(stdout).toBe(
      `# Taken from ${from} by sluice config import.\nquick_commands:\n  # what the GPUs do\n  gpu: { type: exec, command: nvidia-smi }\nagent: { restart_drain_timeout: 180 }\n`,
    );
    expect(stderr).toContain('left     agent.max_turns: counts tool calls there');
    expect(stderr).toContain(
      'left     quick_commands.status: would not be valid here: is a built-in command',
    );
    write('sluice.yaml', stdout);
    expect(await config('check')).toMatchObject({ code: 0 });
  });

  test('writes a file, and over one that is there only when forced', async () => {
    const from = write('config.yaml', HERMES);
    const target = join(folder.path, 'sluice.yaml');
    expect(await config('import', from, '--write', 'sluice.yaml')).toMatchObject({ code: 0, stdout: '' });
    const written = readFileSync(target, 'utf8');
    expect(written).toContain('nvidia-smi');
    const again = await config('import', from, '--write', 'sluice.yaml', '--force');
    expect(again.stderr).toContain(`warning: quick commands run in ${folder.path} unless they name a cwd`);
    write('sluice.yaml', 'mine\n');
    const refused = await config('import', from, '--write', 'sluice.yaml');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${target} exists; name another file`),
    });
    expect(readFileSync(target, 'utf8')).toBe('mine\n');
    expect(await config('import', from, '--write', 'sluice.yaml', '--force')).toMatchObject({ code: 0 });
    expect(readFileSync(target, 'utf8')).toBe(written);
    const nowhere = await config('import', from, '--write', 'none/sluice.yaml', '--json');
    expect(nowhere).toMatchObject({ code: 1, json: { ok: false, file: null } });
    expect(nowhere.json.problem).toContain('could not be written');
  });

  test('writes nothing where there is nothing to take, or the file cannot be read', async () => {
    const nothing = await config('import', write('config.yaml', 'terminal: {}\n'), '--write', 'sluice.yaml');
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nothing that has a meaning here'),
    });
    const tab = await config('import', write('config.yaml', 'agent:\n\ta: 1\n'), '--write', 'sluice.yaml');
    expect(tab).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(':2:1 agent: a tab indents the line'),
    });
    expect(await config('import', 'none.yaml', '--json')).toMatchObject({ code: 1, json: { ok: false } });
    expect(existsSync(join(folder.path, 'sluice.yaml'))).toBe(false);
  });

  test('--json is one document', async () => {
    const { json } = await config('import', write('config.yaml', HERMES), '--json');
    expect(json).toMatchObject({
      ok: true,
      file: null,
      taken: ['quick_commands.gpu', 'agent.restart_drain_timeout'],
    });
    expect(json.left.map(({ key }: { key: string }) => key)).toEqual([
      'agent.max_turns',
      'quick_commands.status',
    ]);
  });
});
