/** Which values count as secrets: by their names and by what they look like, and no ordinary word. */
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { madeSecretsIn } from '../../src/config/redact.ts';
import { secretValues, secretVariables } from '../../src/config/secret-values.ts';

describe('a variable is one by its name', () => {
  test.each(['API_KEY', 'GITHUB_TOKEN', 'DB_PASSWORD', 'client_secret', 'PGPASS', 'AWS_CREDENTIALS'])(
    '%s',
    (name) => {
      expect(secretVariables({ [name]: ' the value\n' })).toEqual(['the value']);
    },
  );

  test.each(['PATH', 'SSH_ASKPASS', 'GIT_ASKPASS', 'KEYBOARD', 'TOKENS_MAX', 'HOME'])(
    'but not %s',
    (name) => {
      expect(secretVariables({ [name]: '/usr/bin/value' })).toEqual([]);
    },
  );
});

describe('in the line of a command it is what was plainly made', () => {
  test.each([
    ['curl -H "Authorization: Bearer s3cr3t-of-mine-77" x', 's3cr3t-of-mine-77'],
    ['deploy --token=c4nary-token-1; echo done', 'c4nary-token-1'],
    ['psql postgres://ada:pa55word12345@db/x', 'pa55word12345'],
    ['notify sk-0123456789abcdef', 'sk-0123456789abcdef'],
    ['"deploy" "--api-key" "c4nary-token-2"', 'c4nary-token-2'],
  ])('%s', (line, secret) => {
    expect(madeSecretsIn(line)).toContain(secret);
  });

  test.each([
    'deploy --token "$DEPLOY_TOKEN_1"',
    'set --password production',
    'sort --key=first-column-of-all',
    'tail -n 200 /var/log/app-2026-01-01.log',
  ])('and not in: %s', (line) => {
    expect(madeSecretsIn(line)).toEqual([]);
  });
});

test('of a configuration they are the keys of its agents, made ones in its lines, and defaults of arguments so named', () => {
  const { config } = parseConfig(
    `agent: { type: openai, base_url: "http://127.0.0.1:1/v1", model: m, api_key_env: ACCESS }
agents: { other: { type: command, command: [run, --token, made-t0ken-of-other] } }
quick_commands:
  a: { type: exec, command: "run --token made-t0ken-of-a", args: { TOKEN: { default: a-default }, WORD: { default: a-word } } }
  b: { type: alias, target: "/a made --token made-t0ken-of-b" }`,
    { path: '/s.yaml', origin: 'flag', env: { ACCESS: 'the-key' }, builtinNames: [] },
  );
  const values = secretValues(config, { ACCESS: 'the-key', OTHER_KEY: 'of-the-environment' });
  expect(values.toSorted()).toEqual([
    'a-default',
    'made-t0ken-of-a',
    'made-t0ken-of-b',
    'made-t0ken-of-other',
    'of-the-environment',
    'the-key',
  ]);
});
