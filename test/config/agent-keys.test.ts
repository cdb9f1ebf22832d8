import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config/load.ts';

const folder = resolve(import.meta.dirname, '../../config/examples');

const options = (path: string, env: Record<string, string> = {}) => ({
  path,
  origin: 'flag' as const,
  env,
  builtinNames: ['restart', 'status', 'stop', 'help'],
});

const parse = (text: string, env: Record<string, string> = {}) =>
  parseConfig(text, options('/srv/bot/sluice.yaml', env));

describe('a program may change something outside, unless its configuration says that it does not', () => {
  test.each([
    ['', true],
    [', effects: possible', true],
    [', effects: none', false],
  ])('{ command: ./a%s }', (keys, effects) => {
    const { agents } = parse(`agent: { command: ./a${keys} }\nagents: { b: { command: ./b${keys} } }`).config;
    expect(agents.default?.effects).toBe(effects);
    expect(agents.b?.effects).toBe(effects);
  });

  test('the built-in demo agent may not', () => {
    expect(parse('').config.agents.default?.effects).toBe(false);
  });
});

describe('an agent that is a model', () => {
  test('has its defaults', () => {
    const { config, warnings } = parse('agent: { type: openai, base_url: "http://h:1/v1", model: q }');
    expect(config.agents.default).toEqual({
      name: 'default',
      type: 'openai',
      baseUrl: 'http://h:1/v1',
      model: 'q',
      historyWindow: 40,
      turnTimeoutMs: 1_800_000,
      failureThreshold: 5,
      effects: false,
    });
    expect(config).toMatchObject({ maxTurns: 8, drainTimeoutMs: 60_000 });
    expect(warnings).toEqual([]);
  });

  test('takes its prompt from the folder of the file, and what all agents take', () => {
    const { config } = parse(
      [
        'agents:',
        '  m: { type: openai, base_url: "https://h/v1", model: q, system_prompt_file: ./p.md, history_window: 0,',
        '       turn_timeout: 90, max_turns: 2, api_key_env: KEY }',
      ].join('\n'),
      { KEY: 'k' },
    );
    expect(config.agents.m).toMatchObject({
      systemPromptFile: '/srv/bot/p.md',
      historyWindow: 0,
      turnTimeoutMs: 90_000,
      failureThreshold: 5,
      maxTurns: 2,
      apiKeyEnv: 'KEY',
    });
  });

  test.each([
    ['agent: { type: openai, base_url: "http://h/v1", model: q, api_key_env: KEY }', 'agent'],
    ['agents: { m: { type: openai, base_url: "http://h/v1", model: q, api_key_env: KEY } }', 'agents.m'],
  ])('whose key is not there is warned of, and its value is nowhere: %s', (text, section) => {
    const warning = `${section}.api_key_env: KEY is not set, so requests go without a key`;
    expect(parse(text).warnings).toContain(warning);
    expect(parse(text, { KEY: ' ' }).warnings).toContain(warning);
    const found = parse(text, { KEY: 'planted-key' });
    expect(found.warnings).not.toContain(warning);
    expect(JSON.stringify(found)).not.toContain('planted-key');
  });

  test('is shown by an example that loads', () => {
    const env = { OPENAI_API_KEY: 'k', OPENROUTER_API_KEY: 'k' };
    const { config, warnings } = loadConfig(options(resolve(folder, 'openai.yaml'), env));
    expect(warnings).toEqual([]);
    expect(Object.values(config.agents).map(({ name, type }) => `${name} ${type}`)).toEqual([
      'default openai',
      'openai openai',
      'openrouter openai',
    ]);
  });
});
