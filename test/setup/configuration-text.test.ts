/** Whatever is chosen, what is written is a configuration that the gateway reads as it was meant. */
import { describe, expect, test } from 'vitest';
import { judgeConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { BUILTIN_NAMES } from '../../src/messages/commands.ts';
import { findApiKeys } from '../../src/setup/api-keys.ts';
import type { Candidate } from '../../src/setup/candidates.ts';
import { configurationText } from '../../src/setup/configuration-text.ts';

const SCHEMA = '/opt/sluice/config/gateway.schema.json';

function configOf(candidate: Candidate, model?: string): Config {
  const text = configurationText({ candidate, model }, SCHEMA);
  expect(text.split('\n')[0]).toBe(`# yaml-language-server: $schema=${SCHEMA}`);
  const judged = judgeConfig(text, {
    path: '/x/sluice.yaml',
    origin: 'flag',
    env: {},
    builtinNames: BUILTIN_NAMES,
  });
  if (!('config' in judged)) throw new Error(`not valid: ${JSON.stringify(judged.problems)}\n${text}`);
  return judged.config;
}

const server = (...models: string[]): Candidate => ({
  ...{ kind: 'server', name: 'Ollama', baseUrl: 'http://127.0.0.1:11434/v1', models, moreModels: 0 },
});

describe('a first configuration', () => {
  test.each(['qwen3', 'llama3.2:3b', 'a "quoted": name # no comment', 'null', "o'hara/ü", '{x}'])(
    'names the model %s as it is',
    (model) => {
      expect(configOf(server(model, 'other'), model).agents.default).toMatchObject({
        type: 'openai',
        baseUrl: 'http://127.0.0.1:11434/v1',
        model,
      });
    },
  );

  test('names the program with its words', () => {
    const command = ['/home/a b/bin/claude', '--print'];
    const config = configOf({ kind: 'program', name: 'claude', command, about: 'Claude Code' });
    expect(config.agents.default).toMatchObject({ type: 'command', command });
  });

  test('names the variable of a key for each service there is', () => {
    const variables = ['OPENAI', 'OPENROUTER', 'ANTHROPIC', 'GEMINI', 'GROQ', 'MISTRAL', 'DEEPSEEK'].map(
      (name) => `${name}_API_KEY`,
    );
    const services = findApiKeys(Object.fromEntries(variables.map((name) => [name, 'sk-value'])));
    expect(services.map(({ variable }) => variable)).toEqual(variables);
    for (const service of services) {
      const agent = configOf(service, service.models[0]).agents.default;
      expect(agent).toMatchObject({ apiKeyEnv: service.variable, baseUrl: service.baseUrl });
    }
  });

  test('without anybody to answer is the demo agent’s, and has commands all the same', () => {
    const config = configOf({ kind: 'demo', name: 'demo' });
    expect(config.agents.default).toMatchObject({ type: 'command' });
    expect(Object.keys(config.quickCommands)).toEqual(['uptime', 'disk']);
  });
});
