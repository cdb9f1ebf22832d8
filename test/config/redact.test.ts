/** What is taken out of a value before it is shown, and what is left of it. */
import { describe, expect, test } from 'vitest';
import { namesSecret, withoutSecrets } from '../../src/config/redact.ts';

describe('what looks like a secret is taken out', () => {
  test.each([
    ['curl https://ada:hunter2@example.org/x', 'curl https://***@example.org/x'],
    ['curl -H "Authorization: Bearer abc.def" localhost', 'curl -H "Authorization: Bearer ***" localhost'],
    ['["curl","-H","authorization: Basic dXNlcjpwYXNz"]', '["curl","-H","authorization: Basic ***"]'],
    ['OPENAI_API_KEY=abcdef ./run', 'OPENAI_API_KEY=*** ./run'],
    ['psql --password hunter2 -c x', 'psql --password *** -c x'],
    ['["tool","--api-key","abcdef"]', '["tool","--api-key","***"]'],
    ['curl "localhost?token=abc&x=1"', 'curl "localhost?token=***&x=1"'],
    ['echo sk-abcdefghijklmnop1234', 'echo ***'],
    ['echo ghp_0123456789abcdefABCDEF', 'echo ***'],
    [
      'curl api.telegram.org/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/getMe',
      'curl api.telegram.org/bot***/getMe',
    ],
    ['echo 0123456789abcdef0123456789abcdef', 'echo ***'],
  ])('%s', (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });
});

test.each([
  'systemctl restart sglang',
  'tail -n "$LINES" /var/log/a-rather-long-name-of-a-folder/with-2-files/app.log',
  'nvidia-smi --query-gpu=name --format=csv',
  'http://127.0.0.1:11434/v1',
  'OPENAI_API_KEY',
  '["telegram:12345"]',
])('%s stays as it is', (text) => {
  expect(withoutSecrets(text)).toBe(text);
});

test.each([
  ['token', true],
  ['api_key', true],
  ['api_key_env', false],
  ['command', false],
])('a key named %s names a secret: %s', (name, expected) => {
  expect(namesSecret(name)).toBe(expected);
});

test.each(['a', 'key', '=a', '-', '1a+'])(
  'a megabyte of "%s" is looked at in no time to speak of',
  (piece) => {
    const text = piece.repeat(1_000_000 / piece.length);
    const beganMs = performance.now();
    expect(withoutSecrets(text).length).toBeLessThan(20_000);
    // Milliseconds; with the square of its length it would be hours.
    expect(performance.now() - beganMs).toBeLessThan(5_000);
  },
);
