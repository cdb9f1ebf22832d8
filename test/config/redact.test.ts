/** What is taken out of a value before it is shown, and what is left of it. */
import { describe, expect, test } from 'vitest';
import { LOOKED_AT_CHARS_MAX, namesSecret, withoutSecrets } from '../../src/config/redact.ts';

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
    ['localhost?q=%22sk-abcdefghijklmnop1234%22', 'localhost?q=%22***%22'],
    ['echo ghp_0123456789abcdefABCDEF', 'echo ***'],
    [
      'curl api.telegram.org/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/getMe',
      'curl api.telegram.org/bot***/getMe',
    ],
    ['echo 0123456789abcdef0123456789abcdef', 'echo ***'],
    ['it is 0123456789abcdef0123456789abcdef.', 'it is ***'],
    ['a.b=0123456789abcdef0123456789abcdef', 'a.b=***'],
    ['mysql -uada -pHunter2 db', 'mysql -uada -p*** db'],
    ["mysql -p'two words' db", "mysql -p'***' db"],
    ['["mysql","-pHunter2","db"]', '["mysql","-p***","db"]'],
    ['sshpass -p hunter2 ssh host', 'sshpass -p *** ssh host'],
    ['["sshpass","-p","two words","ssh"]', '["sshpass","-p","***","ssh"]'],
    ['curl -u ada:hunter2 localhost', 'curl -u ada:*** localhost'],
    ['curl -uada:hunter2 localhost', 'curl -uada:*** localhost'],
    ['curl --user=ada:hun:ter2 localhost', 'curl --user=ada:*** localhost'],
    ['["curl","--proxy-user","ada:two words","localhost"]', '["curl","--proxy-user","ada:***","localhost"]'],
    ['curl -u "ada:two words" localhost', 'curl -u "ada:***" localhost'],
    ['tool --password "two words" -x', 'tool --password "***" -x'],
    ["tool --password='two words' -x", "tool --password='***' -x"],
    ['tool --password a,b -x', 'tool --password *** -x'],
    ['["tool","--password","two words","-x"]', '["tool","--password","***","-x"]'],
    ['DB_PASSWORD="two words" ./run', 'DB_PASSWORD="***" ./run'],
    ['psql postgres://ada:p@ss:w@host/db', 'psql postgres://***@host/db'],
    ['curl -H "Authorization: ApiKey abcdef" localhost', 'curl -H "Authorization: ***" localhost'],
  ])('%s', (text, expected) => {
    expect(withoutSecrets(text)).toBe(expected);
  });
});

test.each([
  'systemctl restart sglang',
  'tail -n "$LINES" /var/log/a-rather-long-name-of-a-folder/with-2-files/app.log',
  'nvidia-smi --query-gpu=name --format=csv',
  'find . -path ./x -prune -o -perm 644 -print0',
  '["mkdir","-p","/srv/x"]',
  'journalctl -u sluice.service -n 20',
  'git push -u origin main',
  'docker run -u 1000 image',
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

test('of a secret in quotes nothing is left when the text is shown as JSON', () => {
  for (const command of ['tool --password "hun ter2" x', "mysql -p'hun ter2'", 'curl -u "ada:hun ter2" y']) {
    expect(withoutSecrets(JSON.stringify(command))).not.toMatch(/hun|ter2/);
  }
});

test('a text that is cut is cut before a word, so that no half of a secret is left', () => {
  const before = 'word '.repeat(LOOKED_AT_CHARS_MAX / 5 - 3);
  const text = `${before}https://ada:${'hunter2'.repeat(40)}@host`;
  expect(text.length).toBeGreaterThan(LOOKED_AT_CHARS_MAX);
  expect(withoutSecrets(text)).toBe(`${before}…`);
});

/** What each pattern would read again and again, were it not bounded. */
const ADVERSARIAL = [
  ...[
    'a',
    'key',
    '=a',
    '-',
    '1a+',
    ' ',
    '"',
    '-p',
    '-u a',
    '-u ',
    '--key ',
    '--key "',
    'key  ',
    'a://',
    'a:/@',
  ],
  ...[
    'authorization:',
    'authorization: a',
    'bearer ',
    'sk-',
    '1:',
    'key="',
    "-p'",
    'sshpass -p ',
    'a1=',
    '\\"',
  ],
];

describe('looking takes time in proportion to the text', () => {
  /** The least of several runs, in milliseconds: what else the machine did is not in it. */
  const leastMs = (text: string): number => {
    const runs = Array.from({ length: 7 }, () => {
      const beganMs = performance.now();
      withoutSecrets(text);
      return performance.now() - beganMs;
    });
    return Math.min(...runs);
  };
  const textOf = (piece: string, chars: number) =>
    piece.repeat(Math.ceil(chars / piece.length)).slice(0, chars);

  test.each(ADVERSARIAL)('of %j', (piece) => {
    const short = LOOKED_AT_CHARS_MAX / 8;
    // 8 times the text; with its square it would be 64 times the time.
    expect(leastMs(textOf(piece, 8 * short)) / leastMs(textOf(piece, short))).toBeLessThan(24);
  });

  test.each(ADVERSARIAL)('and a megabyte of %j takes no longer than what is looked at of it', (piece) => {
    const megabyte = `${piece} `.repeat(Math.ceil(2 ** 20 / (piece.length + 1)));
    const looked = megabyte.slice(0, LOOKED_AT_CHARS_MAX);
    expect(withoutSecrets(megabyte).length).toBeLessThanOrEqual(4 * LOOKED_AT_CHARS_MAX);
    expect(leastMs(megabyte) / Math.max(leastMs(looked), 0.1)).toBeLessThan(8);
  });
});
