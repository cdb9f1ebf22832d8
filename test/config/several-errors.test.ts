/** All mistakes of a file are told at once: none hides another, in its section or elsewhere. */
import { describe, expect, test } from 'vitest';
import { checkedOf } from '../../src/config/check.ts';
import { judgeConfig } from '../../src/config/load.ts';

const options = {
  path: '/etc/sluice/sluice.yaml',
  origin: 'flag',
  env: {},
  builtinNames: ['status', 'restart'],
} as const;

/** Each problem as `LINE:COLUMN key`, in the order of the file. */
const placesOf = (text: string) =>
  checkedOf(judgeConfig(text, options)).problems.map(({ line, column, key }) => `${line}:${column} ${key}`);

const messageAt = (text: string, key: string) =>
  checkedOf(judgeConfig(text, options)).problems.find((problem) => problem.key === key)?.message;

describe('a type that is none hides no other mistake', () => {
  test('of the agent', () => {
    const text =
      'agent:\n  type: llm\n  turn_timeout: soon\n  comand: x\n  history_window: -1\n  max_turns: 0\n';
    expect(placesOf(text)).toEqual([
      '2:9 agent.type',
      '3:17 agent.turn_timeout',
      '4:3 agent.comand',
      '5:19 agent.history_window',
      '6:14 agent.max_turns',
    ]);
    expect(messageAt(text, 'agent.comand')).toBe('unknown key; did you mean command?');
  });

  test('of a further agent, whose name is none either', () => {
    const text = 'agents:\n  My Agent:\n    type: llm\n    cwd: 5\n    constructor: 1\n';
    expect(placesOf(text)).toEqual([
      '2:3 agents."My Agent"',
      '3:11 agents."My Agent".type',
      '4:10 agents."My Agent".cwd',
      '5:5 agents."My Agent".constructor',
    ]);
  });

  test('of a quick command, down to its arguments', () => {
    const text =
      'quick_commands:\n  x:\n    type: shell\n    timeout: soon\n    args:\n      PATH: {}\n      N: { default: 1, zebra: 1 }\n';
    expect(placesOf(text)).toEqual([
      '3:11 quick_commands.x.type',
      '4:14 quick_commands.x.timeout',
      '6:7 quick_commands.x.args.PATH',
      '7:21 quick_commands.x.args.N.default',
      '7:24 quick_commands.x.args.N.zebra',
    ]);
  });

  test('and one that is missing does not, either; nothing that belongs to a type is called missing', () => {
    expect(placesOf('quick_commands:\n  x: { timeout: soon }\n')).toEqual([
      '2:3 quick_commands.x.type',
      '2:17 quick_commands.x.timeout',
    ]);
  });

  test('and one that is right leaves a duration alone that is right as well', () => {
    expect(placesOf('agents:\n  b: { type: command, turn_timeout: 30m }\n')).toEqual([
      '2:3 agents.b.command',
    ]);
  });
});

describe('a tag that means nothing hides no other mistake', () => {
  test('of a mapping, what is below it; of a value, what is beside it', () => {
    const text =
      'agent: !llm { comand: x, cwd: 5 }\nagnt: 3\nquick_commands:\n  a: { type: exec, command: !y z, timeout: !z 5, tiemout: 1 }\n';
    expect(placesOf(text)).toEqual([
      '1:8 agent',
      '1:15 agent.comand',
      '1:31 agent.cwd',
      '2:1 agnt',
      '4:29 quick_commands.a.command',
      '4:44 quick_commands.a.timeout',
      '4:50 quick_commands.a.tiemout',
    ]);
  });

  test('and of the value itself nothing else is said: without its tag it may be right', () => {
    const text = 'agent: { command: x, failure_threshold: !x 5 }\n';
    expect(placesOf(text)).toEqual(['1:41 agent.failure_threshold']);
    expect(messageAt(text, 'agent.failure_threshold')).toBe('has a tag that means nothing here; remove it');
  });

  test('but what makes the file no YAML is told alone', () => {
    expect(placesOf('agnt: 1\nagent: { command: !x y, cwd: "z }\n')).toEqual([
      '2:19 agent.command',
      '2:30 agent.cwd',
    ]);
  });
});

test('a key of thousands of characters is told by its length, and hides nothing', () => {
  const key = 'k'.repeat(3000);
  expect(placesOf(`${key}: 1\nagnt: 5\n`)).toEqual(['1:1 (file)', '2:1 agnt']);
  expect(messageAt(`${key}: 1\n`, '(file)')).toBe('has a key of 3000 characters; use at most 128');
});

describe('a key is not called missing beside one that is a misspelling of it', () => {
  test('of a command, an agent and a model', () => {
    const text =
      'agent: { comand: x, cwd: y }\nagents:\n  a: { comand: x }\n  b: { type: openai, modle: m, base_url: "http://x" }\nquick_commands:\n  c: { type: exec, commnd: x }\n';
    expect(placesOf(text)).toEqual([
      '1:10 agent.comand',
      '3:8 agents.a.comand',
      '4:22 agents.b.modle',
      '6:20 quick_commands.c.commnd',
    ]);
  });

  test('but it is where the unknown one is something else', () => {
    expect(placesOf('agents:\n  a: { zebra: x }\n')).toEqual(['2:3 agents.a.command', '2:8 agents.a.zebra']);
  });
});

describe('a name that is none hides no mistake below it', () => {
  test.each([
    ['Clean Up', '2:3 quick_commands."Clean Up"', '2:36 quick_commands."Clean Up".timeout'],
    ['status', '2:3 quick_commands.status', '2:34 quick_commands.status.timeout'],
  ])('%s', (name, ...places) => {
    expect(placesOf(`quick_commands:\n  ${name}: { type: exec, timeout: 0, command: ls }\n`)).toEqual(places);
  });

  test('of a conversation', () => {
    expect(placesOf('conversations:\n  telegram: { agnt: x, agent: nobody }\n')).toEqual([
      '2:3 conversations.telegram',
      '2:15 conversations.telegram.agnt',
      '2:31 conversations.telegram.agent',
    ]);
  });
});

describe('what needs two places of the file is told beside other mistakes', () => {
  test('the agent of a conversation', () => {
    const text =
      'agent: { command: x, turn_timeout: soon }\nagents: { coder: { command: c } }\nconversations: { "t:1": { agent: codr }, "t:2": { agent: coder }, "t:3": { agent: default } }\n';
    expect(placesOf(text)).toEqual(['1:36 agent.turn_timeout', '3:34 conversations."t:1".agent']);
    expect(messageAt(text, 'conversations."t:1".agent')).toBe('"codr" is no agent; did you mean coder?');
  });

  test('but not where the agents cannot be read: it may be one of them', () => {
    expect(placesOf('agents: 5\nconversations: { "t:1": { agent: coder } }\n')).toEqual(['1:9 agents']);
  });

  test('of thousands of names that are none the first hundred are told the nearest: each search takes its time', () => {
    const numbered = (line: (at: number) => string) =>
      Array.from({ length: 2500 }, (_, at) => line(at)).join('');
    const uses = `agents:\n${numbered((at) => `  agent-${at}: { command: x }\n`)}conversations:\n${numbered((at) => `  "a:${at}": { agent: agnt-${at} }\n`)}`;
    const { problems } = checkedOf(judgeConfig(uses, options));
    expect(problems).toHaveLength(2500);
    expect(problems[99]?.message).toBe('"agnt-99" is no agent; did you mean agent-99?');
    expect(problems[100]?.message).toMatch(
      /^"agnt-100" is no agent; use one of default, agent-0, .*agent-18, …$/,
    );
    const aliases = `quick_commands:\n${numbered((at) => `  alias-${at}: { type: alias, target: /alas-${at} }\n`)}`;
    const warnings = judgeConfig(aliases, options).warnings.filter((warning) =>
      warning.includes('no command'),
    );
    expect(warnings).toHaveLength(2500);
    expect(warnings[99]).toMatch(/\/alas-99 is no command of this gateway; did you mean \/alias-9\?$/);
    expect(warnings[100]).toMatch(/\/alas-100 is no command of this gateway$/);
  });

  test('the turns of an agent', () => {
    expect(placesOf('listen: { htp: 1 }\nagents: { a: { command: c, max_turns: 9 } }\n')).toEqual([
      '1:11 listen.htp',
      '2:39 agents.a.max_turns',
    ]);
  });

  test('a missing command of the agent', () => {
    expect(placesOf('agent:\n  type: command\n  max_turns: 0\n')).toEqual([
      '1:1 agent.command',
      '3:14 agent.max_turns',
    ]);
  });

  test('what the keys of an argument say of one another', () => {
    const args =
      'quick_commands:\n  x:\n    type: exec\n    command: ls\n    args:\n      A: { rest: true, pattern: "(", zebra: 1 }\n      B: { choices: [a, 1], default: b }\n';
    expect(placesOf(args)).toEqual([
      '6:18 quick_commands.x.args.A.rest',
      '6:33 quick_commands.x.args.A.pattern',
      '6:38 quick_commands.x.args.A.zebra',
      '7:25 quick_commands.x.args.B.choices[1]',
      '7:38 quick_commands.x.args.B.default',
    ]);
  });
});
