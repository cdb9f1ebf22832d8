/**
 * A report where a gateway ended as it should not: what stands in it, what never does, and that the folder it lies in
 * is bounded whatever is logged and however often a gateway dies.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EventClient } from '../support/event-client.ts';
import { standInAgent, TestFolder, TestGateway } from '../support/gateway.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const reportsIn = (home: string): string[] =>
  readdirSync(join(home, 'logs')).filter((name) => name.startsWith('crash-'));

// biome-ignore lint/suspicious/noExplicitAny: what a test reads of a report is what it asserts on.
const reportIn = (home: string): any => {
  const [name = ''] = reportsIn(home);
  return JSON.parse(readFileSync(join(home, 'logs', name), 'utf8'));
};

/** Node's options for a gateway that throws this at SIGUSR2. */
function throwing(folder: TestFolder, error: string): string[] {
  const path = join(folder.path, 'throwing.mjs');
  writeFileSync(path, `process.on('SIGUSR2', () => { throw ${error}; });`);
  return ['--import', path];
}

describe('a report of an end that should not have been', () => {
  test('has what was thrown and why, what the gateway did and said, and no text of a message', async () => {
    using folder = new TestFolder();
    const nodeArgs = throwing(folder, 'new Error("planted", { cause: new TypeError("the cause") })');
    await using gateway = await TestGateway.start({ folder, config: '', nodeArgs });
    folder.fifo('one');
    void gateway.post('wait one', { id: 'a-private-matter' }).catch(() => {});
    await gateway.inFlight('turns', 1);
    // One report, however many faults there are.
    for (let faults = 0; faults < 2; faults += 1) gateway.signal('SIGUSR2');
    expect((await gateway.exited).code).toBe(70);
    expect(reportsIn(folder.home)).toHaveLength(1);
    const report = reportIn(folder.home);
    expect(report).toMatchObject({
      reason: 'fault',
      message: 'planted',
      stack: expect.stringMatching(/^Error: planted\n +at (?:.*\n)*caused by TypeError: the cause\n +at /),
      status: { state: 'running.healthy', epoch: 1, inFlight: { turns: [{ agent: 'default' }] } },
      versions: { node: process.versions.node, platform: process.platform },
      memory: { rss: expect.any(Number) },
    });
    const said = report.lines.map(({ msg }: { msg: string }) => msg);
    expect(said).toContain('starting → running.healthy');
    expect(said.at(-1)).toBe('a fault');
    const [name = ''] = reportsIn(folder.home);
    expect(readFileSync(join(folder.home, 'logs', name), 'utf8')).not.toContain('wait one');
    const line = gateway.lines.find(({ msg }) => msg.startsWith('a report of what happened is in'));
    expect(line?.report).toBe(join(folder.home, 'logs', name));
  });

  test('has no secret in it, nor has the log, whatever the secret is made of and wherever it stood', async () => {
    const quoted = 'pl4"nt\\ed-qu0ted';
    // What a stop may take in milliseconds as well (20,000 s, and 15 for the rest), so that it is logged as a number.
    const digits = '20015000';
    const [guessed, passed] = ['sk-planted-0123456789abcdef', 'hunter2hunter2'];
    using folder = new TestFolder();
    const model = 'type: openai, base_url: "http://127.0.0.1:1/v1", model: m';
    const agent = `agent: { type: command, command: ["${standInAgent}"], restart_drain_timeout: 20000s }`;
    const config = `${agent}\nagents: { a: { ${model}, api_key_env: QUOTED }, b: { ${model}, api_key_env: DIGITS } }`;
    const nodeArgs = throwing(
      folder,
      `new Error('planted ' + process.env.QUOTED + ' --password ' + process.env.PASSED, {
        cause: new Error(JSON.stringify({ quoted: process.env.QUOTED, api_key: process.env.GUESSED })),
      })`,
    );
    const env = { QUOTED: quoted, DIGITS: digits, GUESSED: guessed, PASSED: passed };
    await using gateway = await TestGateway.start({ folder, config, env, nodeArgs });
    using follower = await EventClient.open({ socketPath: join(folder.home, 'control.sock') }, '/v1/logs');
    folder.fifo('one');
    const conversation = `${quoted} ${guessed}`;
    void gateway.post('wait one', { id: digits, conversation }).catch(() => {});
    await gateway.inFlight('turns', 1);
    const reason = `because of ${quoted} and ${digits} and -u ada:${passed}`;
    const drain = { intent: 'drain', reason };
    expect((await gateway.request('POST', '/v1/lifecycle', drain)).status).toBe(202);
    gateway.signal('SIGUSR2');
    expect((await gateway.exited).code).toBe(70);

    const token = readFileSync(join(folder.home, 'token'), 'utf8').trim();
    const forms = [quoted, JSON.stringify(quoted).slice(1, -1), digits, token];
    const [name = ''] = reportsIn(folder.home);
    const text = readFileSync(join(folder.home, 'logs', name), 'utf8');
    for (const form of [...forms, 'nt\\', guessed, passed]) expect(text).not.toContain(form);
    expect(JSON.parse(text)).toMatchObject({
      message: 'planted [redacted] --password ***',
      stack: expect.stringContaining('caused by Error: {"quoted":"[redacted]","api_key":"***"}'),
      status: { inFlight: { turns: [{ conversation: 'local:[redacted] ***' }] } },
      lines: expect.arrayContaining([
        expect.objectContaining({ longestMs: '[redacted]' }),
        expect.objectContaining({ reason: 'because of [redacted] and [redacted] and -u ada:***' }),
      ]),
    });

    const log = readFileSync(join(folder.home, 'logs/current.log'), 'utf8');
    for (const form of [...forms, 'nt\\']) {
      expect(log).not.toContain(form);
      expect(gateway.stderr).not.toContain(form);
      expect(follower.text).not.toContain(form);
    }
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual(gateway.lines);
    expect(follower.events.map(({ data }) => data.msg)).toContain('a fault');
  });

  test('is written when the exit deadline has passed, and names what held it up', async () => {
    await using server = await StandInServer.start();
    using folder = new TestFolder();
    const config = 'shutdown: { kill_grace: 1s, exit_timeout: 1s }\naccess: { users: ["standin:ann"] }';
    await using gateway = await startWithStandIn(server, { folder, config });
    server.hold('send');
    await server.deliver({ id: 'a', from: 'ann', text: '/status' });
    await gateway.stop();
    expect(reportIn(folder.home)).toMatchObject({
      reason: 'exit-deadline',
      message: expect.stringContaining('the exit deadline has passed'),
      stack: null,
      status: { intent: 'stop', cause: 'SIGINT' },
    });
    expect(reportsIn(folder.home)).toHaveLength(1);
  });
});

describe('the folder of logs and reports', () => {
  const MEGABYTE = 2 ** 20;
  const bytesIn = (home: string): number =>
    readdirSync(join(home, 'logs')).reduce((sum, name) => sum + statSync(join(home, 'logs', name)).size, 0);

  test('holds a megabyte of each of two lives, however much they log', async () => {
    using folder = new TestFolder();
    const env = { SLUICE_LOG_LEVEL: 'debug' };
    await using gateway = await TestGateway.start({ folder, config: '', env });
    const reason = 'a word or two '.repeat(70);
    for (const life of [1, 2]) {
      const before = gateway.stderr.length;
      while (gateway.stderr.length - before < 4 * MEGABYTE) {
        const asked = Array.from({ length: 50 }, (_, i) =>
          gateway.request('POST', '/v1/lifecycle', {
            intent: i % 2 === 0 ? 'drain' : 'cancel-drain',
            reason,
          }),
        );
        await Promise.all(asked);
        expect(bytesIn(folder.home)).toBeLessThanOrEqual(life * MEGABYTE);
      }
      await gateway.request('POST', '/v1/lifecycle', { intent: 'cancel-drain' });
      if (life === 1) {
        gateway.signal('SIGUSR1');
        await gateway.ready(2);
      }
    }
    expect(bytesIn(folder.home)).toBeGreaterThan(MEGABYTE);
    expect((await gateway.cli('logs', '-n', '3', '--json')).json.lines).toHaveLength(3);
    expect((await gateway.cli('logs', '--last-life', '--json')).json.lines.at(-1).msg).toBe(
      'restarting in place',
    );
  });

  test('holds the newest five reports, however often a gateway dies', async () => {
    using folder = new TestFolder();
    const written: string[] = [];
    for (let life = 1; life <= 7; life += 1) {
      await using gateway = await TestGateway.start({
        folder,
        config: '',
        nodeArgs: throwing(folder, 'new Error("planted")'),
      });
      gateway.signal('SIGUSR2');
      expect((await gateway.exited).code).toBe(70);
      written.push(...reportsIn(folder.home).filter((name) => !written.includes(name)));
    }
    expect(written).toHaveLength(7);
    expect(reportsIn(folder.home).toSorted()).toEqual(written.slice(-5));
    expect(bytesIn(folder.home)).toBeLessThan(10 * MEGABYTE);
  });
});
