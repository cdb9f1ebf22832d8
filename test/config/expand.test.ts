/** Variables of the environment inside the values of a file. */
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';

const load = (text: string, env: NodeJS.ProcessEnv) =>
  parseConfig(text, { path: '/etc/sluice/sluice.yaml', origin: 'flag', env, builtinNames: [] });

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables of the configuration. */
describe('a variable in a value', () => {
  test('is put in, also in a part of it and in a list', () => {
    const { config, warnings } = load(
      [
        'listen: { http: "127.0.0.1:${PORT}" }',
        'agent: { command: ./a, cwd: "${BOT}/work" }',
        'agents: { m: { type: openai, base_url: "http://${HOST}/v1", model: "${MODEL}" } }',
        'access: { owners: ["telegram:${OWNER}"] }',
      ].join('\n'),
      { PORT: '7272', BOT: '/srv/bot', HOST: '127.0.0.1:8000', MODEL: 'qwen3', OWNER: '12345' },
    );
    expect(config.listen.http).toEqual({ host: '127.0.0.1', port: 7272 });
    expect(config.agents.default).toMatchObject({ cwd: '/srv/bot/work' });
    expect(config.agents.m).toMatchObject({ baseUrl: 'http://127.0.0.1:8000/v1', model: 'qwen3' });
    expect(config.access.owners).toEqual(['telegram:12345']);
    expect(warnings).toEqual([]);
  });

  test('is none where it only has the name of what every object has', () => {
    const { config, warnings } = load(
      'agent: { type: openai, base_url: "http://h/v1", model: "${constructor}", api_key_env: toString }',
      {},
    );
    expect(config.agents.default).toMatchObject({ model: '${constructor}' });
    expect(warnings).toEqual([
      'agent.model: ${constructor} is not set, so it stands as it is written',
      'agent.api_key_env: toString is not set, so requests go without a key',
    ]);
  });

  test('that is not set, or empty, stays as it is written and is a warning', () => {
    for (const env of [{}, { BOT: '' }]) {
      const { config, warnings } = load('agent: { command: ./a, cwd: "${BOT}" }', env);
      expect(config.agents.default).toMatchObject({ cwd: '/etc/sluice/${BOT}' });
      expect(warnings).toEqual(['agent.cwd: ${BOT} is not set, so it stands as it is written']);
    }
  });

  test('that makes the value wrong is an error at its place', () => {
    expect(() => load('listen:\n  http: "127.0.0.1:${PORT}"\n', { PORT: 'often' })).toThrow(
      ':2:9 listen.http: "127.0.0.1:often" is not an address',
    );
  });

  test('of a command is left to its shell, and that of an alias to whoever reads it', () => {
    const text = [
      'agent: { command: "./a ${BOT}" }',
      'quick_commands:',
      '  a: { type: exec, command: "echo ${BOT}", description: "${BOT}", args: { A: { default: "${BOT}" } } }',
      '  b: { type: alias, target: "say ${BOT}" }',
    ].join('\n');
    const { config, warnings } = load(text, { BOT: 'x' });
    expect(JSON.stringify([config.agents.default, config.quickCommands]).match(/\$\{BOT\}/g)).toHaveLength(5);
    expect(warnings).toEqual([]);
  });

  test('is put in once: what it holds is not read again', () => {
    const { config } = load('agent: { command: ./a, cwd: "${A}" }', { A: '/${B}', B: 'x' });
    expect(config.agents.default).toMatchObject({ cwd: '/${B}' });
  });
});
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: variables of the configuration. */
