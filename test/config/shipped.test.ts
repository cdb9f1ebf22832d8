import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { readConfigFile } from '../../src/config/config-file.ts';
import { configJsonSchema, leavesOf } from '../../src/config/json-schema.ts';
import { KEYS } from '../../src/config/keys.ts';
import { type LoadOptions, loadConfig, parseConfig } from '../../src/config/load.ts';
import { readTree } from '../../src/config/tree.ts';
import { bindArguments } from '../../src/messages/arguments.ts';

const folder = resolve(import.meta.dirname, '../../config');
const options = (file: string): LoadOptions => ({
  path: resolve(folder, file),
  origin: 'flag',
  env: { OPENAI_API_KEY: 'a key' },
  builtinNames: ['restart', 'status', 'stop', 'help', 'drain', 'cancel', 'ps', 'interrupt'],
});

/** A key as the example has it: an agent's keys are the same for each. */
const oneAgent = (path: readonly PropertyKey[]) =>
  path[0] === 'agents' && path[2] !== 'max_turns' ? ['agent', ...path.slice(2)] : path;

/** The pattern of a key path: `*` for names. */
function patternOf(path: readonly PropertyKey[]): string | undefined {
  const segments = oneAgent(path).map(String);
  return Object.keys(KEYS).find((pattern) => {
    const names = pattern.split('.');
    return (
      names.length === segments.length && names.every((name, at) => name === '*' || name === segments[at])
    );
  });
}

describe('the set of quick commands to start from', () => {
  const { config, warnings } = loadConfig(options('examples/commands.yaml'));

  test('loads, and lacks an agent and a script of yours only', () => {
    expect(warnings).toEqual([
      expect.stringMatching(/quick_commands\.deploy\.command\[0\]: .*deploy\.sh does not exist/),
      expect.stringMatching(/^agent: none is configured/),
    ]);
  });

  test.each([
    ['unit', 'restart a b.service', ['systemctl', '--user', '--no-pager', 'restart', '--', 'a', 'b.service']],
    ['unit', 'UNITS=a', ['systemctl', '--user', '--no-pager', 'status', '--', 'a']],
    ['unit', 'reboot', undefined],
    ['unit', 'status "a;b"', undefined],
    ['deploy', 'staging', expect.arrayContaining(['staging'])],
    ['deploy', '', undefined],
    ['logs', 'LINES=99999', undefined],
  ])('/%s %s', (name, words, ran) => {
    const command = config.quickCommands[name];
    if (command?.type !== 'exec') throw new Error(`${name} is no exec command`);
    const bound = bindArguments(command, words);
    expect(bound.ok ? bound.command : undefined).toEqual(ran);
  });
});

describe('the example configuration', () => {
  const example = options('gateway.example.yaml');
  const lines = readConfigFile(example.path).split('\n');
  const withoutText = (yaml: string) => {
    const { config, warnings } = parseConfig(yaml, example);
    return { ...config, source: undefined, warnings };
  };

  test('loads, and lacks scripts of yours only', () => {
    expect(loadConfig(example).warnings).toEqual([
      expect.stringMatching(/ agent\.command: .*agent\.sh does not exist/),
      expect.stringMatching(/ agents\.reviewer\.command\[0\]: .*review\.py does not exist/),
      expect.stringMatching(/quick_commands\.cleanup\.command: .*cleanup\.sh does not exist/),
    ]);
  });

  const defaults = lines.flatMap((line, index) =>
    /# default\b/.test(line) ? [[line.trim(), index] as const] : [],
  );

  test('says of its defaults that they are', () => {
    expect(defaults.length).toBeGreaterThanOrEqual(20);
  });

  test.each(defaults)('without its line “%s” the configuration is the same', (_, index) => {
    const shortened = lines.filter((_line, at) => at !== index).join('\n');
    expect(withoutText(shortened)).toEqual(withoutText(lines.join('\n')));
  });

  test('has every key there is, and marks each default as one', () => {
    const text = lines.join('\n');
    const present = new Set<string>();
    const marked = new Set<string>();
    for (const { path, key } of readTree(text).places.values()) {
      const pattern = patternOf(path);
      if (pattern === undefined) continue;
      present.add(pattern);
      if (/# default\b/.test(lines[text.slice(0, key).split('\n').length - 1] ?? '')) marked.add(pattern);
    }
    const leaves = leavesOf(configJsonSchema()).map(({ pattern, schemas }) => ({
      pattern: oneAgent(pattern.split('.')).join('.'),
      hasDefault: schemas.some((schema) => schema.default !== undefined),
    }));
    expect(leaves.length).toBeGreaterThan(40);
    expect(leaves.filter(({ pattern }) => !present.has(pattern))).toEqual([]);
    expect(leaves.filter(({ pattern, hasDefault }) => hasDefault && !marked.has(pattern))).toEqual([]);
  });

  test('tells an editor where the schema is, which lies beside it', () => {
    const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)$/.exec(lines[0] ?? '') ?? [];
    expect(readFileSync(resolve(folder, schema), 'utf8')).toContain('"Configuration of a Sluice gateway"');
  });
});

describe.concurrent('the quickstart', () => {
  const quickstart = options('quickstart.yaml');

  test('loads without a warning and answers with the agent beside it, run by this Node', () => {
    const { config, warnings } = loadConfig(quickstart);
    expect(warnings).toEqual([]);
    expect(config.listen.http).toEqual({ host: '127.0.0.1', port: 7171 });
    expect(config.agents.default).toMatchObject({
      command: [process.execPath, './quickstart-agent.mjs'],
      cwd: folder,
    });
  });

  const run = (command: readonly string[], env: Record<string, string> = {}) => {
    const [program = '', ...args] = command;
    return spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', ...env },
      timeout: 8_000,
    });
  };

  test.each([
    ['hello', { NAME: 'Ada' }, /^Hello, Ada!\n$/],
    ['disk', {}, /\/\n$/],
    ['uptime', {}, /\d/],
  ])('its command %s runs here', async (name, env, output) => {
    const command = loadConfig(quickstart).config.quickCommands[name];
    if (command?.type !== 'exec') throw new Error(`${name} is no exec command`);
    const line = typeof command.command === 'string' ? ['sh', '-c', command.command] : command.command;
    const child = run(line, env);
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(printed).toMatch(output);
    expect(code).toBe(0);
  });

  const agent = [process.execPath, './quickstart-agent.mjs'];

  test('its agent repeats a message and says what it is', async () => {
    const child = run(agent);
    child.stdin.end('is anybody there\n');
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(printed).toMatch(/^I am the built-in demo agent.*You wrote 3 words:\nis anybody there\n/);
    expect(code).toBe(0);
  });

  test('its agent holds a long turn, one line a second, and ends when asked to', async () => {
    const child = run(agent);
    child.stdin.end('please wait 500');
    let printed = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      printed += chunk;
      if (printed.includes('1 of 500\n') && !child.killed) child.kill('SIGTERM');
    }
    expect(printed).toMatch(/^The demo agent works for 500 s\.\n1 of 500\n\nStopped: asked to end\.\n$/);
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(143);
  });
});
