/** What a changed configuration means for a gateway that runs on the one before. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { durationText, planOf, reloadedFile } from '../../src/config/plan.ts';
import { BUILTIN_NAMES } from '../../src/messages/commands.ts';
import { VALID_FILES } from './valid-files.ts';

const fileOf = (text: string, env: NodeJS.ProcessEnv = {}) =>
  parseConfig(text, { path: '/etc/sluice/sluice.yaml', origin: 'flag', env, builtinNames: BUILTIN_NAMES })
    .file;

/** The plan as lines: `WHEN KEY CHANGE BEFORE → AFTER`. */
const plan = (before: string, after: string) =>
  planOf(fileOf(before), fileOf(after)).map(
    ({ applies, key, change, before, after }) => `${applies} ${key} ${change} ${before} → ${after}`,
  );

const command = (keys: string) => `quick_commands:\n  gpu: { type: exec, command: nvidia-smi${keys} }\n`;

describe('a plan', () => {
  test.each<[string, string, string, string[]]>([
    ['the same file changes nothing', command(''), command(''), []],
    [
      'the same in other words changes nothing',
      'agent: { restart_drain_timeout: 60 }',
      'agent:\n  restart_drain_timeout: "1m" # a minute\n',
      [],
    ],
    [
      'a default that is written out changes nothing',
      '',
      'display: { busy_input_mode: interrupt }\nlisten: { http: "127.0.0.1:7171" }\n',
      [],
    ],
    [
      'the order of commands changes nothing',
      'quick_commands: { a: { type: exec, command: a }, b: { type: exec, command: b } }',
      'quick_commands: { b: { type: exec, command: b }, a: { type: exec, command: a } }',
      [],
    ],
    ['a command that came counts at once', '', command(''), ['now quick_commands.gpu added null → null']],
    ['a command that went counts at once', command(''), '', ['now quick_commands.gpu removed null → null']],
    [
      'a key of a command counts at once',
      command(''),
      command(', timeout: 90'),
      ['now quick_commands.gpu.timeout changed 30s → 90s'],
    ],
    [
      'a key that was not written',
      command(''),
      command(', cwd: /srv'),
      ['now quick_commands.gpu.cwd added null → "/srv"'],
    ],
    [
      'a key that is not written any more',
      command(', cwd: /srv'),
      command(''),
      ['now quick_commands.gpu.cwd removed "/srv" → null'],
    ],
    [
      'a command that becomes an alias',
      command(''),
      'quick_commands: { gpu: { type: alias, target: /ps } }',
      [
        'now quick_commands.gpu.type changed "exec" → "alias"',
        'now quick_commands.gpu.target added null → "/ps"',
        'now quick_commands.gpu.command removed "nvidia-smi" → null',
        'now quick_commands.gpu.timeout removed 30s → null',
        'now quick_commands.gpu.grace removed 2s → null',
        'now quick_commands.gpu.env removed [] → null',
        'now quick_commands.gpu.concurrency removed 1 → null',
        'now quick_commands.gpu.args removed null → null',
      ],
    ],
    [
      'an argument of a command',
      command(', args: { N: {} }'),
      command(', args: { N: { default: "1" } }'),
      ['now quick_commands.gpu.args.N.default added null → "1"'],
    ],
    [
      'arguments in another order, because words fill them in order',
      command(', args: { A: {}, B: {} }'),
      command(', args: { B: {}, A: {} }'),
      ['now quick_commands.gpu.args changed A, B → B, A'],
    ],
    [
      'an agent counts from the next turn on',
      'agent: { command: ./a }',
      'agent: { command: [./b, -v] }',
      ['turn agent.command changed "./a" → ["./b","-v"]'],
    ],
    [
      'an agent of another type',
      'agents: { a: { command: ./a } }',
      'agents: { a: { type: openai, base_url: "http://127.0.0.1:1/v1", model: m } }',
      [
        'turn agents.a.type added null → "openai"',
        'turn agents.a.base_url added null → "http://127.0.0.1:1/v1"',
        'turn agents.a.model added null → "m"',
        'turn agents.a.history_window added null → 40',
        'turn agents.a.command removed "./a" → null',
        'turn agents.a.effects removed "possible" → null',
      ],
    ],
    ['a further agent', '', 'agents: { a: { command: ./a } }', ['turn agents.a added null → null']],
    [
      'limits',
      '',
      'agent: { max_turns: 4, turn_timeout: 1h, restart_drain_timeout: 0 }',
      [
        'turn agent.turn_timeout changed 30m → 1h',
        'now agent.restart_drain_timeout changed 1m → 0',
        'turn agent.max_turns changed 8 → 4',
      ],
    ],
    [
      'people',
      'access: { owners: ["telegram:1"] }',
      'access: { owners: ["telegram:1", "telegram:2"] }',
      ['now access.owners changed ["telegram:1"] → ["telegram:1","telegram:2"]'],
    ],
    [
      'sockets need a restart',
      '',
      'listen: { http: "[::1]:80" }\ninspector: { xstate_inspect: "127.0.0.1:8888" }\n',
      [
        'restart listen.http changed 127.0.0.1:7171 → [::1]:80',
        'restart inspector.xstate_inspect changed "off" → 127.0.0.1:8888',
      ],
    ],
    [
      'turns and retention count at once, safe mode at the next start',
      'turns: { resume: ask }',
      'turns: { max_age: 90m, on_expired: expire }\nsafe_mode: { deaths: 3 }\nstore: { retention: 1d }\n',
      [
        'now turns.resume changed "ask" → "auto"',
        'now turns.max_age changed 24h → 90m',
        'now turns.on_expired changed "ask" → "expire"',
        'restart safe_mode.deaths changed 5 → 3',
        'now store.retention changed 720h → 24h',
      ],
    ],
    ['safe mode off', '', 'safe_mode: off', ['restart safe_mode changed {…} → "off"']],
    [
      'safe mode on again',
      'safe_mode: off',
      'safe_mode: { quiet: 1m }',
      ['restart safe_mode changed "off" → {…}'],
    ],
    ['safe mode off in other words changes nothing', 'safe_mode: off', 'safe_mode: false', []],
    [
      'effects',
      'agent: { command: ./a }',
      'agent: { command: ./a, effects: none }',
      ['turn agent.effects changed "possible" → "none"'],
    ],
    [
      'a command with a name that every object has',
      '',
      'quick_commands: { constructor: { type: exec, command: a } }',
      ['now quick_commands.constructor added null → null'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(plan(before, after).toSorted()).toEqual(expected.toSorted());
  });

  test('from any file to any other is empty only where both mean the same, and names each key once', () => {
    const env = { PORT: '80', OWNER: 'local:x', URL: 'http://127.0.0.1:1/v1' };
    const files = VALID_FILES.map(([, text]) => fileOf(text, env));
    for (const before of files) {
      for (const after of files) {
        const keys = planOf(before, after).map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        expect(keys.length === 0).toBe(isDeepStrictEqual(before, after));
        expect(
          planOf(after, before)
            .map(({ key }) => key)
            .toSorted(),
        ).toEqual(keys.toSorted());
      }
    }
  });

  test('shows no secret, and says of two that look alike without it that they are hidden', () => {
    const curl = (token: string) =>
      `agent: { command: 'curl -H "Authorization: Bearer ${token}" localhost' }`;
    const [line = ''] = plan(curl('first-secret'), curl('other-secret'));
    expect(line).toBe('turn agent.command changed (hidden) → (hidden)');
    const [changed = ''] = plan(curl('first-secret'), curl('other-secret --verbose'));
    expect(changed).not.toContain('secret');
  });

  test.each([
    ['a default', '{ default: canary-aaa-111 }', '{ default: canary-bbb-222 }'],
    ['choices', '{ choices: [canary-aaa-111] }', '{ choices: [canary-bbb-222] }'],
    ['a default that comes', '{}', '{ default: canary-bbb-222 }'],
    ['a default that goes', '{ default: canary-aaa-111 }', '{}'],
  ])('shows nothing of %s of an argument whose name is a secret', (_, before, after) => {
    const sec = (argument: string) =>
      `quick_commands: { sec: { type: exec, command: "true", args: { API_TOKEN: ${argument} } } }`;
    const lines = plan(sec(before), sec(after));
    expect(lines).toEqual([
      expect.stringMatching(/^now quick_commands\.sec\.args\.API_TOKEN\.\w+ .*\(hidden\)/),
    ]);
    expect(lines[0]).not.toMatch(/aaa|bbb/);
  });

  test('shows the values of a command that is only called like a secret', () => {
    const monkey = (timeout: string) =>
      `quick_commands: { monkey: { type: exec, command: "true", timeout: ${timeout} } }`;
    expect(plan(monkey('30s'), monkey('90s'))).toEqual([
      'now quick_commands.monkey.timeout changed 30s → 90s',
    ]);
  });

  test('of a long value shows its beginning', () => {
    const [line = ''] = plan('', `agent: { command: "${'echo '.repeat(1000)}" }`);
    expect(line.length).toBeLessThan(160);
    expect(line).toMatch(/…$/);
  });
});

describe('what runs after a reload', () => {
  const RUNNING = 'listen: { http: "127.0.0.1:1" }\nquick_commands: { a: { type: exec, command: a } }\n';

  test('has the later values, but for the keys that wait for a restart', () => {
    const after = fileOf(
      'listen: { http: "127.0.0.1:2" }\ninspector: { xstate_inspect: "127.0.0.1:3" }\nreload: { watch: true }\nquick_commands: { b: { type: exec, command: b } }\n',
    );
    const running = fileOf(RUNNING);
    const reloaded = reloadedFile(running, after);
    expect(reloaded).toEqual({ ...after, listen: running.listen, inspector: running.inspector });
    expect(planOf(reloaded, after).map(({ key }) => key)).toEqual([
      'listen.http',
      'inspector.xstate_inspect',
    ]);
  });

  test('has the safe mode that it had, whether it was on or off', () => {
    const [on, off] = [fileOf(''), fileOf('safe_mode: off')];
    const after = fileOf('safe_mode: { deaths: 3 }\nturns: { resume: ask }\nstore: { retention: 1d }\n');
    expect(reloadedFile(on, after)).toEqual({ ...after, safe_mode: on.safe_mode });
    expect(reloadedFile(off, after)).toEqual({ ...after, safe_mode: 'off' });
    expect(reloadedFile(on, off)).toEqual(on);
  });

  test('has no platform that came, and still the one that went', () => {
    const [chat, other] = [{ token: 'a' }, { token: 'b' }];
    const running = { ...fileOf(RUNNING), platforms: { chat } };
    const after = { ...fileOf(RUNNING), platforms: { other } };
    expect(reloadedFile(running, after).platforms).toEqual({ chat });
    expect(reloadedFile(running, { ...after, platforms: { chat: other } }).platforms).toEqual({ chat });
  });

  test('has the later keys of a parked platform, which has no link to lose; and of no other', () => {
    const [a, b] = [{ token: 'a' }, { token: 'b' }];
    const running = { ...fileOf(RUNNING), platforms: { chat: a, mail: a } };
    const after = { ...running, platforms: { chat: b, mail: b } };
    expect(reloadedFile(running, after, ['chat']).platforms).toEqual({ chat: b, mail: a });
    expect(planOf(running, after, ['chat'])).toMatchObject([
      { key: 'platforms.chat', change: 'changed', applies: 'now' },
      { key: 'platforms.mail', change: 'changed', applies: 'restart' },
    ]);
  });

  test('keeps a parked platform that the file names no more, until a restart', () => {
    const running = { ...fileOf(RUNNING), platforms: { chat: { token: 'a' } } };
    const after = { ...running, platforms: {} };
    expect(reloadedFile(running, after, ['chat']).platforms).toEqual(running.platforms);
    expect(planOf(running, after, ['chat'])).toMatchObject([{ change: 'removed', applies: 'restart' }]);
    expect(reloadedFile(after, running, ['chat']).platforms).toEqual({});
  });
});

test.each([
  [0, '0'],
  [10, '10ms'],
  [1_500, '1500ms'],
  [60_000, '1m'],
  [90_000, '90s'],
  [5_400_000, '90m'],
  [86_400_000, '24h'],
])('%i milliseconds are shown as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
