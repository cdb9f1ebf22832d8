import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CONFIG_BYTES_MAX } from '../../src/config/config-file.ts';
import { type LoadOptions, loadConfig, parseConfig } from '../../src/config/load.ts';
import { readEnvironment } from '../../src/config/process-environment.ts';
import type { ExecCommand } from '../../src/config/schema.ts';
import { isSluiceError, SluiceError } from '../../src/errors.ts';
import { chain, WRONG_FILES } from './wrong-files.ts';

const options: LoadOptions = {
  path: '/etc/sluice/sluice.yaml',
  origin: 'flag',
  env: { HOME: '/home/ada' },
  builtinNames: ['status', 'restart', 'stop', 'help', 'resume', 'resume-turns'],
};

const parse = (text: string, changes: Partial<LoadOptions> = {}) =>
  parseConfig(text, { ...options, ...changes });

/** The problems of a text, `LINE:COLUMN key: message`, without the lines shown below them. */
function problemsOf(text: string, changes: Partial<LoadOptions> = {}): string[] {
  try {
    parse(text, changes);
  } catch (error) {
    if (!isSluiceError(error, 'CONFIG_INVALID')) throw error;
    return error.message
      .split('\n')
      .filter((line) => line.startsWith(options.path))
      .map((line) => line.slice(options.path.length + 1));
  }
  return [];
}

test.each([
  [
    'a key where the name of its variable belongs',
    'agent: { type: openai, base_url: "http://h/v1", model: m, api_key_env: sk-proj-abcDEF1234567890abcd }',
    'abcDEF1234567890',
  ],
  [
    'a mapping with a password',
    'quick_commands: { x: { type: exec, command: ls, env: { DB_PASS: hunter3 } } }',
    'hunter3',
  ],
])('%s is refused without saying the secret', (_, text, secret) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('***') }),
  );
  expect(() => parse(text)).not.toThrow(new RegExp(secret));
});

describe('a wrong configuration names line, column, key, what is wrong and what would be right', () => {
  test.each(WRONG_FILES)('%s', (_, text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  test('aliases in a circle: each of them is named, what leads into the circle is not', () => {
    const text =
      'quick_commands:\n  a: { type: alias, target: /b }\n  b: { type: alias, target: c }\n  c: { type: alias, target: /a@bot x }\n  d: { type: alias, target: /a }\n';
    expect(problemsOf(text)).toEqual([
      '2:29 quick_commands.a.target: goes in a circle, /a → /b → /c → /a; point one of them elsewhere',
      '3:29 quick_commands.b.target: goes in a circle, /b → /c → /a → /b; point one of them elsewhere',
      '4:29 quick_commands.c.target: goes in a circle, /c → /a → /b → /c; point one of them elsewhere',
    ]);
  });

  test('a chain of eight aliases is followed', () => {
    expect(Object.keys(parse(chain(8)).config.quickCommands)).toHaveLength(9);
  });

  test('all problems of a file are named at once, in its order, each with its line', () => {
    const text =
      'quick_commands:\n  r: { type: alias, target: /r }\n  s: { type: exec, command: ls, timeout: 0 }\nzebra: 1\nagent: { comand: x, turn_timeout: 0 }\n';
    expect(() => parse(text)).toThrow(
      [
        `${options.path}:2:29 quick_commands.r.target: is the alias itself; name another command`,
        '     2 |   r: { type: alias, target: /r }',
        `${options.path}:3:42 quick_commands.s.timeout: 0 leaves no time at all; write more than 0`,
        '     3 |   s: { type: exec, command: ls, timeout: 0 }',
        `${options.path}:4:1 zebra: unknown key; known here: listen, agent, agents, display, quick_commands, conversations, access, shutdown, turns, safe_mode, store, reload, inspector, platforms`,
        '     4 | zebra: 1',
        `${options.path}:5:10 agent.comand: unknown key; did you mean command?`,
        '     5 | agent: { comand: x, turn_timeout: 0 }',
        `${options.path}:5:35 agent.turn_timeout: 0 leaves no time at all; write more than 0`,
        '     5 | agent: { comand: x, turn_timeout: 0 }',
      ].join('\n'),
    );
  });

  test('at most twenty problems are listed and the rest is counted', () => {
    const text = Array.from({ length: 23 }, (_, at) => `zebra${at}: 1\n`).join('');
    expect(problemsOf(text)).toHaveLength(20);
    expect(() => parse(text)).toThrow(/\n… and 3 more$/);
  });

  test('a line that is shown is cut and cannot steer a terminal', () => {
    const text = `zebra: "\u001B[2J\u0007${'x'.repeat(500)}"\n`;
    expect(() => parse(text)).toThrow(/\n {5}1 \| zebra: " \[2J x{100,110}…$/);
  });

  test('of a long line the part around the mistake is shown', () => {
    const long = 'y'.repeat(200);
    const shownOf = (text: string) => {
      try {
        parse(text);
      } catch (error) {
        return String((error as Error).message)
          .split('\n')
          .at(-1);
      }
      return undefined;
    };
    const line = `agent: { command: x, cwd: "${long}", zebra: 3, turn_timeout: "${'5m'.padEnd(200)}" }`;
    expect(shownOf(`${line}\n`)).toBe(
      `     1 | …${'y'.repeat(57)}", zebra: 3, turn_timeout: "5m${' '.repeat(33)}…`,
    );
    expect(shownOf(`agent: { command: x, cwd: "${long}", zebra: 3 }\n`)).toMatch(/\| …y{57}", zebra: 3 }$/);
  });

  test('a long line that holds a secret is shown from its beginning: what names a secret may stand far before it', () => {
    const secret = Array.from({ length: 60 }, (_, at) => `word${at}`).join(' ');
    expect(() => parse(`zebra: { api_key: "${secret}", x: 1 }\nagent: { comand: 1 }\n`)).toThrow(
      / {5}1 \| zebra: /,
    );
    const thrown = () => parse(`agent: { command: x, token: "${secret}", zebra: 3 }\n`);
    expect(thrown).toThrow(/1:\d{3} agent\.zebra: unknown key/);
    expect(thrown).not.toThrow(/word5/);
  });

  test('a few lines that stand for a billion values are refused at once', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) => `  l${at + 1}: &l${at + 1} [${Array(9).fill(`*l${at}`)}]\n`,
    );
    const text = `access:\n  l0: &l0 [x]\n${levels.join('')}`;
    expect(problemsOf(text)).toContainEqual(
      expect.stringMatching(
        /^\d+:\d+ access\.l\d.*: is the value after the first 20000, aliases written out; use fewer$/,
      ),
    );
  });

  test('a small file that stands for gigabytes of text is refused without writing them out', () => {
    const long = 'x'.repeat(500_000);
    expect(problemsOf(`agent: { command: &c "${long}" }\naccess: [${Array(15_000).fill('*c')}]\n`)).toEqual([
      expect.stringMatching(/^2:1 access: \["…",[",…]{35}… is not a mapping;/),
    ]);
    expect(problemsOf(`agent:\n  ? ${long}\n  : 1\naccess: [${Array(15_000).fill('*c')}]\n`)[0]).toBe(
      '2:5 agent: has a key of 500000 characters; use at most 128',
    );
  });

  test('a nesting without end is refused', () => {
    expect(problemsOf(`access: ${'['.repeat(100)}${']'.repeat(100)}`)).toContainEqual(
      expect.stringContaining('is nested deeper than 32 levels; make it flatter'),
    );
  });
});

describe('a valid configuration', () => {
  test('an empty file, one of comments and one of empty sections are the defaults', () => {
    const { config, warnings } = parse('');
    expect(config).toMatchObject({
      listen: { http: { host: '127.0.0.1', port: 7171 } },
      drainTimeoutMs: 60_000,
      maxTurns: 8,
      busyInputMode: 'interrupt',
      quickCommands: {},
      access: { owners: [], users: [] },
      shutdown: { killGraceMs: 5_000, exitTimeoutMs: 10_000 },
      turns: { resume: 'auto', maxAgeMs: 86_400_000, onExpired: 'ask' },
      safeMode: {
        deaths: 5,
        withinMs: 60_000,
        slowDeaths: 8,
        slowWithinMs: 1_800_000,
        quietMs: 120_000,
      },
      store: { retentionMs: 2_592_000_000 },
      reload: { watch: false },
      inspector: { xstateInspect: 'off' },
      platforms: {},
    });
    expect(config.agents.default).toMatchObject({
      command: [process.execPath, expect.stringMatching(/\/config\/quickstart-agent\.mjs$/)],
      turnTimeoutMs: 1_800_000,
      failureThreshold: 5,
    });
    expect(warnings).toEqual([expect.stringContaining('the built-in demo agent answers')]);
    for (const text of ['# nothing yet\n', 'agent:\nquick_commands: # later\naccess: ~\n']) {
      expect(parse(text).config).toEqual({ ...config, source: { ...config.source, text } });
    }
  });

  test('every key of a command arrives, in milliseconds and absolute paths', () => {
    const { config } = parse(
      [
        'quick_commands:',
        '  logs:',
        '    type: exec',
        '    command: [./bin/logs, -n]',
        '    timeout: 1.5s',
        '    grace: 10ms',
        '    cwd: ~/models',
        '    env: [LANG, CUDA_VISIBLE_DEVICES, LANG]',
        '    concurrency: 3',
        '    allow: [owner, user]',
        '    args:',
        '      LINES: { default: "20", pattern: "^[0-9]+$" }',
        '      LEVEL: { choices: [on, off], required: true }',
        '      WORDS: { rest: true }',
        '    description: the last lines',
      ].join('\n'),
    );
    expect(config.quickCommands.logs).toEqual({
      type: 'exec',
      name: 'logs',
      command: ['/etc/sluice/bin/logs', '-n'],
      timeoutMs: 1_500,
      graceMs: 10,
      cwd: '/home/ada/models',
      env: ['LANG', 'CUDA_VISIBLE_DEVICES'],
      concurrency: 3,
      allow: ['owner', 'user'],
      args: [
        { name: 'LINES', default: '20', pattern: '^[0-9]+$', required: false, rest: false },
        { name: 'LEVEL', choices: ['on', 'off'], required: true, rest: false },
        { name: 'WORDS', required: false, rest: true },
      ],
      description: 'the last lines',
    });
  });

  test('a command has the defaults of its keys', () => {
    expect(
      parse('quick_commands: { gpu: { type: exec, command: nvidia-smi } }').config.quickCommands.gpu,
    ).toEqual({
      type: 'exec',
      name: 'gpu',
      command: 'nvidia-smi',
      timeoutMs: 30_000,
      graceMs: 2_000,
      cwd: '/etc/sluice',
      env: [],
      concurrency: 1,
      allow: ['owner'],
      args: [],
      description: '',
    });
  });

  test.each([
    ['/restart', '/restart', 'a command'],
    ['restart now', '/restart now', 'a command without its slash, as hermes-agent writes it'],
    ['gpu', '/gpu', 'a quick command without its slash'],
    ['tell me a joke', 'tell me a joke', 'words for the agent'],
    [' /etc/hosts is broken ', '/etc/hosts is broken', 'a path'],
  ])('the target %j of an alias is %j: %s', (target, expected) => {
    const { config, warnings } = parse(
      `agent: { command: x }\nquick_commands:\n  x: { type: alias, target: ${JSON.stringify(target)} }\n  gpu: { type: exec, command: ls }\n`,
    );
    expect(config.quickCommands.x).toEqual({
      type: 'alias',
      name: 'x',
      target: expected,
      allow: ['owner'],
      description: '',
    });
    expect(warnings).toEqual([]);
  });

  test('an alias to a command that nobody knows is a warning with the nearest name', () => {
    expect(
      parse('agent: { command: x }\nquick_commands: { x: { type: alias, target: /restrat } }').warnings,
    ).toEqual(['quick_commands.x.target: /restrat is no command of this gateway; did you mean /restart?']);
  });

  test('an alias whose own name is nearest is not told to name itself', () => {
    const { warnings } = parse(
      'agent: { command: x }\nquick_commands: { a: { type: alias, target: /b }, restrt: { type: alias, target: /restat } }',
    );
    expect(warnings).toEqual([
      'quick_commands.a.target: /b is no command of this gateway',
      'quick_commands.restrt.target: /restat is no command of this gateway; did you mean /restart?',
    ]);
  });

  test('a variable that reaches no command, though a file names it, is a warning', () => {
    const { warnings } = parse(
      'agent: { command: x }\nquick_commands: { x: { type: exec, command: "true", env: [HOME, NOTIFY_SOCKET] } }',
    );
    expect(warnings).toEqual([
      'quick_commands.x.env: NOTIFY_SOCKET is what the supervisor says to the gateway, and reaches no command; remove it',
    ]);
  });

  test('node as the first word of a list is the Node that runs us; a bare program is left to PATH', () => {
    const { config } = parse(
      'agent: { command: [node, ./a.mjs], cwd: sub }\nagents:\n  b: { command: [python3, a.py], max_turns: 2, turn_timeout: 1d }\n',
    );
    expect(config.agents).toEqual({
      default: {
        name: 'default',
        type: 'command',
        command: [process.execPath, './a.mjs'],
        cwd: '/etc/sluice/sub',
        turnTimeoutMs: 1_800_000,
        failureThreshold: 5,
        effects: true,
      },
      b: {
        name: 'b',
        type: 'command',
        command: ['python3', 'a.py'],
        cwd: '/etc/sluice',
        turnTimeoutMs: 86_400_000,
        failureThreshold: 5,
        effects: true,
        maxTurns: 2,
      },
    });
  });

  test.each([
    ['off', 'off'],
    ['"off"', 'off'],
    ['false', 'off'],
    ['"[::1]:0"', { host: '::1', port: 0 }],
    ['LocalHost:80', { host: 'localhost', port: 80 }],
  ])('listen.http: %s', (value, expected) => {
    expect(parse(`listen: { http: ${value} }`).config.listen.http).toEqual(expected);
  });

  test('every key of turns, safe_mode and store arrives, in milliseconds', () => {
    const { config } = parse(
      [
        'turns: { resume: never, max_age: 3650d, on_expired: expire }',
        'safe_mode: { deaths: 2, within: 30, slow_deaths: 1000, slow_within: 1d, quiet: 10ms }',
        'store: { retention: 1.5s }',
      ].join('\n'),
    );
    expect(config.turns).toEqual({ resume: 'never', maxAgeMs: 315_360_000_000, onExpired: 'expire' });
    expect(config.safeMode).toEqual({
      deaths: 2,
      withinMs: 30_000,
      slowDeaths: 1000,
      slowWithinMs: 86_400_000,
      quietMs: 10,
    });
    expect(config.store).toEqual({ retentionMs: 1_500 });
  });

  test.each(['off', '"off"', 'false'])('safe_mode: %s is none at all', (value) => {
    expect(parse(`safe_mode: ${value}`).config.safeMode).toBeNull();
    expect(parse(`%YAML 1.1\n---\nsafe_mode: ${value}\n`).config.safeMode).toBeNull();
  });

  test('a safe_mode without a value, or with none of its keys, is the default', () => {
    const { safeMode } = parse('').config;
    for (const text of ['safe_mode:\n', 'safe_mode: {}\n', 'safe_mode:\n  deaths: 5\n']) {
      expect(parse(text).config.safeMode).toEqual(safeMode);
    }
  });

  test('everything that is wrong in safe_mode is named at once, each at its own place', () => {
    expect(problemsOf('safe_mode:\n  deaths: many\n  witin: 60s\n  quiet: soon\n  slow_deaths: 1\n')).toEqual(
      [
        '2:11 safe_mode.deaths: "many" is not a whole number of 2 to 1000; write one, for example 2',
        '3:3 safe_mode.witin: unknown key; did you mean within?',
        '4:10 safe_mode.quiet: "soon" is not a duration; write seconds, or a text as "30s", "5m", "2h", "10ms"',
        '5:16 safe_mode.slow_deaths: 1 is not a whole number of 2 to 1000; write one, for example 2',
      ],
    );
  });

  test('off stays a word when the file declares YAML 1.1', () => {
    expect(parse('%YAML 1.1\n---\nlisten: { http: off }\n').config.listen.http).toBe('off');
    expect(problemsOf('%YAML 1.1\n---\ndisplay: { busy_input_mode: off }\n')).toEqual([
      '3:29 display.busy_input_mode: "off" is not a busy input mode; use interrupt, queue or steer',
    ]);
  });

  test('an HTTP interface that other machines reach is a warning', () => {
    expect(parse('agent: { command: x }\nlisten: { http: "0.0.0.0:7171" }').warnings).toEqual([
      'listen.http: 0.0.0.0 can be reached from other machines; only the token protects it',
    ]);
  });

  test('a byte order mark, Windows line ends and anchors are taken as they are meant', () => {
    const { config } = parse('\uFEFFagent:\r\n  command: &c "x"\r\nagents:\r\n  b: { command: *c }\r\n');
    expect(config.agents.b).toMatchObject({ command: 'x' });
    expect(problemsOf('\uFEFFzebra: 1\r\n')).toEqual([expect.stringMatching(/^1:1 zebra: /)]);
  });

  test('names that every object has find nothing that the file does not define', () => {
    const { config } = parse('agent: { command: x }');
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(config.quickCommands[name]).toBeUndefined();
      expect(config.agents[name]).toBeUndefined();
      expect(config.platforms[name]).toBeUndefined();
    }
    const defined = parse('quick_commands: { constructor: { type: exec, command: ls } }').config;
    expect(defined.quickCommands.constructor).toMatchObject({ type: 'exec', name: 'constructor' });
  });

  test('loading the same text twice gives equal configurations that share nothing', () => {
    const text =
      'quick_commands: { gpu: { type: exec, command: [ls], args: { A: {} } } }\naccess: { users: ["local:x"] }';
    const [first, second] = [parse(text).config, parse(text).config];
    expect(first).toStrictEqual(second);
    expect(first.quickCommands.gpu).not.toBe(second.quickCommands.gpu);
    expect((first.quickCommands.gpu as ExecCommand).args).not.toBe(
      (second.quickCommands.gpu as ExecCommand).args,
    );
  });

  test('a copy kept elsewhere resolves against the folder of the original', () => {
    const { config } = parse('agent: { command: [./a], cwd: b }', {
      path: '/home/ada/last-good.yaml',
      folder: '/srv/bot',
    });
    expect(config.agents.default).toMatchObject({ command: ['/srv/bot/a'], cwd: '/srv/bot/b' });
    expect(config.source).toMatchObject({ path: '/home/ada/last-good.yaml', folder: '/srv/bot' });
  });
});

describe('platforms that the composition root brings', () => {
  const platformSchemas = { standin: z.strictObject({ port: z.int() }) };

  test('are checked by their own schema, which gives the value', () => {
    expect(parse('platforms: { standin: { port: 7 } }', { platformSchemas }).config.platforms).toEqual({
      standin: { port: 7 },
    });
    expect(parse('platforms: {}', { platformSchemas }).config.platforms).toEqual({});
    expect(problemsOf('platforms:\n  standin:\n    port: x\n', { platformSchemas })).toEqual([
      expect.stringMatching(/^3:11 platforms\.standin\.port: /),
    ]);
  });

  test('must have keys when they are named, and a misspelt one is told the name', () => {
    expect(problemsOf('platforms:\n  standin:\n', { platformSchemas })).toEqual([
      '2:11 platforms.standin: is missing; write its keys below it, indented, or {} if it needs none',
    ]);
    expect(problemsOf('platforms: { standim: {} }', { platformSchemas })).toEqual([
      '1:14 platforms.standim: unknown platform; did you mean standin?',
    ]);
  });
});

describe('environment overrides', () => {
  const text = 'agent: { command: x, restart_drain_timeout: 45 }\ndisplay: { busy_input_mode: queue }';

  test('hold over the file', () => {
    const env = { SLUICE_RESTART_DRAIN_TIMEOUT: '5m', SLUICE_BUSY_INPUT_MODE: 'steer' };
    const { config, warnings } = parse(text, { env });
    expect([config.drainTimeoutMs, config.busyInputMode, warnings]).toEqual([300_000, 'steer', []]);
    expect(parse(text, { env: { SLUICE_RESTART_DRAIN_TIMEOUT: '0' } }).config.drainTimeoutMs).toBe(0);
  });

  test.each([
    ['soon', '"soon" is not a duration; write seconds'],
    ['-1', '"-1" is negative; write 0 or more'],
    ['25h', '"25h" is more than 24 hours; write at most 24h'],
    ['NaN', '"NaN" is not a duration'],
  ])(
    'a bad drain timeout %j is a warning that names it, and the value of the file holds',
    (value, problem) => {
      const { config, warnings } = parse(text, { env: { SLUICE_RESTART_DRAIN_TIMEOUT: value } });
      expect(config.drainTimeoutMs).toBe(45_000);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`SLUICE_RESTART_DRAIN_TIMEOUT: ${problem}`);
      expect(warnings[0]).toMatch(/; the configuration's 45s holds$/);
    },
  );

  test('a bad busy mode is a warning that names it, and the value of the file holds', () => {
    const { config, warnings } = parse(text, { env: { SLUICE_BUSY_INPUT_MODE: 'Queue!' } });
    expect(config.busyInputMode).toBe('queue');
    expect(warnings).toEqual([
      `SLUICE_BUSY_INPUT_MODE: "Queue!" is not a busy input mode; use interrupt, queue or steer; the configuration's queue holds`,
    ]);
  });

  test('an empty one counts as not set', () => {
    const { config, warnings } = parse(text, {
      env: { SLUICE_RESTART_DRAIN_TIMEOUT: ' ', SLUICE_BUSY_INPUT_MODE: '' },
    });
    expect([config.drainTimeoutMs, config.busyInputMode, warnings]).toEqual([45_000, 'queue', []]);
  });

  test('the environment is read as it is, and the copy changes nothing outside', () => {
    const env = readEnvironment();
    expect(env.PATH).toBe(process.env.PATH);
    env.SLUICE_TEST_ONLY = 'x';
    expect(process.env.SLUICE_TEST_ONLY).toBeUndefined();
  });
});

describe('a configuration file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const load = (path: string) => loadConfig({ ...options, path });
  const write = (text: string | Uint8Array) => {
    const path = join(folder, 'sluice.yaml');
    writeFileSync(path, text);
    return path;
  };

  test('is read with its folder and text', () => {
    const path = write('agent: { command: [./a] }\n');
    const { config } = load(path);
    expect(config.source).toEqual({ path, folder, origin: 'flag', text: 'agent: { command: [./a] }\n' });
    expect(config.agents.default).toMatchObject({ command: [join(folder, 'a')] });
  });

  test('that is missing, a folder, a loop, below a file or no file at all is unreadable, and says so', () => {
    const loop = join(folder, 'loop');
    symlinkSync(loop, loop);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const [path, why, hint] of [
      [join(folder, 'none.yaml'), 'does not exist', 'Check the path.'],
      [folder, 'is a folder', 'Name a file in it.'],
      [loop, 'is a link that leads back to itself', 'Name the file itself.'],
      [join(write(''), 'below'), 'does not exist: a part of its path is no folder', 'Check the path.'],
      [pipe, 'is not a regular file', 'Name one that is.'],
    ] as const) {
      expect(() => load(path)).toThrow(
        expect.objectContaining({ code: 'CONFIG_UNREADABLE', message: `${path} ${why}`, hint }),
      );
    }
  });

  test.skipIf(process.getuid?.() === 0)('that this user may not read says so', () => {
    const path = write('');
    chmodSync(path, 0o000);
    expect(() => load(path)).toThrow(
      expect.objectContaining({ code: 'CONFIG_UNREADABLE', message: `${path} may not be read by this user` }),
    );
  });

  test('of exactly 1 MB is read, one byte more is refused', () => {
    const comment = (bytes: number) => `#${'x'.repeat(bytes - 1)}`;
    expect(load(write(comment(CONFIG_BYTES_MAX))).config.maxTurns).toBe(8);
    const path = write(comment(CONFIG_BYTES_MAX + 1));
    expect(() => load(path)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `${path}:1:1 (file): is larger than 1 MB; make it smaller`,
      }),
    );
  });

  test('that is no UTF-8 is refused instead of being read with holes', () => {
    const path = write(new Uint8Array([0xff, 0xfe, 0x61, 0x00]));
    expect(() => load(path)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `${path}:1:1 (file): is not UTF-8 text; save it as UTF-8\n     1 | \uFFFD\uFFFDa `,
      }),
    );
  });

  test('is never named by a folder that has its name', () => {
    const path = join(folder, 'sluice.yaml');
    mkdirSync(path);
    expect(() => load(path)).toThrow(/is a folder/);
  });
});

describe('whatever the text', () => {
  const word = fc.constantFrom(
    ...[
      'agent',
      'agents',
      'command',
      'quick_commands',
      'type',
      'exec',
      'alias',
      'target',
      'args',
      'default',
      'off',
    ],
    ...[
      'x',
      '/x',
      '__proto__',
      '<<',
      '*a',
      '&a',
      '!!set',
      '!!binary',
      '? ',
      '- ',
      ': ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '|',
      '>',
    ],
    ...[
      '\n',
      '\n  ',
      '\n    ',
      '\t',
      '"',
      "'",
      '#',
      '---',
      '...',
      '%YAML 1.1',
      '\r',
      '\u0000',
      '\uFEFF',
      '-1',
      '.nan',
      '~',
      '1e999',
    ],
  );
  const value = fc.jsonValue({ maxDepth: 4 }).map((json) => JSON.stringify(json));
  const keys = fc.constantFrom(
    'listen',
    'agent',
    'agents',
    'quick_commands',
    'access',
    'platforms',
    'reload',
    'inspector',
    'shutdown',
    'display',
  );
  const section = fc.tuple(keys, value).map(([key, json]) => `${key}: ${json}\n`);
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word).map((words) => words.join('')),
    section,
    value,
  );

  test.each([
    ': !!binary',
    'agent: !!binary aGk=',
    '!!omap [a: 1]',
    'agent: !!omap [b: 1]',
    'quick_commands: !!set {x}',
    'a: !!timestamp 2001-01-01',
  ])('%j has a tag that means nothing here', (yaml) => {
    expect(() => parse(yaml)).toThrow(/:1:\d+ [^\n]*has a tag that means nothing here/);
  });

  test('a tag that says what a value is hides nothing of it', () => {
    expect(() => parse('unheard_of: !!str 5')).toThrow(/unheard_of: unknown key/);
  });

  test('it gives a configuration or a SluiceError that names a line, and nothing else', () => {
    fc.assert(
      fc.property(text, (yaml) => {
        try {
          expect(parse(yaml).config.agents.default?.type).toBe('command');
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError);
          expect(error).toMatchObject({
            code: 'CONFIG_INVALID',
            message: expect.stringMatching(/^\S+:\d+:\d+ /),
          });
        }
      }),
      { numRuns: 500 },
    );
  });
});
