/** On a terminal: NO_COLOR is heard, and a status fits into forty columns. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const COLUMNS = 40;
const ESCAPE = '\u001b';

/** Runs the CLI on a terminal of its own, forty columns wide; gives what the terminal was sent. */
async function onTerminal(args: readonly string[], env: Readonly<Record<string, string>>) {
  const quoted = [process.execPath, ENTRY, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `stty cols ${COLUMNS}; exec ${quoted}`, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text(child.stdout);
}

test.skipIf(process.platform !== 'linux')(
  'a status has no colour and no line that would be broken',
  async () => {
    await using gateway = await TestGateway.start();
    for (const env of [{ NO_COLOR: '1' }, {}]) {
      const shown = await onTerminal(
        ['status', '--home', gateway.folder.home],
        env as Record<string, string>,
      );
      expect(shown).toContain(`pid ${gateway.pid}`);
      expect(shown).not.toContain(ESCAPE);
      expect(shown.split(/\r?\n/).filter((line) => line.length > COLUMNS)).toEqual([]);
    }
  },
);

test.skipIf(process.platform !== 'linux')(
  'a gateway colours its log on a terminal, and not with NO_COLOR',
  async () => {
    using folder = new TestFolder();
    // It says why it does not start, and leaves: as much of a log as is needed.
    folder.writeConfig(testConfig('nonsense: 1'));
    const args = ['run', '--home', folder.home, '--config', folder.configPath];
    const plain = await onTerminal(args, { NO_COLOR: '1' });
    expect(plain).toContain('not started');
    expect(plain).not.toContain(ESCAPE);
    expect(await onTerminal(args, {})).toContain(ESCAPE);
  },
);
