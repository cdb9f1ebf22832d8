/** Programs and folders that quick commands name by a path, looked for when a configuration is judged. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkFile } from '../../src/config/check.ts';
import { Configuration } from '../../src/config/configuration.ts';
import { parseConfig } from '../../src/config/load.ts';
import { PATHS_LOOKED_AT_MAX } from '../../src/config/programs.ts';

const AGENT = 'agent: { command: "true" }\n';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-programs-'));
  path = join(folder, 'sluice.yaml');
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'there.sh'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'notes.txt'), 'no program\n', { mode: 0o644 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = () => ({ path, origin: 'flag', env: {}, builtinNames: [] }) as const;

/** The warnings of a file with this command, without the folder. */
function warnings(keys: string): string[] {
  writeFileSync(path, `${AGENT}quick_commands:\n  job: { type: exec, ${keys} }\n`);
  const checked = checkFile(options());
  expect(checked.problems).toEqual([]);
  return checked.warnings.map((warning) => warning.replaceAll(`${folder}/`, ''));
}

test.each([
  'command: "./bin/there.sh --now"',
  'command: "bin/there.sh; rm -rf x"',
  'command: [./bin/there.sh, x]',
  'command: "./there.sh", cwd: bin',
  'command: "ls ./nothing"',
  'command: "cd bin && ./nothing"',
  'command: \'"$TOOLS"/nothing\'',
  'command: "~/nothing"',
  'command: "MODE=fast ./nothing"',
  'command: "./nothing* x"',
  'command: "./nothing; true"',
  'command: [nothing-on-path]',
])('there is nothing to warn of: %s', (keys) => {
  expect(warnings(keys)).toEqual([]);
});

test.each([
  [
    'command: "./gone.sh -v"',
    '3:31 quick_commands.job.command: gone.sh does not exist; write it, or correct the path',
  ],
  ['command: "bin/gone"', '3:31 quick_commands.job.command: bin/gone does not exist'],
  ['command: "./there.sh"', '3:31 quick_commands.job.command: there.sh does not exist'],
  ['command: "../there.sh", cwd: bin', '3:31 quick_commands.job.command: there.sh does not exist'],
  ['command: [./gone.sh, x]', '3:32 quick_commands.job.command[0]: gone.sh does not exist'],
  ['command: [./there.sh], cwd: bin', '3:32 quick_commands.job.command[0]: there.sh does not exist'],
  [
    'command: "./bin"',
    '3:31 quick_commands.job.command: bin is no program; correct the path, or chmod +x it',
  ],
  ['command: "./notes.txt/x"', '3:31 quick_commands.job.command: notes.txt/x does not exist'],
  [
    'command: ls, cwd: gone',
    '3:40 quick_commands.job.cwd: gone does not exist; make it before the command is run',
  ],
  ['command: ls, cwd: notes.txt', '3:40 quick_commands.job.cwd: notes.txt is not a folder; name another one'],
])('a warning names the place, and the file stays valid: %s', (keys, expected) => {
  expect(warnings(keys)).toEqual([expect.stringContaining(`sluice.yaml:${expected}`)]);
});

/** The warnings of a file with these agents, without the folder. */
function agentWarnings(text: string): string[] {
  writeFileSync(path, `${text}\n`);
  const checked = checkFile(options());
  expect(checked.problems).toEqual([]);
  return checked.warnings.map((warning) => warning.replaceAll(`${folder}/`, ''));
}

test.each([
  'agent: { type: command, command: ./bin/there.sh }',
  'agent: { type: command, command: "./bin/there.sh --now" }',
  'agent: { type: command, command: [./bin/there.sh, x] }',
  'agent: { type: command, command: "./there.sh", cwd: bin }',
  'agent: { type: command, command: "python3 agent.py" }',
  'agent: { type: command, command: [nothing-on-path] }',
  'agent: { type: openai, base_url: "http://127.0.0.1:1/v1", model: m }',
])('there is nothing to warn of in an agent: %s', (text) => {
  expect(agentWarnings(text)).toEqual([]);
});

test.each([
  [
    'agent: { type: command, command: "./agent.sh" }',
    '1:34 agent.command: agent.sh does not exist; write it, or correct the path',
  ],
  ['agent: { command: "./agent.sh --now" }', '1:19 agent.command: agent.sh does not exist'],
  ['agent: { command: [./agent.sh, x] }', '1:20 agent.command[0]: agent.sh does not exist'],
  [
    'agent: { command: "./notes.txt" }',
    '1:19 agent.command: notes.txt may not be run by this user; correct the path, or chmod +x it',
  ],
  [
    'agent: { command: "./agent.sh", cwd: gone }',
    '1:38 agent.cwd: gone does not exist; make it before the agent is asked',
  ],
  [
    'agent: { command: "true" }\nagents:\n  coder: { type: command, command: ./coder }',
    '3:36 agents.coder.command: coder does not exist',
  ],
])('what an agent lacks is warned of with its place, and the file stays valid: %s', (text, expected) => {
  expect(agentWarnings(text)).toEqual([expect.stringContaining(`sluice.yaml:${expected}`)]);
});

test('a program that nobody may run is warned of', () => {
  expect(warnings('command: "./notes.txt"')).toEqual([
    'sluice.yaml:3:31 quick_commands.job.command: notes.txt may not be run by this user; correct the path, or chmod +x it',
  ]);
});

test('each path is looked at once, and no more than so many of them', () => {
  const looked: string[] = [];
  const note = (what: string) => {
    looked.push(what);
    return undefined;
  };
  const text = (count: number, name: (n: number) => string) =>
    `quick_commands:\n${Array.from({ length: count }, (_, n) => `  c${n}: { type: exec, command: "${name(n)}" }\n`).join('')}`;
  const look = { program: note, folder: note };
  parseConfig(
    text(50, () => './same'),
    { ...options(), look },
  );
  expect(looked).toEqual([folder, join(folder, 'same')]);
  looked.length = 0;
  parseConfig(
    text(3000, (n) => `./c${n}`),
    { ...options(), look },
  );
  expect(looked).toHaveLength(PATHS_LOOKED_AT_MAX);
});

test('a reload of the same file warns no longer of what is there by now', () => {
  writeFileSync(path, `${AGENT}quick_commands: { job: { type: exec, command: ls, cwd: later } }\n`);
  const lastGoodPath = join(folder, 'last-good.yaml');
  const configuration = new Configuration({ ...options(), lastGoodPath, platformSchemas: {} }, false);
  expect(configuration.warnings).toEqual([expect.stringContaining('later does not exist')]);
  mkdirSync(join(folder, 'later'));
  const read = configuration.read();
  if ('problems' in read) throw new Error('the file is valid');
  expect(read.changes).toEqual([]);
  configuration.apply(read);
  expect(configuration.warnings).toEqual([]);
});
