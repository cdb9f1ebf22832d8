import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type LoadOptions, loadConfig, parseConfig, readConfigFile } from '../../src/config/load.ts';
import { configFileSchema } from '../../src/config/schema.ts';

const folder = resolve(import.meta.dirname, '../../config');
const options = (file: string): LoadOptions => ({
  path: resolve(folder, file),
  origin: 'flag',
  env: {},
  builtinNames: ['restart', 'status', 'stop', 'help', 'drain', 'cancel', 'ps', 'interrupt'],
});

/** Every key of the schema, names of agents, commands and arguments left out: `quick_commands.timeout`. */
function keysOf(schema: unknown, prefix = ''): string[] {
  const { properties, additionalProperties, oneOf } = schema as {
    properties?: Record<string, unknown>;
    additionalProperties?: unknown;
    oneOf?: unknown[];
  };
  return [
    ...Object.entries(properties ?? {}).flatMap(([key, value]) => [
      prefix + key,
      ...keysOf(value, `${prefix}${key}.`),
    ]),
    ...(typeof additionalProperties === 'object' ? keysOf(additionalProperties, prefix) : []),
    ...(oneOf ?? []).flatMap((option) => keysOf(option, prefix)),
  ];
}

describe('the example configuration', () => {
  const example = options('gateway.example.yaml');
  const lines = readConfigFile(example.path).split('\n');
  const withoutText = (yaml: string) => {
    const { config, warnings } = parseConfig(yaml, example);
    return { ...config, source: undefined, warnings };
  };

  test('loads without a warning', () => {
    expect(loadConfig(example).warnings).toEqual([]);
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

  test('names every key there is', () => {
    const schema = z.toJSONSchema(configFileSchema({ builtinNames: [] }), { io: 'input' });
    const words = new Set(lines.join('\n').match(/[a-z_]+(?=:)|(?<=Keys: )\w+|(?<=; )pattern/g));
    const keys = new Set(keysOf(schema).map((key) => key.split('.').at(-1) ?? key));
    expect(keys.size).toBeGreaterThan(30);
    expect([...keys].filter((key) => !words.has(key))).toEqual([]);
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
