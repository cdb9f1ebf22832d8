/** A hermes-agent `config.yaml` becomes a configuration of ours, as far as it means the same. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Imported, importHermes, type Note } from '../../src/config/import-hermes.ts';
import { type LoadOptions, parseConfig } from '../../src/config/load.ts';
import { BUILTIN_NAMES } from '../../src/messages/commands.ts';

const options: LoadOptions = {
  path: '/srv/bot/sluice.yaml',
  origin: 'flag',
  env: {},
  builtinNames: BUILTIN_NAMES,
};

function imported(text: string): Imported {
  const result = importHermes(text, options);
  if (!('taken' in result)) throw new Error(JSON.stringify(result.problems));
  return result;
}

const problemsOf = (text: string) => {
  const result = importHermes(text, options);
  return 'taken' in result ? [] : result.problems.map(({ message }) => message);
};

const keysOf = (notes: readonly Note[]) => notes.map(({ key }) => key);
const whyOf = (notes: readonly Note[], key: string) => notes.find((note) => note.key === key)?.why;

/** In the form of `cli-config.yaml.example`: banners between sections, comments above and beside the keys. */
const HERMES = `# Hermes Agent CLI Configuration
# Copy settings from this example into ~/.hermes/config.yaml
_config_version: 50

# =============================================================================
# Model Configuration
# =============================================================================
model:
  default: "anthropic/claude-opus-4.6"
  base_url: "https://openrouter.ai/api/v1"

# =============================================================================
# Quick Commands
# =============================================================================
quick_commands:
  # what the GPUs do
  gpu: { type: exec, command: nvidia-smi }   # fast
  restart-sglang:
    type: exec
    # careful: everybody waits
    command: systemctl restart sglang
  r:
    type: alias
    target: /restart

# =============================================================================
# Agent Behavior
# =============================================================================
agent:
  # Maximum tool-calling iterations per conversation (default: 500)
  max_turns: 500
  # Inactivity timeout for gateway agent runs (seconds, 0 = unlimited).
  gateway_timeout: 1800
  # Graceful drain timeout for gateway stop/restart (seconds).
  restart_drain_timeout: 180   # three minutes
  verbose: false

display:
  compact: false
  # queue it
  busy_input_mode: interrupt
`;

describe('an import', () => {
  test('takes quick commands, timeouts and the busy mode, with their comments', () => {
    const { text, taken } = imported(HERMES);
    expect(text).toBe(`# =============================================================================
# Quick Commands
# =============================================================================
quick_commands:
  # what the GPUs do
  gpu: { type: exec, command: nvidia-smi } # fast
  restart-sglang:
    type: exec
    # careful: everybody waits
    command: systemctl restart sglang
  r:
    type: alias
    target: /restart

# =============================================================================
# Agent Behavior
# =============================================================================
agent:
  # Inactivity timeout for gateway agent runs (seconds, 0 = unlimited).
  turn_timeout: 1800
  # Graceful drain timeout for gateway stop/restart (seconds).
  restart_drain_timeout: 180 # three minutes

display:
  # queue it
  busy_input_mode: interrupt
`);
    expect(taken).toEqual([
      'quick_commands.gpu',
      'quick_commands.restart-sglang',
      'quick_commands.r',
      'agent.turn_timeout',
      'agent.restart_drain_timeout',
      'display.busy_input_mode',
    ]);
  });

  test('keeps the comment above the first key, where it keeps that key', () => {
    const { text } = imported('# of the section\nagent:\n  # why so long\n  restart_drain_timeout: 90\n');
    expect(text).toBe('# of the section\nagent:\n  # why so long\n  restart_drain_timeout: 90\n');
    expect(
      imported('agent:\n  # of what goes\n  verbose: true\n  restart_drain_timeout: 90\n').text,
    ).not.toContain('#');
  });

  test('gives a configuration that means the same', () => {
    const { config } = parseConfig(imported(HERMES).text, options);
    expect(config).toMatchObject({
      drainTimeoutMs: 180_000,
      busyInputMode: 'interrupt',
      maxTurns: 8,
      agents: { default: { turnTimeoutMs: 1_800_000 } },
    });
    expect(config.quickCommands).toMatchObject({
      gpu: { type: 'exec', command: 'nvidia-smi', timeoutMs: 30_000 },
      'restart-sglang': { type: 'exec', command: 'systemctl restart sglang' },
      r: { type: 'alias', target: '/restart' },
    });
  });

  test('takes nothing that happens to be called as keys are here, nor a command with the name of a built-in one', () => {
    const { text, left } = imported(
      [
        'turns: { resume: ask }',
        'safe_mode: off',
        'store: { retention: 1d }',
        'agent: { effects: none, restart_drain_timeout: 60 }',
        'quick_commands: { resume: { type: exec, command: ls } }',
      ].join('\n'),
    );
    expect(text).toContain('restart_drain_timeout: 60');
    expect(text).not.toMatch(/turns|safe_mode|store|effects|resume/);
    expect(keysOf(left).toSorted()).toEqual([
      'agent.effects',
      'quick_commands.resume',
      'safe_mode',
      'store',
      'turns',
    ]);
    expect(whyOf(left, 'quick_commands.resume')).toContain('is a built-in command and cannot be replaced');
  });

  test('names what it left, each with the reason', () => {
    const { left } = imported(HERMES);
    expect(keysOf(left)).toEqual([
      '_config_version',
      'model',
      'agent.max_turns',
      'agent.verbose',
      'display.compact',
    ]);
    expect(whyOf(left, 'model')).toContain('type: openai');
    expect(whyOf(left, 'agent.max_turns')).toContain('counts tool calls there');
    expect(whyOf(left, 'display.compact')).toBe('has no meaning here');
  });

  test('says of a timeout that it bounds something else here', () => {
    expect(imported(HERMES).adapted).toEqual([
      { key: 'agent.turn_timeout', why: expect.stringContaining('there the longest silence of a turn') },
    ]);
    const endless = imported('agent: { gateway_timeout: 0, restart_drain_timeout: 0 }\n');
    expect(endless.taken).toEqual(['agent.restart_drain_timeout']);
    expect(whyOf(endless.left, 'agent.gateway_timeout')).toContain('no limit there');
    const long = imported('agent: { gateway_timeout: 100000, restart_drain_timeout: 0 }\n');
    expect(whyOf(long.left, 'agent.gateway_timeout')).toContain('is more than 24 hours');
    expect(long.adapted).toEqual([]);
  });

  test('leaves what would not be valid, and takes the rest', () => {
    const { taken, left, warnings } = imported(
      [
        'quick_commands:',
        '  status: { type: exec, command: uptime }',
        '  Clean Up: { type: exec, command: ./cleanup.sh }',
        '  nothing: { type: exec }',
        '  other: { type: prompt, text: hello }',
        '  word: just-a-word',
        '  loop: { type: alias, target: loop }',
        '  model: { type: alias, target: /modle }',
        '  good: { type: exec, command: ls, shell: bash }',
        'agent: { restart_drain_timeout: forever }',
        'display: { busy_input_mode: sometimes }',
      ].join('\n'),
    );
    expect(taken).toEqual(['quick_commands.model', 'quick_commands.good']);
    expect(keysOf(left).toSorted()).toEqual(
      [
        'quick_commands.status',
        'quick_commands."Clean Up"',
        'quick_commands.nothing',
        'quick_commands.other',
        'quick_commands.word',
        'quick_commands.loop',
        'quick_commands.good.shell',
        'agent.restart_drain_timeout',
        'display.busy_input_mode',
      ].toSorted(),
    );
    expect(whyOf(left, 'quick_commands."Clean Up"')).toContain('for example clean-up');
    expect(whyOf(left, 'quick_commands.status')).toContain('is a built-in command');
    expect(whyOf(left, 'quick_commands.nothing')).toContain('its command is missing');
    expect(warnings).toContainEqual(
      expect.stringContaining('quick_commands.model.target: /modle is no command'),
    );
  });

  test('takes names that are numbers, or that every object has', () => {
    const { taken, left } = imported(
      'constructor: {}\ntoString: 1\nagent: { valueOf: 1 }\nquick_commands: { 1: { type: exec }, 2: { type: exec, command: ls, 3: 4 }, true: { type: exec, command: ls }, constructor: { type: exec, command: ls } }\n',
    );
    expect(taken).toEqual(['quick_commands.2', 'quick_commands.true', 'quick_commands.constructor']);
    expect(left.map(({ key, why }) => `${key} ${typeof why}`).toSorted()).toEqual([
      'agent.valueOf string',
      'constructor string',
      'quick_commands.1 string',
      'quick_commands.2.3 string',
      'toString string',
    ]);
  });

  test('reads the busy mode as hermes-agent does, in any case', () => {
    expect(imported('display: { busy_input_mode: " Queue " }').text).toBe(
      'display: { busy_input_mode: "queue" }\n',
    );
  });

  test('lets a command have the variables it reads, but for those that every command has or it sets itself', () => {
    const { text, adapted } = imported(
      [
        'quick_commands:',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the shell.
        '  balance: { type: exec, command: \'curl -H "x-key: $API_KEY" ${API_HOST}/balance\' }',
        "  home: { type: exec, command: 'ls $HOME; for F in *; do echo $F; done; N=1; echo $N $1 \\$ESCAPED' }",
      ].join('\n'),
    );
    const { quickCommands } = parseConfig(text, options).config;
    expect(quickCommands.balance).toMatchObject({ env: ['API_KEY', 'API_HOST'] });
    expect(quickCommands.home).toMatchObject({ env: [] });
    expect(keysOf(adapted)).toEqual(['quick_commands.balance.env']);
  });

  test('writes aliases of YAML out, because their anchors may stay behind', () => {
    const { text } = imported(
      'model: { default: &name nvidia-smi }\nquick_commands:\n  gpu: &gpu { type: exec, command: *name }\n  cards: *gpu\n',
    );
    expect(text).not.toMatch(/[&*]/);
    expect(parseConfig(text, options).config.quickCommands).toMatchObject({
      gpu: { command: 'nvidia-smi' },
      cards: { command: 'nvidia-smi' },
    });
  });

  test('leaves merge keys, wherever they stand', () => {
    const { taken, left } = imported(
      'base: &base { type: exec, command: ls }\nquick_commands:\n  a: { <<: *base, type: exec, command: pwd }\n  b: { type: exec, command: ls }\n',
    );
    expect(taken).toEqual(['quick_commands.a', 'quick_commands.b']);
    expect(whyOf(left, 'quick_commands.a."<<"')).toContain('merge key');
  });

  test('tells a misspelt section from one without a meaning', () => {
    const { left, text } = imported('quick_comands: {}\nterminal: {}\n');
    expect(text).toBe('');
    expect(whyOf(left, 'quick_comands')).toBe('unknown key; did you mean quick_commands?');
    expect(whyOf(left, 'terminal')).toBe('has no meaning here');
  });

  test.each([
    ['nothing', ''],
    ['comments', '# nothing\n'],
    ['sections without values', 'quick_commands:\nagent:\ndisplay: ~\n'],
    ['keys without values', 'agent: { restart_drain_timeout: }\n'],
  ])('of %s takes nothing', (_, text) => {
    expect(imported(text)).toMatchObject({ text: '', taken: [], warnings: [] });
  });

  test.each([
    ['a list', '- a\n', 'is not a mapping, so it is no config.yaml of hermes-agent'],
    ['a tab', 'agent:\n\ta: 1\n', 'a tab indents the line; indent with spaces'],
    ['a key written twice', 'agent: {}\nagent: {}\n', 'is written twice; keep one of them'],
    ['a second document', 'a: 1\n---\nb: 1\n', 'a second document begins here; keep one'],
    ['an alias without its anchor', 'agent: *x\n', '*x has no anchor before it'],
    ['an open bracket', 'agent: [\n', 'begins with [ and does not end'],
  ])('of %s says what is wrong', (_, text, expected) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining(expected));
  });

  test('of a few lines that stand for a billion values takes none', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) => `l${at + 1}: &l${at + 1} [${Array(9).fill(`*l${at}`)}]\n`,
    );
    expect(problemsOf(`l0: &l0 [x]\n${levels.join('')}`)).toContainEqual(
      expect.stringContaining('is the value after the first 20000, aliases written out'),
    );
  });
});

describe('whatever the file', () => {
  const word = fc.constantFrom(
    ...['exec', 'alias', 'ls', '/restart', 'self', 'queue', '', '$TOKEN', 0, 60, -1, null, true, 'ä\u0000'],
  );
  const value: fc.Arbitrary<unknown> = fc.oneof(
    word,
    fc.array(word, { maxLength: 2 }),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const mapping = (keys: string[], inner: fc.Arbitrary<unknown>) =>
    fc.dictionary(fc.constantFrom(...keys), inner, { maxKeys: 5 });
  const command = fc.oneof(
    value,
    mapping(['type', 'command', 'target', 'timeout', 'env', 'args', 'allow', 'shell', 'constructor'], value),
  );
  const file = mapping(
    ['quick_commands', 'agent', 'display', 'model', 'quick_comands', '1', '<<', 'constructor'],
    fc.oneof(
      value,
      mapping(['self', 'status', 'Clean Up', '1', 'true', 'a.b', '<<'], command),
      mapping(['gateway_timeout', 'restart_drain_timeout', 'max_turns', 'busy_input_mode'], value),
    ),
  );

  test('it gives a valid configuration or problems, and a reason for each key that it left', () => {
    fc.assert(
      fc.property(file, (values) => {
        const result = importHermes(stringify(values), options);
        if (!('taken' in result)) return expect(result.problems).not.toEqual([]);
        expect(() => parseConfig(result.text, options)).not.toThrow();
        expect(result.text === '').toBe(result.taken.length === 0);
        for (const { key, why } of [...result.left, ...result.adapted])
          expect(`${key}: ${why}`).toMatch(/^\S.*: \S/);
      }),
      { numRuns: 400 },
    );
  });
});
