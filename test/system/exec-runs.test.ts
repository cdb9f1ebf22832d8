/** Runs of quick commands: each is a row, each happens once, no more at the same time than there may be. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { runCli, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const RUNS =
  'SELECT name, actor, args_hash, exit_code, signal, outcome, duration_ms, output FROM commands ORDER BY received_at';

const hashOf = (values: Record<string, string>) =>
  createHash('sha256').update(JSON.stringify(values)).digest('hex');

test('each run is a row: who, which, with what, how it ended and how long it took; through a gateway and without', async () => {
  const config = `quick_commands:
  code: { type: exec, command: 'echo "said $WORD"; exit 4', allow: [user], args: { WORD: { default: none } } }
  dies: { type: exec, command: "kill -KILL $$" }
access: { users: ["standin:uma"] }`;
  await using server = await StandInServer.start();
  using folder = new TestFolder();
  await using gateway = await startWithStandIn(server, { folder, config });
  await server.deliver({ id: '1', from: 'uma', text: '/code secret-word' });
  await server.reached(({ text }) => text.includes('exit code 4'));
  // Refused, so that it is no run.
  await server.deliver({ id: '2', from: 'uma', text: '/dies' });
  await gateway.send('/code a b');
  await gateway.send('/dies');
  await gateway.stop();
  // The platform of the test is not known to the program itself.
  folder.writeConfig(testConfig(config));
  await runCli(['exec', 'code', '--home', folder.home, '--config', folder.configPath], folder.path);
  const rows = storeRows(folder.home, RUNS);
  for (const row of rows) expect(row.duration_ms).toBeGreaterThanOrEqual(0);
  expect(rows.map(({ duration_ms: _, ...row }) => row)).toEqual([
    {
      ...{ name: 'code', actor: 'standin:uma', args_hash: hashOf({ WORD: 'secret-word' }) },
      ...{ exit_code: 4, signal: null, outcome: 'failed', output: 'said secret-word' },
    },
    {
      ...{ name: 'dies', actor: 'local:owner', args_hash: hashOf({}) },
      ...{ exit_code: null, signal: 'SIGKILL', outcome: 'failed', output: '' },
    },
    {
      ...{ name: 'code', actor: 'local:owner', args_hash: hashOf({ WORD: 'none' }) },
      ...{ exit_code: 4, signal: null, outcome: 'failed', output: 'said none' },
    },
  ]);
});

const COUNTING = `quick_commands:
  count: { type: exec, command: "echo ran >> count; echo counted" }
  slow: { type: exec, command: "echo ran >> count; cat hold", timeout: 60 }`;

const counted = ({ path }: TestFolder): number =>
  readFileSync(join(path, 'count'), 'utf8').split('\n').length - 1;

describe('one id runs a command once', () => {
  test('while it runs, when it is over, and in the next life', async () => {
    await using gateway = await TestGateway.start({ config: COUNTING });
    gateway.folder.fifo('hold');
    const first = gateway.send('/slow', { id: 'one' });
    await gateway.inFlight('commands', 1);
    const again = gateway.send('/slow', { id: 'one' });
    // Another text under the same id is the same message.
    const other = gateway.send('/count', { id: 'one' });
    await gateway.log(({ msg }) => String(msg).startsWith('a message came again'), 'the second');
    await gateway.folder.release('hold');
    expect((await first).json).toMatchObject({ outcome: 'ran', duplicate: false });
    for (const { json } of await Promise.all([again, other])) {
      expect(json).toMatchObject({
        duplicate: true,
        outcome: 'ran',
        messageId: (await first).json.messageId,
      });
    }
    await gateway.cli('restart');
    expect(await gateway.outcome('one')).toMatchObject({ duplicate: true, outcome: 'ran' });
    expect(counted(gateway.folder)).toBe(1);
  });

  test('and across kill -9: what was running is ended, reported, and not repeated', async () => {
    using folder = new TestFolder();
    folder.fifo('hold');
    await using gateway = await TestGateway.start({ folder, config: COUNTING });
    void gateway.post('/slow', { id: 'cut' }).catch(() => {});
    await gateway.inFlight('commands', 1);
    const [{ id }] = (await gateway.status()).inFlight.commands;
    await gateway.send('/count', { id: 'over' });
    await gateway.kill9();
    await using next = await TestGateway.start({ folder });
    expect(survivors(id)).toEqual([]);
    for (let times = 0; times < 2; times += 1) {
      expect(await next.outcome('cut')).toMatchObject({
        duplicate: true,
        outcome: 'interrupted',
        outcomeReason: 'gateway-died',
        replies: [
          'The gateway went down while /slow ran. It is not run again by itself: check what it did, then send it again if needed.',
        ],
      });
      expect(await next.outcome('over')).toMatchObject({ duplicate: true, outcome: 'ran' });
    }
    expect(counted(folder)).toBe(2);
  });
});

describe('commands at the same time', () => {
  test('are four for each core in all; the next waits, is told so, is shown as waiting, and can be cancelled', async () => {
    const places = 4 * availableParallelism();
    const config = `quick_commands:
  hold: { type: exec, command: 'cat "$NAME"', concurrency: 64, timeout: 120, args: { NAME: { required: true } } }
  other: { type: exec, command: "echo other" }`;
    await using gateway = await TestGateway.start({ config });
    const { folder } = gateway;
    const running = Array.from({ length: places }, (_, n) => {
      folder.fifo(`hold-${n}`);
      return gateway.send(`/hold hold-${n}`);
    });
    await gateway.inFlight('commands', places);
    const waits = gateway.cli('exec', 'other', '--id', 'waits');
    const cancelled = gateway.cli('exec', 'other', '--id', 'cancelled');
    const { inFlight } = await gateway.statusWhere(
      (status) => status.inFlight.commands.length === places + 2,
    );
    const waiting = inFlight.commands.filter((command: { waiting: boolean }) => command.waiting);
    expect(waiting).toMatchObject([{ name: 'other' }, { name: 'other' }]);
    const lines = (await gateway.send('/ps')).json.replies[0].split('\n');
    expect(lines.filter((line: string) => / waits for a free place, \d+ s$/.test(line))).toHaveLength(2);
    expect((await gateway.post('/other')).json).toMatchObject({
      admission: 'dispatch',
      text: '/other waits for a free place, 5 min at most. /ps lists what runs.',
    });
    expect(await gateway.cli('exec', '--cancel', 'cancelled')).toMatchObject({
      code: 0,
      stdout: 'Ending cancelled.\n',
    });
    expect(await cancelled).toMatchObject({
      code: 1,
      stdout: '/other was not run: local:owner cancelled it.\n',
      stderr: '/other waits for a free place, 5 min at most. /ps lists what runs.\n',
    });
    await folder.release('hold-0');
    expect(await waits).toMatchObject({ code: 0, stdout: 'other\n' });
    for (let n = 1; n < places; n += 1) await folder.release(`hold-${n}`);
    for (const { json } of await Promise.all(running)) expect(json).toMatchObject({ outcome: 'ran' });
  });
});

describe('a restart that is asked for from inside', () => {
  test('of an agent’s turn is answered at once, and comes when the turn has been answered', async () => {
    using folder = new TestFolder();
    folder.fifo('hold');
    const script = `"$NODE" "$MAIN" restart --home "$SLUICE_HOME" 2>&1; touch asked; cat hold; echo answered`;
    await using gateway = await TestGateway.start({
      folder,
      configText: testConfig(`agent: { type: command, command: ${JSON.stringify(script)} }`),
      env: { NODE: process.execPath, MAIN: ENTRY },
    });
    const turn = gateway.send('restart yourself, please', { id: 'asking' });
    await polled(() => existsSync(join(folder.path, 'asked')), 'the answer to the restart');
    expect(await gateway.status()).toMatchObject({
      ...{ state: 'running.healthy', intent: null },
      inFlight: { turns: [{ agent: 'default' }] },
    });
    await folder.release('hold');
    const { json } = await turn;
    expect(json).toMatchObject({
      outcome: 'answered',
      replies: ['asked; it happens when this work has settled\nanswered\n'],
    });
    await gateway.ready(2);
    expect(await gateway.status()).toMatchObject({ epoch: 2, pid: gateway.pid, state: 'running.healthy' });
    expect(await gateway.outcome('asking')).toMatchObject({ duplicate: true, outcome: 'answered' });
  });

  test('of a command, and one that waits behind it: 202 at once, and the second still runs', async () => {
    const config = `quick_commands:
  again:
    type: exec
    command: '"$NODE" "$MAIN" restart --home "$SLUICE_HOME" --json; cat hold'
    env: [NODE, MAIN]
    timeout: 60
  after: { type: exec, command: "echo after" }`;
    await using gateway = await TestGateway.start({ config, env: { NODE: process.execPath, MAIN: ENTRY } });
    gateway.folder.fifo('hold');
    const asking = gateway.send('/again');
    await gateway.inFlight('commands', 1);
    expect((await gateway.send('/after')).json).toMatchObject({ outcome: 'ran' });
    await gateway.folder.release('hold');
    const { json } = await asking;
    expect(JSON.parse(json.replies[0])).toEqual({
      verdict: 'deferred',
      text: 'Asked; it happens when this work has settled.',
    });
    await gateway.ready(2);
    expect(await gateway.status()).toMatchObject({ epoch: 2, state: 'running.healthy' });
  });
});
