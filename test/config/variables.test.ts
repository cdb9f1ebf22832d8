// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the configuration, and of a shell.
/** Which variables a configuration depends on, and what of an environment is told of them. */
import { describe, expect, test } from 'vitest';
import { dependedOn, environmentOf, namedBy, toldOf } from '../../src/config/variables.ts';

const TEXT = [
  'listen: { http: "127.0.0.1:${PORT}" }',
  'agent: { type: openai, base_url: "${URL}", model: "${MODEL}-${MODEL}", api_key_env: MY_KEY }',
  'agents:',
  '  other: { type: openai, base_url: "${URL}", model: m, api_key_env: OTHER_KEY }',
  '  third: { command: "echo ${SHELLS}", cwd: "${FOLDER}" }',
  'platforms: { telegram: { accounts: [{ token_env: BOT }], token_env: "not a name" } }',
  'quick_commands: { x: { type: exec, command: "echo ${SHELLS}", env: [PASSED_ON] } }',
].join('\n');

describe('the variables that a text names', () => {
  test('are those whose value stands in it, and those that hold a key; not those of a shell or of a command', () => {
    const { values, set } = namedBy(TEXT);
    expect(values.toSorted()).toEqual(['FOLDER', 'MODEL', 'PORT', 'URL']);
    expect(set.toSorted()).toEqual(['BOT', 'MY_KEY', 'OTHER_KEY']);
  });

  test.each(['', '# nothing', 'agent: {', '5', '\uFEFFagent: {}'])('are none in %j', (text) => {
    expect(namedBy(text)).toEqual({ values: [], set: [] });
  });

  test('are joined over texts, each once, with what every configuration depends on', () => {
    expect(dependedOn(['agent: { cwd: "${A}" }', 'agent: { cwd: "${A}/${B}" }', TEXT])).toEqual({
      values: expect.arrayContaining([
        'HOME',
        'SLUICE_RESTART_DRAIN_TIMEOUT',
        'SLUICE_BUSY_INPUT_MODE',
        'A',
        'B',
        'URL',
      ]),
      set: ['MY_KEY', 'OTHER_KEY', 'BOT'],
    });
    const { values } = dependedOn([TEXT, TEXT]);
    expect(new Set(values).size).toBe(values.length);
  });
});

describe('what is told of an environment', () => {
  const env = { URL: 'http://h/v1', MY_KEY: 'sk-planted', EMPTY: '', BLANK: ' ', SECRET: 'planted' };

  test('is the value of what stands in the configuration, and of a key only that it is set', () => {
    const told = toldOf(env, { values: ['URL', 'EMPTY', 'NOT_THERE', 'toString'], set: ['MY_KEY', 'BLANK'] });
    expect(told).toEqual({ values: { URL: 'http://h/v1' }, set: ['MY_KEY'] });
    expect(JSON.stringify(told)).not.toContain('planted');
  });

  test('makes an environment with nothing else in it', () => {
    const made = environmentOf({ values: { URL: 'http://h/v1', BOTH: 'x' }, set: ['MY_KEY', 'BOTH'] });
    expect(Object.keys(made).toSorted()).toEqual(['BOTH', 'MY_KEY', 'URL']);
    expect([made.URL, made.BOTH, Boolean(made.MY_KEY)]).toEqual(['http://h/v1', 'x', true]);
  });
});
