/** The files that system prompts are read from, judged with the configuration that names them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFile } from '../../src/config/check.ts';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { SYSTEM_PROMPT_BYTES_MAX } from '../../src/config/prompt-file.ts';
import { ConfigOnDisk } from '../support/config-on-disk.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-prompt-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const model = (prompt: string) =>
  `agents:\n  m:\n    { type: openai, base_url: "http://h/v1", model: q, system_prompt_file: ${prompt} }\n`;

/** The problems of a file that names this prompt, in a folder of its own. */
function problemsWith(prompt: string, env: Record<string, string> = {}) {
  const path = join(folder, 'sluice.yaml');
  writeFileSync(path, model(prompt));
  const options = { path, origin: 'flag', env, builtinNames: [] } as const;
  return checkFile(options).problems.map(({ line, key, message }) => `${line} ${key}: ${message}`);
}

describe('a system prompt file', () => {
  test('is taken from the folder of the configuration, from a home, or by its whole path', () => {
    mkdirSync(join(folder, 'prompts'));
    const prompt = join(folder, 'prompts', 'p.md');
    writeFileSync(prompt, 'Be brief.');
    expect(problemsWith('prompts/p.md')).toEqual([]);
    expect(problemsWith(prompt)).toEqual([]);
    expect(problemsWith('~/p.md', { HOME: join(folder, 'prompts') })).toEqual([]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the configuration.
    expect(problemsWith('"${PROMPTS}/p.md"', { PROMPTS: join(folder, 'prompts') })).toEqual([]);
  });

  test.each<[string, (path: string) => void, string]>([
    ['is missing', () => {}, 'does not exist; check the path'],
    ['is a folder', (path) => mkdirSync(path), 'is a folder; name a file in it'],
    ['is a pipe', (path) => execFileSync('mkfifo', [path]), 'is not a regular file; name one that is'],
    [
      'is too large',
      (path) => writeFileSync(path, 'x'.repeat(SYSTEM_PROMPT_BYTES_MAX + 1)),
      'is larger than 256 KB; make it smaller',
    ],
    [
      'is no text',
      (path) => writeFileSync(path, Buffer.from([0xff, 0xfe])),
      'is not UTF-8 text; save it as UTF-8',
    ],
  ])('that %s is an error at its key', (_, prepare, wrong) => {
    const path = join(folder, 'p.md');
    prepare(path);
    expect(problemsWith('p.md')).toEqual([`3 agents.m.system_prompt_file: ${path} ${wrong}`]);
  });

  test('of the largest size, or an empty one, is fine', () => {
    for (const size of [0, SYSTEM_PROMPT_BYTES_MAX]) {
      writeFileSync(join(folder, 'p.md'), 'x'.repeat(size));
      expect(problemsWith('p.md')).toEqual([]);
    }
  });

  test('that is missing is told beside other mistakes, and keeps a gateway from starting on the file', () => {
    const path = join(folder, 'sluice.yaml');
    const text = `listn: {}\n${model('p.md')}`;
    writeFileSync(path, text);
    const options = { path, origin: 'flag', env: {}, builtinNames: [] } as const;
    expect(checkFile(options).problems.map(({ key }) => key)).toEqual([
      'listn',
      'agents.m.system_prompt_file',
    ]);
    writeFileSync(path, model('p.md'));
    expect(() => loadConfig(options)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`${path}:3:76 agents.m.system_prompt_file: `),
      }),
    );
  });

  test('of a text that ran already is not looked for: a turn says what is wrong', () => {
    const options = { path: join(folder, 'a.yaml'), origin: 'flag', env: {}, builtinNames: [] } as const;
    expect(parseConfig(model('gone.md'), options).config.agents.m).toMatchObject({
      systemPromptFile: join(folder, 'gone.md'),
    });
  });

  test('that a changed file names and that is missing makes the reload change nothing', () => {
    using disk = new ConfigOnDisk('');
    disk.write(model('p.md'));
    expect(disk.configuration.read()).toMatchObject({
      problems: [{ key: 'agents.m.system_prompt_file', message: expect.stringMatching(/does not exist; /) }],
    });
    expect(disk.configuration.problem({ withLines: true })).toContain('does not exist');
    writeFileSync(join(disk.folder, 'p.md'), 'Be brief.');
    expect(disk.configuration.read()).toHaveProperty('config');
    expect(disk.configuration.problem({ withLines: true })).toBeNull();
  });
});
