/** Which configuration a real gateway runs on when the file on disk is broken. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { httpRequest, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';

const GOOD = testConfig('quick_commands: { up: { type: exec, command: "echo up" } }');
const BROKEN = `${GOOD}\nquick_comands: {}\n`;
const supervised = { SLUICE_SUPERVISOR: 'systemd' };

describe('a configuration that became invalid', () => {
  test('refuses a restart that a person asks for, with the error, and nothing is drained', async () => {
    await using gateway = await TestGateway.start({ configText: GOOD });
    gateway.folder.writeConfig(BROKEN);
    const cli = await gateway.cli('restart');
    expect(cli).toMatchObject({ code: 3, stdout: '' });
    const http = await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
    expect(http).toMatchObject({ status: 409, json: { verdict: 'refused' } });
    const chat = await gateway.send('/restart');
    expect(chat.json).toMatchObject({ outcome: 'done' });
    for (const text of [cli.stderr, http.json.text, chat.json.replies[0]]) {
      expect(text).toMatch(
        /Not restarted: the configuration is invalid\.\n.*sluice\.yaml:\d+:\d+ quick_comands/,
      );
    }
    // What stands in the file is for the control socket alone.
    expect(cli.stderr).toContain('| quick_comands: {}');
    expect(chat.json.replies[0]).not.toContain('|');
    const { url, token } = await gateway.http();
    const { hostname, port, host } = new URL(url);
    const page = await httpRequest(
      { host: hostname, port: Number(port), headers: { host, authorization: `Bearer ${token}` } },
      'POST',
      '/v1/lifecycle',
      { intent: 'restart' },
    );
    expect(page).toMatchObject({
      status: 409,
      json: { verdict: 'refused', text: expect.stringContaining('quick_comands: unknown key') },
    });
    expect(page.json.text).not.toContain('|');
    expect(gateway.lines.filter((line) => String(line.to).startsWith('draining'))).toEqual([]);
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered' });

    // By a signal it is never refused: the next life runs on the last good one, and says so.
    gateway.signal('SIGUSR1');
    await gateway.ready(2);
    const status = await gateway.status();
    expect(status).toMatchObject({ epoch: 2, pid: gateway.pid, state: 'running.healthy' });
    expect(status.warnings).toEqual([
      expect.stringMatching(/^running on the last good configuration, because: .*quick_comands/),
    ]);
    expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran', replies: ['up'] });
  });

  test('stops a start that a person typed with 78, even where there is a last good one; a supervised start runs on that', async () => {
    using folder = new TestFolder();
    folder.writeConfig(GOOD);
    await using first = await TestGateway.start({ folder });
    await first.stop();
    folder.writeConfig(BROKEN);
    await using typed = await TestGateway.start({ folder, early: true });
    expect((await typed.exited).code).toBe(78);
    expect(typed.stderr).toMatch(/sluice\.yaml:\d+:\d+ quick_comands/);
    // The line is for whoever typed it, and for no log.
    expect(typed.stderr).toMatch(/\n +\d+ \| quick_comands: \{\}\n/);
    const logged = readFileSync(join(folder.home, 'logs', 'current.log'), 'utf8');
    expect(logged).toContain('quick_comands: unknown key');
    expect(logged).not.toContain('| quick_comands');
    expect(typed.lines.map(({ msg }) => String(msg)).join()).not.toContain('| quick_comands');
    const { exit } = JSON.parse(readFileSync(join(folder.home, 'status.json'), 'utf8'));
    expect(exit.message).toMatch(
      /^\S+sluice\.yaml:\d+:\d+ quick_comands: unknown key; did you mean quick_commands\?$/,
    );
    await using revived = await TestGateway.start({ folder, env: supervised });
    expect((await revived.status()).warnings).toEqual([expect.stringContaining('last good configuration')]);
    expect((await revived.send('/up')).json).toMatchObject({ replies: ['up'] });
  });

  test('stops a supervised start with 78 where no configuration ever reached running', async () => {
    await using gateway = await TestGateway.start({ configText: BROKEN, env: supervised, early: true });
    expect((await gateway.exited).code).toBe(78);
  });
});

test('a bad value in an environment override is a warning, and the value of the file holds', async () => {
  await using gateway = await TestGateway.start({
    config: 'display: { busy_input_mode: queue }\n',
    env: { SLUICE_RESTART_DRAIN_TIMEOUT: 'soon', SLUICE_BUSY_INPUT_MODE: 'often' },
  });
  const { warnings, deadlines } = await gateway.status();
  expect(warnings).toEqual([
    expect.stringContaining('SLUICE_RESTART_DRAIN_TIMEOUT'),
    expect.stringMatching(/SLUICE_BUSY_INPUT_MODE.*queue holds/),
  ]);
  expect(deadlines.drainMs).toBe(60_000);
});
