/** What is told of a configuration that is not valid holds nothing that stands in it where a secret belongs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFile } from '../../src/config/check.ts';
import { judgeConfig, type LoadOptions } from '../../src/config/load.ts';
import { placeText, problemsDocument, problemText } from '../../src/config/problems.ts';
import { BUILTIN_NAMES } from '../../src/messages/commands.ts';

const CANARY = 'canary-aaa-111';

const options: LoadOptions = {
  path: '/srv/bot/sluice.yaml',
  origin: 'flag',
  env: {},
  builtinNames: BUILTIN_NAMES,
};

/** All that anybody is told of a text. */
function toldOf(text: string) {
  const { problems, warnings } = { problems: [], ...judgeConfig(text, options) };
  const lines = problems.flatMap((problem) => [problemText(problem, 'F'), placeText(problem, 'F')]);
  const document = JSON.stringify(problemsDocument(problems));
  return { problems, all: [...lines, document, ...warnings].join('\n') };
}

/** The first problem as a person sees it. */
const firstOf = (text: string) => problemText(toldOf(text).problems[0] ?? expect.fail('it is valid'), 'F');

const args = (inside: string) =>
  `quick_commands: { sec: { type: exec, command: "true", args: { ${inside} } } }`;

const block = (...lines: string[]) =>
  ['quick_commands:', '  sec:', '    type: exec', '    command: "true"', ...lines, ''].join('\n');

describe('a default of an argument whose name is a secret', () => {
  test('that does not match its pattern is hidden in the message and in its line, and the rest is shown', () => {
    expect(firstOf(args(`API_KEY: { pattern: "[0-9]+", default: "${CANARY}" }`))).toBe(
      [
        'F:1:102 quick_commands.sec.args.API_KEY.default: *** does not match the pattern; correct one of them',
        '     1 | quick_commands: { sec: { type: exec, command: "true", args: { API_KEY: { pattern: ***, default: *** } } } }',
      ].join('\n'),
    );
  });

  test('is hidden in block style', () => {
    const text = block(
      '    args:',
      '      API_KEY:',
      '        pattern: "[0-9]+"',
      `        default: ${CANARY}`,
    );
    expect(firstOf(text)).toBe(
      [
        'F:8:18 quick_commands.sec.args.API_KEY.default: *** does not match the pattern; correct one of them',
        '     8 |         default: ***',
      ].join('\n'),
    );
  });

  test('is hidden with what belongs to its value: tag, anchor, comment', () => {
    const text = block(
      '    args:',
      '      API_KEY:',
      '        choices: [a]',
      `        default: &${CANARY} b # or ${CANARY}`,
    );
    expect(firstOf(text)).toMatch(/\n {5}8 \| {9}default: \*\*\*$/);
  });
});

describe('a key that is no secret stays as it is', () => {
  test('beside one that is', () => {
    expect(firstOf(`${args('API_KEY: { default: x }')}\nlisten: { http: 5 }\n`)).toMatch(
      /: 5 is not .*\n.*listen: \{ http: 5 \}$/,
    );
  });

  test('in a command that is only called like a secret', () => {
    expect(firstOf('quick_commands: { monkey: { type: exec, command: "true", timeout: never } }')).toBe(
      [
        'F:1:67 quick_commands.monkey.timeout: "never" is not a duration; write seconds, or a text as "30s", "5m", "2h", "10ms"',
        '     1 | quick_commands: { monkey: { type: exec, command: "true", timeout: never } }',
      ].join('\n'),
    );
  });

  test('where the name of a variable belongs, as a shell has it', () => {
    expect(firstOf(block('    env: [$HOME]'))).toMatch(/"\$HOME" is not the name .*\n.*env: \[\$HOME\]$/);
  });
});

describe('of a text that is no YAML known names are told, and where it is wrong', () => {
  test('the key of a quick command', () => {
    expect(firstOf(block('    command: [x', '    timeout: 5s'))).toBe(
      [
        'F:6:5 quick_commands.sec.timeout: the line is indented unlike those beside it; begin them in the same column',
        '     6 |     timeout: ***',
      ].join('\n'),
    );
  });

  test('but no key that nobody knows', () => {
    expect(firstOf(`agent:\n  type: openai\n  ${CANARY}\n`)).toMatch(
      /^F:3:3 agent\."\*{3}": a line has no colon; .*\n {5}3 \| {3}\*{3}$/,
    );
  });

  test('nor what stands behind one that is known', () => {
    expect(firstOf(`listen:\n  http: '${CANARY}' 5\n`)).toMatch(
      /^F:2:26 listen\.http: .*\n.*\| {3}http: \*{3}$/,
    );
  });
});

test('of a word without a colon the secret that it names is hidden, and the word is told', () => {
  expect(firstOf(`agent: { command: x, api_token ${CANARY} }`)).toMatch(
    /^F:1:22 agent\."api_token \*{3}": unknown key; .*\n.*\| agent: \{ command: x, api_token \*{3} \}$/,
  );
});

const C = CANARY;

const LEAKS: readonly (readonly [string, string])[] = [
  ['an argument that is no mapping', args(`API_TOKEN: ${C}`)],
  ['an argument that is a list', args(`API_TOKEN: [${C}]`)],
  ['choices that are no list', args(`API_TOKEN: { choices: ${C} }`)],
  ['choices that are no texts', args(`API_TOKEN: { choices: [[${C}]] }`)],
  ['a default that is none of the choices', args(`API_TOKEN: { choices: [a], default: ${C} }`)],
  ['a choice that does not match', args(`API_TOKEN: { pattern: "[0-9]", choices: [${C}] }`)],
  ['a pattern that is none', args(`API_TOKEN: { pattern: "(${C}" }`)],
  ['a default of a required argument', args(`API_TOKEN: { required: true, default: ${C} }`)],
  ['a default that is a mapping', args(`API_TOKEN: { default: { a: ${C} } }`)],
  ['a flag with a text', args(`API_TOKEN: { required: ${C} }`)],
  ['an unknown key', args(`API_TOKEN: { vault: ${C} }`)],
  ['a value in the place of a key', args(`API_TOKEN: { ${C} }`)],
  ['a value in the place of a key, quoted', args(`API_TOKEN: { "${C}": 1 }`)],
  ['no space behind the colon', args(`API_TOKEN:${C}`)],
  ['block style', block('    args:', `      API_TOKEN: ${C}`)],
  ['block choices', block('    args:', '      API_TOKEN:', '        choices:', `          ${C}`)],
  ['a list in the column of its key', block('    args:', '      API_TOKEN:', `      - ${C}`)],
  [
    'a literal of several lines',
    block(
      '    args:',
      '      API_KEY:',
      '        pattern: "[0-9]"',
      '        default: |',
      `          ${C}`,
      `          ${C}`,
    ),
  ],
  ['a quoted text of several lines', block('    args:', '      API_KEY: "a', `        ${C}`, '        "')],
  ['a plain text of several lines', block('    args:', '      API_KEY: a', `        ${C}`)],
  ['a key with a question mark', block('    args:', '      ? API_KEY', `      : ${C}`)],
  ['an anchor', `extra: &it ${C}\n${args('API_KEY: { pattern: "[0-9]", default: *it }')}`],
  ['the anchor of a mapping', `extra: &it { default: ${C}, pattern: "[0-9]" }\n${args('API_KEY: *it')}`],
  [
    'an anchor inside of a secret, used elsewhere',
    `${args(`API_KEY: { default: &it ${C} }`)}\nlisten: *it\n`,
  ],
  ['an alias without an anchor', args(`API_KEY: { default: *${C} }`)],
  ['an alias without an anchor for all of it', args(`API_KEY: *${C}`)],
  ['a tag', args(`API_KEY: { default: !${C} x }`)],
  ['a tag in block style', block('    args:', '      API_KEY:', `        default: !${C} x`)],
  ['a merge key', args(`API_KEY: { <<: { default: ${C} } }`)],
  [
    'a merge key in block style',
    block('    args:', '      API_KEY:', '        <<:', `          default: ${C}`),
  ],
  ['a merge of arguments', `extra: &it { API_KEY: { default: ${C} } }\n${args('<<: *it')}`],
  ['a key twice', args(`API_KEY: { default: x }, API_KEY: { default: ${C} }`)],
  ['a key twice inside', args(`API_KEY: { default: ${C}, default: ${C} }`)],
  ['a second key in block style', block('    args:', '      API_KEY: { default: x }', `      API_KEY: ${C}`)],
  ['a command that is a text', `quick_commands: { token: ${C} }`],
  ['a list of secrets', `tokens: [${C}]`],
  ['an unknown key at the top', `api_key: ${C}\n`],
  ['an unknown key, a mapping', `secrets:\n  vault: ${C}\n  other: [${C}]\n`],
  [
    'headers of an agent',
    `agent: { type: openai, base_url: "http://h", model: m, headers: { X-Api: ${C} } }`,
  ],
  ['an authorization', `agent: { type: openai, base_url: "http://h", model: m, Authorization: ${C} }`],
  ['an unknown key of an agent', `agent: { type: openai, base_url: "http://h", model: m, api_key: ${C} }`],
  [
    'a key in place of its variable',
    `agent: { type: openai, base_url: "http://h", model: m, api_key_env: ${C} }`,
  ],
  ['a tag of a variable', `agent: { type: openai, api_key_env: !${C} X }`],
  [
    'a key with its variable',
    `agent: { type: openai, base_url: "http://h", model: m, api_key_env: KEY=${C} }`,
  ],
  ['a variable with its value', block(`    env: [X=${C}]`)],
  ['a variable with its value, quoted', block(`    env: ["X=${C}"]`)],
  ['a variable with its value, one a line', block('    env:', `      - X=${C}`)],
  ['variables as a mapping', block(`    env: { X: ${C} }`)],
  ['variables as a mapping in block style', block('    env:', `      X: ${C}`, '      X: y')],
  ['variables as a text', block(`    env: X=${C}`)],
  ['a variable as a pair of a list', block(`    env: [X: ${C}]`)],
  ['an address with a password', `agent: { type: openai, base_url: "https://u:${C}@h/v1", model: m }`],
  [
    'an address with a slash in its password',
    `agent: { type: openai, base_url: "https://u:pa/${C}@h/v1", model: m }`,
  ],
  [
    'an address with a long user',
    `agent: { type: openai, base_url: "htp://${C}-${'u'.repeat(60)}:x@h", model: m }`,
  ],
  ['an address elsewhere', `listen: { http: "https://u:/${C}@h" }`],
  [
    'an alias of a secret inside of another value',
    `${args(`API_KEY: { default: &it ${C} }`)}\nlisten: [*it]\n`,
  ],
  ['an alias of a secret mapping', `${args(`API_KEY: &it { default: ${C} }`)}\nlisten: { http: *it }\n`],
  ['variables in what is no mapping', `quick_commands: [{ env: ["X=${C}"] }]`],
  ['a word behind a flag of a list', block(`    command: [curl, --token, ${C}, [x]]`)],
  [
    'a word behind a flag, one a line',
    block('    timeout: 0', '    command:', '      - curl', '      - --token', `      - { ${C}: 1 }`),
  ],
  ['a platform that nobody knows', `platforms: { telegramm: { bot: ${C} } }`],
  ['a value of a platform', `platforms:\n  telegramm: ${C}\n`],
  ['all of it in the place of a mapping', `quick_commands: [{ API_KEY: ${C} }]`],
  ['a bracket that stays open', args(`API_KEY: { default: ${C}`)],
  ['a quote that stays open', args(`API_KEY: { default: "${C} }`)],
  ['a quote that stays open in block style', block('    args:', '      API_KEY:', `        default: "${C}`)],
  ['a quote that stays open before it', block('    cwd: "x', '    args:', `      API_KEY: "${C}`)],
  ['a line without a colon', block('    args:', '      API_KEY:', '        choices: [a]', `        ${C}`)],
  ['a second colon', block('    args:', `      API_KEY: a: ${C}`)],
  ['a second colon in a default', block('    args:', '      API_KEY:', `        default: a: ${C}`)],
  ['a character that YAML keeps', block('    args:', '      API_KEY:', `        default: @${C}`)],
  ['a percent sign', block('    args:', '      API_KEY:', `        default: %${C}`)],
  ['a tab', block('    args:', '      API_KEY:', `\tdefault: ${C}`)],
  [
    'a line indented unlike those beside it',
    block(
      '    args:',
      '      API_KEY:',
      '        pattern: x',
      `          default: ${C}`,
      `       default: ${C}`,
    ),
  ],
  ['a second text behind a quoted one', block('    args:', '      API_KEY:', `        default: "a" ${C}`)],
  ['words behind the mark of a literal', block('    args:', '      API_KEY:', `        default: |${C}`)],
  ['an escape that means nothing', block('    args:', '      API_KEY:', `        default: "\\${C}"`)],
  ['a second document', `${args(`API_KEY: { default: ${C} }`)}\n--- { API_KEY: ${C} }\n`],
  ['a list of secrets with a mistake', block('    tokens:', '    - a', `    - "b" ${C}`)],
  ['too deep a nesting', `${'['.repeat(40)}{ API_KEY: ${C} }${']'.repeat(40)}`],
  ['a forgotten colon', `agent:\n  type: openai\n  api_key ${C}\n`],
  ['a forgotten colon, before other keys', `agent:\n  type: openai\n  api_key ${C}\n  model: m\n`],
  ['a forgotten colon, alone in its section', `agent:\n  api_key ${C}\n`],
  ['a forgotten colon between brackets', `agent: { type: openai, api_token "${C}", model: m }`],
  ['a forgotten colon between brackets, over lines', `agent: { type: openai, api_token\n  ${C}, model: m }`],
  ['a forgotten colon in a section of names', `agents:\n  api_key ${C}\n  coder:\n    type: openai\n`],
  ['a comma for a colon', `platforms: { telegramm: { token, ${C} } }`],
  ['a comma for a colon in an agent', `agent: { token, ${C}, type: openai }`],
  ['a comma for a colon below a secret', args(`API_TOKEN: { default, "${C}", patern: x }`)],
  ['a value behind a tab', `agent:\n  api_token:\n\t${C}\n`],
  ['a value in the column of its key', `agent:\n  api_token:\n  ${C}\n  type: openai\n`],
  ['a literal in the column of its key', `agent:\n  api_token: |\n  ${C}\n  type: openai\n`],
  ['a folded text before the column of its key', `agent:\n  api_token: >\n${C}\ntype: openai\n`],
  ['a literal that goes back by a column', `agent:\n  private_key: |\n    begin\n   ${C}\n    end\n`],
  ['a literal that goes back to its key', `agent:\n  private_key: |\n   begin\n  ${C}\n  end\n`],
  ['a quote that stays open over lines', `agent:\n  api_token: "abc\n${C}\nfoo\n`],
  ['a bracket that stays open over lines', `agent: { api_token: [\n${C}\n }\n`],
  ['a carriage return alone', `agent:\n  api_key ${C}\rx\n  type: [\n`],
  ['another line break in a comment', `agent:\n  api_token: ab #x\u2028${C}\n  type: openai\n`],
  ['a directive', `%${C} x\n---\nagent: 5\n`],
  ['a version of YAML', `%YAML ${C}\n---\nagent: 5\n`],
  ['a comment behind a secret', args(`\n  API_TOKEN: ab #${C}\n`)],
  ['a comment behind a secret in block style', `agent:\n  api_token: ab #${C}\n  type: openai\n`],
  ['a comment behind a variable', block(`    env: X=ab #${C}`)],
  ['a text in the place of all platforms', `platforms: ${C}`],
  ['variables of an agent', `agent:\n  command: x\n  env: { FOO: ${C} }\n`],
  ['variables of an agent in block style', `agent:\n  command: x\n  env:\n    FOO: ${C}\n`],
  ['an alias of a secret, twice', `agent:\n  api_token: &it ${C}\n  command: *it\n  max_turns: *it\n`],
  [
    'an alias of a secret inside of another, twice',
    `extra:\n  tokens: &all [&it ${C}]\nagent:\n  turn_timeout: *all\n  max_turns: *it\n`,
  ],
];

describe('nothing is told of what stands where a secret belongs', () => {
  test.each(LEAKS)('%s', (_, text) => {
    const { problems, all } = toldOf(text);
    expect(problems).not.toEqual([]);
    expect(all).not.toContain('aaa-111');
  });

  test('where the file is no UTF-8', () => {
    writeFileSync(path, Buffer.from(args(`API_KEY: { default: "${CANARY}\xff" }`), 'latin1'));
    const [problem] = checkFile({ ...options, path }).problems;
    expect(problem).toMatchObject({
      message: 'is not UTF-8 text; save it as UTF-8',
      source: expect.stringMatching(/API_KEY: \{ default: \*\*\*/),
    });
  });
});

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-told-'));
  path = join(folder, 'sluice.yaml');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));
