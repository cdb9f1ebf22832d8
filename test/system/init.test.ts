/**
 * `sluice init` as a person and a script meet it: real folders, programs on PATH, a stand-in model server on loopback;
 * and what it writes is a configuration that a gateway answers on.
 */
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CliResult, runCli, TestFolder, TestGateway } from '../support/gateway.ts';
import { OpenAiStandIn } from '../support/openai-stand-in.ts';
import { PATIENCE_MS } from '../support/polling.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const KEY = 'sk-test-0123456789abcdef';

/** Variables of services that the machine of the test may have set; an empty one is none. */
const NO_KEYS = Object.fromEntries(
  ['OPENAI', 'OPENROUTER', 'ANTHROPIC', 'GEMINI', 'GROQ', 'MISTRAL', 'DEEPSEEK'].map((name) => [
    `${name}_API_KEY`,
    '',
  ]),
);

/** A port on which nobody listens. */
const NOBODY = '1';

let folder: TestFolder;
let bin: string;
let file: string;

beforeEach(() => {
  folder = new TestFolder();
  bin = join(folder.path, 'bin');
  mkdirSync(bin);
  file = join(folder.path, 'sluice.yaml');
});

afterEach(() => folder[Symbol.dispose]());

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** Only what the test puts on it, and what a shell script needs. */
const PATH = () => [bin, '/usr/bin', '/bin'].join(delimiter);

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  ...NO_KEYS,
  PATH: PATH(),
  HOME: folder.path,
  SLUICE_INIT_PORTS: NOBODY,
  ...more,
});

const init = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<CliResult> =>
  runCli(['init', ...args], folder.path, environment(more));

const written = () => readFileSync(file, 'utf8');

/** Its commands have no port of their own in it: a test's gateway takes a free one. */
const startOn = (env: Readonly<Record<string, string>>) =>
  TestGateway.start({ folder, configText: `${written()}\nlisten: { http: 127.0.0.1:0 }\n`, env });

describe('what it chooses', () => {
  test('is a local model before a program and a key, and the gateway answers on it', async () => {
    await using server = await OpenAiStandIn.start();
    program('claude', 'cat');
    const env = { SLUICE_INIT_PORTS: `${NOBODY},${server.port}`, OPENAI_API_KEY: KEY };
    const { code, stdout } = await init(['--yes'], env);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        `Wrote ${file}: a model server on port ${server.port} with stand-in answers.`,
        '',
        'Start it   npx sluice run',
        'Say hello  npx sluice send "say hello"',
        '',
      ].join('\n'),
    );
    await using gateway = await startOn({});
    expect((await gateway.send('say hello')).json).toMatchObject({
      outcome: 'answered',
      replies: ['you said: say hello'],
    });
  });

  test('is a program before a key, and the gateway answers by it', async () => {
    program('llm', 'echo "$# words"; cat');
    program('claude', 'echo "claude $@"; cat');
    const { json, code } = await init(['--yes', '--json'], { OPENAI_API_KEY: KEY });
    expect(code).toBe(0);
    expect(json).toMatchObject({
      ...{ ok: true, written: true, file, next: ['npx sluice run', 'npx sluice send "say hello"'] },
      chosen: { kind: 'program', name: 'claude', command: [join(bin, 'claude'), '--print'] },
      found: [{ name: 'claude' }, { name: 'llm' }, { name: 'OpenAI' }, { name: 'demo' }],
    });
    await using gateway = await startOn({ PATH: PATH() });
    expect((await gateway.send('say hello')).json).toMatchObject({ replies: ['claude --print\nsay hello'] });
  });

  test('is a key by its variable, and the key is nowhere', async () => {
    const { code, stdout, stderr } = await init(['--yes', '--json'], { OPENROUTER_API_KEY: KEY });
    expect(code).toBe(0);
    expect(written()).toContain('api_key_env: OPENROUTER_API_KEY');
    for (const text of [written(), stdout, stderr]) expect(text).not.toContain(KEY);
  });

  test('is the demo agent where there is nothing else, and that is said', async () => {
    const { code, stdout } = await init(['--yes']);
    expect(code).toBe(0);
    expect(stdout).toContain('the built-in demo agent answers');
    await using gateway = await startOn({});
    expect((await gateway.send('hello')).json.replies[0]).toMatch(/demo agent/);
  });

  test('is what was named, or a list of what could have been', async () => {
    program('llm', 'cat');
    expect(
      (await init(['--yes', '--agent', 'openai', '--model', 'gpt-5'], { OPENAI_API_KEY: KEY })).code,
    ).toBe(0);
    expect(written()).toContain('model: "gpt-5"');
    const none = await init(['--yes', '--force', '--agent', 'nobody']);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('there is llm, demo') });
  });
});

describe('a model that is named', () => {
  test('is one that the server lists, or nothing is written and those are named, the near one first', async () => {
    await using server = await OpenAiStandIn.start();
    const env = { SLUICE_INIT_PORTS: `${server.port}` };
    const refused = await init(['--yes', '--model', 'stand'], env);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('lists no model "stand"; it has stand-in'),
    });
    expect(existsSync(file)).toBe(false);
    expect(await init(['--yes', '--model', 'stand-in'], env)).toMatchObject({ code: 0, stderr: '' });
  });

  test('is taken with a warning where no list can be had, and refused by what takes none', async () => {
    const env = { OPENAI_API_KEY: KEY };
    expect(await init(['--yes', '--agent', 'openai', '--model', 'gpt-99'], env)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('warning: whether OpenAI has a model gpt-99 was not looked up'),
    });
    expect(await init(['--yes', '--force', '--agent', 'demo', '--model', 'x'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('demo takes no --model'),
    });
  });
});

describe('what it writes', () => {
  test('begins with the schema for editors, and is valid to the reader of every command', async () => {
    await init(['--yes']);
    const [schema = ''] = written().split('\n');
    const [, path = ''] = /^# yaml-language-server: \$schema=(.*)$/.exec(schema) ?? [];
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ type: 'object' });
    const check = await runCli(['config', 'check', file], folder.path, environment());
    expect(check).toMatchObject({ code: 0, stdout: expect.stringContaining('is valid') });
  });

  test('never replaces a file unless it is told to', async () => {
    writeFileSync(file, '# mine\n');
    const refused = await init(['--yes']);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/exists; replace it with --force/),
    });
    expect(written()).toBe('# mine\n');
    expect((await init(['--yes', '--force'])).code).toBe(0);
    expect(written()).toContain('Written by sluice init');
    expect(
      readdirSync(folder.path)
        .filter((name) => name !== '.cache')
        .toSorted(),
    ).toEqual(['bin', 'sluice.yaml']);
  });

  test('lies where it was asked for: in the user’s configuration, or in a file that is named', async () => {
    const config = join(folder.path, 'xdg');
    expect((await init(['--yes', '--global'], { XDG_CONFIG_HOME: config })).code).toBe(0);
    expect(statSync(join(config, 'sluice/sluice.yaml')).isFile()).toBe(true);
    const named = await init(['--yes', '--config', 'other/my.yaml', '--json']);
    expect(named.json).toMatchObject({
      file: join(folder.path, 'other/my.yaml'),
      next: [`npx sluice run --config ${join(folder.path, 'other/my.yaml')}`, 'npx sluice send "say hello"'],
    });
    expect(existsSync(file)).toBe(false);
  });

  test('is said to have no place where there is none', async () => {
    writeFileSync(join(folder.path, 'taken'), '');
    const { code, stderr } = await init(['--yes', '--config', 'taken/sluice.yaml']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/taken cannot be made/);
  });
});

describe('the lines that it says are next', () => {
  /** As a person types them: by a shell, in this folder. `npx` finds this program, as it does in a checkout. */
  const typed = (line: string) =>
    spawn('/bin/sh', ['-c', `exec ${line}`], {
      cwd: folder.path,
      env: { ...environment(), XDG_STATE_HOME: join(folder.path, 'state') },
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  /** Resolves with what it printed once that matches, or at its end. */
  const printed = (child: ReturnType<typeof typed>, wanted: RegExp): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (wanted.test(text)) resolve(text);
      });
      child.once('close', () => resolve(text));
    });

  test.each([
    ['a file and a home that were named', ['--home', './my home', '--config', "conf/it's mine.yaml"]],
    ['a home alone', ['--home', 'home']],
    ['a file beside one that would be found first', ['--global']],
  ])('run and are answered, with %s', async (_, args) => {
    const entry = process.env.SLUICE_TEST_ENTRY ?? MAIN;
    program('npx', `shift\nexec '${process.execPath}' '${entry}' "$@"`);
    if (args.includes('--global')) writeFileSync(file, 'zebra: 1\n');
    const { json } = await init(['--yes', '--json', ...args]);
    appendFileSync(json.file, '\nlisten: { http: 127.0.0.1:0 }\n');
    const gateway = typed(json.next[0]);
    const ended = new Promise((resolve) => gateway.once('close', resolve));
    try {
      // As whoever stands in this folder names it.
      expect(await printed(gateway, /sluice is running/)).toContain(
        `on ${relative(folder.path, json.file)}\n`,
      );
      expect(await printed(typed(json.next[1]), /\n/)).toMatch(/demo agent|say hello/);
    } finally {
      gateway.kill('SIGINT');
      await ended;
    }
  });
});

describe('without a terminal', () => {
  test('it says what it would do, writes nothing and exits with 2', async () => {
    program('llm', 'cat');
    const { code, stdout, stderr } = await init([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('found  llm: llm, with its default model');
    expect(stderr).toContain(`With --yes: writes ${file}, where llm answers. Nothing was written.`);
    const { json } = await init(['--json']);
    expect(json).toMatchObject({ ok: false, written: false, chosen: { name: 'llm' } });
    expect(existsSync(file)).toBe(false);
  });
});

/** A person at a terminal who types when asked. */
class Person {
  readonly #child;
  readonly ended: Promise<number | null>;
  shown = '';
  #wake: () => void = () => {};

  constructor(more: Readonly<Record<string, string>>, ...args: readonly string[]) {
    const words = [process.execPath, MAIN, 'init', ...args].map((word) => `'${word}'`);
    this.#child = spawn('script', ['-qefc', `exec ${words.join(' ')}`, '/dev/null'], {
      cwd: folder.path,
      env: { ...(process.env as Record<string, string>), ...environment(more) },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
      this.#wake();
    });
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Waits until it was asked so often, then types. */
  async types(text: string, asked: number): Promise<void> {
    const limit = AbortSignal.timeout(PATIENCE_MS);
    while (this.shown.split('or Enter for 1:').length <= asked) {
      if (limit.aborted) throw new Error(`not asked ${asked} times: ${this.shown}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        limit.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#child.stdin.write(text);
  }
}

describe.skipIf(process.platform !== 'linux')('at a terminal (Linux: util-linux’ script)', () => {
  test('it asks who shall answer and with which model, and takes Enter for the first', async () => {
    await using server = await OpenAiStandIn.start();
    server.models = (response) => void response.end('{"data":[{"id":"qwen3"},{"id":"llama3"}]}');
    program('llm', 'cat');
    const person = new Person({ SLUICE_INIT_PORTS: `${server.port}` });
    await person.types('\r', 1);
    await person.types('7\r', 2);
    await person.types('2\r', 3);
    expect(await person.ended).toBe(0);
    expect(person.shown).toMatch(/1 {2}a model server on port \d+ at http:\S+: 2 models\r\n +2 {2}llm/);
    expect(person.shown).toContain('There is no 7: give a number from 1 to 2.');
    expect(written()).toContain('model: "llama3"\n  # also there: qwen3\n');
  });

  test('it asks nothing where there is nothing to choose', async () => {
    const person = new Person({});
    expect(await person.ended).toBe(0);
    expect(person.shown).not.toContain('Who shall answer');
    expect(written()).toContain('demo agent');
  });

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s leaves without a file', async (_, key) => {
    program('llm', 'cat');
    const person = new Person({});
    await person.types(key, 1);
    expect(await person.ended).toBe(1);
    expect(person.shown).toContain('Left: nothing was written.');
    expect(readdirSync(folder.path).filter((name) => name !== '.cache')).toEqual(['bin']);
  });
});
