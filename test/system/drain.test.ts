/** Drains, restarts and stops of real gateways with work in flight. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { standInAgent, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { childrenOf, isRunning, storeRows } from '../support/home-files.ts';

const QUICK = `quick_commands:
  up: { type: exec, command: "echo up" }
  slow: { type: exec, command: "echo $$; cat slow", timeout: 60, cwd: . }`;

/** Starts a turn that runs until its FIFO is released. */
async function turnOn(gateway: TestGateway, name: string, more: Readonly<Record<string, unknown>> = {}) {
  gateway.folder.fifo(name);
  const before = (await gateway.status()).inFlight.turns.length;
  const reply = gateway.send(`wait ${name}`, { conversation: name, ...more });
  await gateway.inFlight('turns', before + 1);
  return { reply, end: () => gateway.folder.release(name) };
}

const ask = (gateway: TestGateway, intent: string, more: Readonly<Record<string, unknown>> = {}) =>
  gateway.request('POST', '/v1/lifecycle', { intent, ...more });

describe('a gateway that goes on after each drain', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await TestGateway.start({ config: QUICK, env: { SLUICE_RESTART_DRAIN_TIMEOUT: '100' } });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test('a plain drain rests in drained, runs commands, and takes turns again when cancelled', async () => {
    const { reply, end } = await turnOn(gateway, 'one');
    expect((await gateway.cli('drain')).stderr).toContain('Draining: no new turns, 1 turn to finish.');
    expect((await gateway.status()).state).toBe('draining.waiting');
    const waited = gateway.cli('drain', '--wait', '--json');
    await end();
    expect((await reply).json).toMatchObject({ outcome: 'answered' });
    expect(await waited).toMatchObject({ code: 0, json: { verdict: 'joined' } });
    expect((await gateway.status()).state).toBe('draining.drained');
    expect((await gateway.send('/up')).json).toMatchObject({ outcome: 'ran', replies: ['up'] });
    expect((await gateway.send('hello')).json.replies[0]).toMatch(
      /the gateway is draining.*when the drain is over/,
    );
    expect((await gateway.cli('drain', '--cancel')).code).toBe(0);
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered' });
    expect(await gateway.cli('drain', '--cancel')).toMatchObject({ code: 3 });
  });

  test('messages that were kept in a drain are answered in order when it is cancelled', async () => {
    await ask(gateway, 'drain');
    const posts = [];
    for (const text of ['first', 'second', 'third']) {
      posts.push(await gateway.send(text, { conversation: 'kept', whenBusy: 'queue', id: text }));
    }
    expect(posts.map(({ status, json }) => [status, json.admission])).toEqual(
      Array.from({ length: 3 }, () => [202, 'hold']),
    );
    expect((await gateway.status()).held).toBe(3);
    await ask(gateway, 'cancel-drain');
    for (const id of ['first', 'second', 'third']) {
      expect(await gateway.outcome(id)).toMatchObject({ duplicate: true, replies: [`echo: ${id}\n`] });
    }
    const turns = storeRows(
      gateway.folder.home,
      `SELECT inbox.text FROM turns JOIN turn_messages ON turn_id = turns.id JOIN inbox ON message_id = inbox.id
        WHERE turns.conversation = 'local:kept' ORDER BY turns.seq`,
    );
    expect(turns.map(({ text }) => text)).toEqual(['first', 'second', 'third']);
  });

  test('a drain with a time of its own ends by itself', async () => {
    const drains = gateway.lines.filter((line) => line.to === 'running.healthy').length;
    expect((await gateway.cli('drain', '--for', '1s', '--reason', 'the disk is swapped')).code).toBe(0);
    expect((await gateway.log((line) => line.reason === 'the disk is swapped')).intent).toBe('drain');
    expect((await gateway.status()).state).toBe('draining.drained');
    await gateway.until(
      () => gateway.lines.filter((line) => line.to === 'running.healthy').length > drains,
      'the drain to end',
    );
  });

  test('a second drain with a time is told that the first keeps its end', async () => {
    expect((await gateway.cli('drain', '--for', '1h')).code).toBe(0);
    expect(await gateway.cli('drain', '--for', '1s')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('The time given was not taken: what is under way keeps its own end.'),
    });
    expect((await gateway.cli('drain')).stderr).not.toContain('The time given');
    expect((await gateway.cli('drain', '--cancel')).code).toBe(0);
  });

  test('a restart that is asked for again after a cancel has a deadline of its own', async () => {
    gateway.folder.fifo('slow');
    const slow = gateway.send('/slow');
    await gateway.inFlight('commands', 1);
    await ask(gateway, 'restart');
    const first = (await gateway.status()).deadlineAt;
    await ask(gateway, 'cancel-drain');
    expect(await gateway.status()).toMatchObject({
      state: 'running.healthy',
      intent: null,
      deadlineAt: null,
    });
    await ask(gateway, 'restart');
    const status = await gateway.status();
    expect(status).toMatchObject({ state: 'draining.waiting', intent: 'restart', epoch: 1 });
    expect(status.deadlineAt).toBeGreaterThan(first);
    await gateway.folder.release('slow');
    expect((await slow).json).toMatchObject({ outcome: 'ran' });
    await gateway.ready(2);
    expect((await gateway.status()).epoch).toBe(2);
  });

  test('a restart that is cancelled is no restart, and the CLI that asked for it says so', async () => {
    const { reply, end } = await turnOn(gateway, 'one');
    const asked = gateway.cli('restart');
    await gateway.statusWhere(({ state }) => state === 'draining.waiting');
    expect((await gateway.send('/drain cancel')).json.replies[0]).toContain('takes turns again');
    expect(await asked).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /the restart was cancelled: the gateway goes on\nAsk for the restart again if it is still wanted\.\n$/,
      ),
    });
    await end();
    expect((await reply).json).toMatchObject({ outcome: 'answered' });
  });

  test('whoever waits for a drain hears what came instead of its rest: a cancel, or a restart', async () => {
    const one = await turnOn(gateway, 'one');
    const cancelled = gateway.cli('drain', '--wait', '--json');
    await gateway.statusWhere(({ state }) => state === 'draining.waiting');
    await ask(gateway, 'cancel-drain');
    expect(await cancelled).toMatchObject({
      code: 1,
      json: { verdict: 'taken', state: 'running.healthy', came: 'it was cancelled' },
    });

    const { epoch } = await gateway.status();
    const restarted = gateway.cli('drain', '--wait');
    await gateway.statusWhere(({ state }) => state === 'draining.waiting');
    await ask(gateway, 'restart');
    await one.end();
    await gateway.ready(epoch + 1);
    const { code, stderr } = await restarted;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /The drain did not come to rest: (the gateway restarted \(epoch \d+\)|a restart came \(restarting\.\w+\))\.\n$/,
    );
  });

  test('three who ask for a restart at once get one restart, and each an answer', async () => {
    const { epoch } = await gateway.status();
    const { reply, end } = await turnOn(gateway, 'one');
    const cli = gateway.cli('restart', '--json');
    await gateway.statusWhere(({ state }) => state === 'draining.waiting');
    gateway.signal('SIGUSR1');
    const { deadlineAt } = await gateway.status();
    for (const conversation of ['ann', 'bob']) {
      const beforeMs = Date.now();
      const [said] = (await gateway.send('/restart', { conversation })).json.replies;
      expect(said).toMatch(/^Already restarting: 1 turn to finish, in \d+ s at most\.$/);
      const saidMs = Number(said.match(/(\d+) s/)[1]) * 1000;
      expect(saidMs).toBeLessThan(deadlineAt - beforeMs + 1000);
      expect(saidMs).toBeGreaterThan(deadlineAt - Date.now() - 1000);
    }
    // Nobody's turn was torn down.
    expect((await gateway.status()).inFlight.turns).toHaveLength(1);
    expect((await gateway.send('hello', { conversation: 'new' })).json.replies[0]).toMatch(
      /^Not taken: the gateway is restarting\. Send it again in about \d+ s/,
    );
    await end();
    expect((await reply).json).toMatchObject({ replies: ['started one\nfinished one\n'] });
    expect(await cli).toMatchObject({
      code: 0,
      json: { verdict: 'taken', epoch: epoch + 1, pid: gateway.pid },
    });
    expect((await gateway.status()).epoch).toBe(epoch + 1);
  });

  test('the same /restart delivered again after the boot restarts nothing and says what happened; a new one restarts', async () => {
    const { epoch } = await gateway.status();
    const first = await gateway.send('/restart', { id: 'redelivered' });
    expect(first.json.replies).toEqual(['Restarting now.']);
    await gateway.ready(epoch + 1);
    const again = await gateway.send('/restart', { id: 'redelivered' });
    expect(again.json).toMatchObject({ duplicate: true, outcome: 'done' });
    expect(again.json.replies.at(-1)).toMatch(/^Restarted \d+ s ago/);
    expect((await gateway.status()).epoch).toBe(epoch + 1);
    expect((await gateway.send('/restart')).json).toMatchObject({ outcome: 'done' });
    await gateway.ready(epoch + 2);
  });

  test('a turn that was accepted and had not started is held at the drain and answered after the restart', async () => {
    const { epoch } = await gateway.status();
    const running = await turnOn(gateway, 'one');
    const cli = gateway.cli('send', 'behind', '--conversation', 'one', '--id', 'behind');
    await journalled(
      gateway,
      (row) => row.event.includes('message.turn') && row.context.includes('"turns":2'),
    );
    const http = gateway.send('further', { conversation: 'one', id: 'further' });
    await journalled(
      gateway,
      (row) => row.event.includes('message.turn') && row.context.includes('"turns":3'),
    );
    await ask(gateway, 'restart');
    expect(await http).toMatchObject({ status: 202, json: { admission: 'hold' } });
    await running.end();
    expect((await running.reply).json).toMatchObject({ outcome: 'answered' });
    await gateway.ready(epoch + 1);
    expect(await gateway.outcome('further')).toMatchObject({
      duplicate: true,
      outcome: 'answered',
      replies: ['echo: further\n'],
    });
    expect(await cli).toEqual({
      code: 0,
      stdout: 'echo: behind\n',
      stderr: 'Kept: the gateway is restarting. It is answered as soon as it is back.\n',
      json: undefined,
    });
  });

  test('a drain that a signal caused cannot be cancelled, and says so', async () => {
    const { epoch } = await gateway.status();
    const { reply, end } = await turnOn(gateway, 'one');
    gateway.signal('SIGUSR1');
    await gateway.statusWhere(({ state }) => state === 'draining.waiting');
    const cancelled = await ask(gateway, 'cancel-drain');
    expect(cancelled).toMatchObject({ status: 409, json: { verdict: 'too-late' } });
    expect(cancelled.json.text).toContain('SIGUSR1');
    await end();
    await reply;
    await gateway.ready(epoch + 1);
  });

  test('nor can a restart that a person asked for, once a signal has asked too', async () => {
    const { epoch } = await gateway.status();
    const { reply, end } = await turnOn(gateway, 'one');
    await ask(gateway, 'restart');
    gateway.signal('SIGUSR1');
    await journalled(
      gateway,
      ({ event, context }) => event.includes('SIGUSR1') && context.includes('"cause":"restart"'),
    );
    const cancelled = await ask(gateway, 'cancel-drain');
    expect(cancelled).toMatchObject({ status: 409, json: { verdict: 'too-late' } });
    expect(cancelled.json.text).toBe(
      'Too late to cancel: the gateway is restarting (restart), and SIGUSR1 asked it to leave as well, which nobody can take back.',
    );
    expect(await gateway.status()).toMatchObject({ state: 'draining.waiting', cause: 'restart' });
    await end();
    await reply;
    await gateway.ready(epoch + 1);
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'a stop that %s came after is not called back: the gateway leaves, as its supervisor waits for',
  async (signal) => {
    await using gateway = await TestGateway.start();
    const { reply, end } = await turnOn(gateway, 'one');
    expect(await ask(gateway, 'stop')).toMatchObject({ status: 202, json: { verdict: 'taken' } });
    gateway.signal(signal);
    await journalled(gateway, (row) => row.event.includes(signal));
    const { code, stderr } = await gateway.cli('drain', '--cancel');
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `sluice: Too late to cancel: the gateway is stopping (stop), and ${signal} asked it to leave as well, which nobody can take back.\n`,
    });
    await end();
    await reply;
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  },
);

/** What is said of a turn that may have changed something, and that the end of the gateway cuts off. */
const ASKED =
  /^Interrupted: the gateway is stopping and its time to wait is over\. Send \/resume when it is back/;

const HURRIED =
  /^Interrupted: the gateway is stopping, and was asked to go at once\. Send \/resume when it is back/;

describe('the end of a drain’s patience', () => {
  const short = (drainTimeoutS: number) => `agent:
  type: command
  command: ["${standInAgent}"]
  restart_drain_timeout: ${drainTimeoutS}
shutdown: { kill_grace: 0.3 }
${QUICK}`;

  test('a turn past the deadline is told to stop: what it wrote is kept, and its processes are dead', async () => {
    await using gateway = await TestGateway.start({ config: short(0.3) });
    const { reply } = await turnOn(gateway, 'one');
    const deaf = gateway.send('deaf one', { conversation: 'deaf' });
    // Both have said what is to be kept, and the deaf one is deaf.
    await gateway.turnsBegun(2);
    const agents = await agentProcesses(gateway, 2);
    gateway.signal('SIGINT');
    const left = { status: 202, json: { admission: 'hold', text: expect.stringMatching(ASKED) } };
    expect(await reply).toMatchObject(left);
    expect(await deaf).toMatchObject(left);
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
    expect(agents.filter(isRunning)).toEqual([]);
    expect(storeRows(gateway.folder.home, 'SELECT outcome, reason, streamed FROM turns')).toEqual(
      Array(2).fill({
        ...{ outcome: 'interrupted', reason: 'stop asked by signal (SIGINT)', streamed: 'started one\n' },
      }),
    );
    expect(
      storeRows(gateway.folder.home, 'SELECT text FROM outbox ORDER BY seq').map(({ text }) => text),
    ).toEqual([
      ...['started one\n', expect.stringMatching(ASKED), 'started one\n', expect.stringMatching(ASKED)],
    ]);
  });

  test('with `turns.resume: never` the same turn settles as interrupted, with what it wrote', async () => {
    await using gateway = await TestGateway.start({ config: `${short(0.3)}\nturns: { resume: never }` });
    const { reply } = await turnOn(gateway, 'one');
    await gateway.turnsBegun(1);
    gateway.signal('SIGINT');
    expect((await reply).json).toMatchObject({
      outcome: 'interrupted',
      outcomeReason: 'stop asked by signal (SIGINT)',
      replies: [
        'started one\n',
        expect.stringMatching(/^Interrupted: the gateway is stopping.*Send it again/),
      ],
    });
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  test('a command that holds the drain past the deadline is ended with its tree, and its reply says so', async () => {
    await using gateway = await TestGateway.start({ config: short(3) });
    const { reply, end } = await turnOn(gateway, 'one');
    gateway.folder.fifo('slow');
    const slow = gateway.send('/slow');
    await gateway.inFlight('commands', 1);
    await ask(gateway, 'stop');
    // The turn ends before the deadline, so that the command alone is what it meets.
    await end();
    expect((await reply).json).toMatchObject({ outcome: 'answered' });
    const { json } = await slow;
    expect(json).toMatchObject({ outcome: 'interrupted' });
    expect(json.replies[0]).toMatch(/\/slow was ended after .*: the gateway is stopping/);
    expect(isRunning(Number.parseInt(json.replies[0].match(/^\d+$/m)[0], 10))).toBe(false);
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  test('a drain timeout of 0 waits for nothing', async () => {
    const config = `agent: { type: command, command: ["${standInAgent}"], restart_drain_timeout: 0 }`;
    await using gateway = await TestGateway.start({ config });
    const { reply } = await turnOn(gateway, 'one');
    gateway.signal('SIGTERM');
    expect(await reply).toMatchObject({ status: 202, json: { text: expect.stringMatching(ASKED) } });
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });

  test('sluice stop --now ends the waiting, and so does --now after a plain stop', async () => {
    await using gateway = await TestGateway.start();
    const { reply } = await turnOn(gateway, 'one');
    const patient = gateway.cli('stop');
    await gateway.entered('draining.waiting');
    const hurried = await gateway.cli('stop', '--now');
    expect(hurried).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Stopping now: 1 turn interrupted.'),
    });
    expect((await patient).code).toBe(0);
    expect(await reply).toMatchObject({ status: 202, json: { text: expect.stringMatching(HURRIED) } });
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  });
});

test('what was kept while draining is answered by the next life, in order, also after kill -9', async () => {
  using folder = new TestFolder();
  folder.writeConfig(testConfig('display: { busy_input_mode: queue }'));
  await using first = await TestGateway.start({ folder });
  folder.fifo('one');
  await first.post('wait one');
  await ask(first, 'stop');
  for (const id of ['a', 'b', 'c']) {
    expect(await first.send(`say ${id}`, { conversation: 'kept', id })).toMatchObject({
      status: 202,
      json: { admission: 'hold', recorded: true, text: expect.stringContaining('Kept for the next start') },
    });
  }
  await first.kill9();
  await using second = await TestGateway.start({ folder });
  for (const id of ['a', 'b', 'c']) {
    expect(await second.outcome(id)).toMatchObject({ duplicate: true, replies: [`echo: say ${id}\n`] });
  }
  const settled = storeRows(
    folder.home,
    `SELECT platform_message_id AS id FROM inbox WHERE outcome = 'answered' ORDER BY settled_at, seq`,
  );
  expect(settled.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
});

/** Waits until a lifecycle event like this one is on disk; each round waits for an answer of the gateway. */
async function journalled(
  gateway: TestGateway,
  matches: (row: { event: string; context: string }) => boolean,
) {
  await gateway.statusWhere(() =>
    storeRows(
      gateway.folder.home,
      'SELECT event, context FROM journal ORDER BY epoch DESC, number DESC LIMIT 20',
    ).some(matches),
  );
}

/** The processes that running turns have started, once there are as many. */
async function agentProcesses(gateway: TestGateway, count: number): Promise<number[]> {
  const pids = () => childrenOf(gateway.pid);
  await gateway.statusWhere(() => pids().length >= count);
  return pids();
}
