/**
 * `sluice exec` that waits for the gateway, interrupted: the first signal has the gateway end the command, the second
 * leaves at once and says that it goes on. Without a gateway the command's tree ends with its caller: offline.test.ts.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { type StartOptions, TestFolder, TestGateway } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { RunningCli } from '../support/running-cli.ts';
import { StoreLock } from '../support/store-lock.ts';

const config = `quick_commands:
  slow: { type: exec, command: "echo begun; : > begun; cat hold", timeout: 120 }
  deaf: { type: exec, command: "trap '' TERM; echo begun; : > begun; cat hold", timeout: 120, grace: 60 }
  count: { type: exec, command: "echo ran >> count; echo counted" }`;

const ASKING = (name: string) =>
  `asking the gateway to end /${name}; once more leaves at once, and it goes on there\n`;

async function start(more: StartOptions = {}): Promise<TestGateway> {
  const folder = more.folder ?? new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('hold');
  const gateway = await TestGateway.start({ config, ...more, folder });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

function exec({ folder }: TestGateway, ...args: string[]): RunningCli {
  const cli = new RunningCli(['exec', ...args, '--home', folder.home], folder.path);
  onTestFinished(() => cli[Symbol.asyncDispose]());
  return cli;
}

/** The work of the one command, once that has said that it has begun. */
const commandIn = async (gateway: TestGateway): Promise<string> => {
  await polled(() => existsSync(join(gateway.folder.path, 'begun')), 'the word of the command');
  return (await gateway.status()).inFlight.commands[0].id;
};

const outcomeOf = ({ folder }: TestGateway, id: string) =>
  storeRows(folder.home, `SELECT outcome, reason FROM inbox WHERE platform_message_id = '${id}'`);

describe('the first signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s has the gateway end the command and waits for its end: exit code %d',
    async (signal, code) => {
      const gateway = await start();
      const cli = exec(gateway, 'slow', '--id', 'mine');
      const work = await commandIn(gateway);
      cli.signal(signal);
      const ended = await cli.result();
      expect(ended).toEqual({
        code,
        stdout: expect.stringMatching(
          /^begun\n\/slow was ended after \d+\.\d s: local:owner cancelled it\.\n$/,
        ),
        stderr: `${ASKING('slow')}Ending mine.\n`,
      });
      expect(survivors(work)).toEqual([]);
      expect(outcomeOf(gateway, 'mine')).toEqual([{ outcome: 'interrupted', reason: 'cancelled' }]);
    },
  );

  test('is one document with --json', async () => {
    const gateway = await start();
    const cli = exec(gateway, 'slow', '--id', 'mine', '--json');
    await commandIn(gateway);
    cli.signal('SIGINT');
    const { code, stdout } = await cli.result();
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ admission: 'dispatch', outcome: 'interrupted', outcomeReason: 'cancelled', recorded: true },
    });
  });

  test('ends one that waits for its place before it begins', async () => {
    const gateway = await start();
    const first = gateway.send('/slow');
    await gateway.inFlight('commands', 1);
    const cli = exec(gateway, 'slow', '--id', 'waits');
    await cli.says('/slow waits for a free place');
    cli.signal('SIGINT');
    const { code, stdout } = await cli.result();
    expect({ code, stdout }).toEqual({
      ...{ code: 130, stdout: '/slow was not run: local:owner cancelled it.\n' },
    });
    await gateway.folder.release('hold');
    expect((await first).json).toMatchObject({ outcome: 'ran' });
  });

  test('before any gateway has decided leaves nothing that runs, here or there', async () => {
    const gateway = await start();
    gateway.signal('SIGSTOP');
    const cli = exec(gateway, 'count', '--id', 'early');
    await cli.listens();
    cli.signal('SIGINT');
    const { code, stdout, stderr } = await cli.result();
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toBe(
      `${ASKING('count')}sluice: /count was not run: no gateway decided about it, and it was interrupted\nSend it again, under another id, if it is still wanted.\n`,
    );
    gateway.signal('SIGCONT');
    await gateway.log(({ msg }) => msg.startsWith('a message came again'), 'the late message');
    expect(() => readFileSync(join(gateway.folder.path, 'count'))).toThrow(/ENOENT/);
    expect(await gateway.outcome('early')).toMatchObject({
      ...{ duplicate: true, outcome: 'interrupted', outcomeReason: 'not-run' },
      replies: ['/count was not run: Ctrl-C.'],
    });
  });

  test('while the gateway writes it down, and takes longer than its caller waits, says that it runs', async () => {
    const entry = fileURLToPath(new URL('../support/programs/gateway-with-slow-commits.ts', import.meta.url));
    const folder = new TestFolder();
    const written = join(folder.path, 'written');
    const gateway = await start({ folder, entry, env: { WRITTEN: written } });
    const cli = exec(gateway, 'slow', '--id', 'mine');
    await cli.listens();
    cli.signal('SIGINT');
    const { code, stdout, stderr } = await cli.result();
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    const stands = `It is running still, by the gateway (pid ${gateway.pid}).`;
    expect(stderr).toContain(`${ASKING('slow')}sluice: left before the end. ${stands}\nTo end it: `);
    expect(stderr).toContain(`sluice exec --cancel mine --home ${gateway.folder.home}\n`);
    writeFileSync(written, '');
    await commandIn(gateway);
    await gateway.folder.release('hold');
    expect(await gateway.outcome('mine')).toMatchObject({ duplicate: true, outcome: 'ran' });
  });

  test('where a silent gateway may have begun it, and the store cannot be asked, says that it may run', async () => {
    const gateway = await start();
    using _ = new StoreLock(gateway.folder.home);
    gateway.signal('SIGSTOP');
    const cli = exec(gateway, 'count', '--id', 'early');
    await cli.listens();
    cli.signal('SIGINT');
    const { code, stdout, stderr } = await cli.result();
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain(
      'sluice: left before the gateway had decided about /count: it may run it\nTo end it: ',
    );
    gateway.signal('SIGCONT');
  });

  test('of one who asks again under a known id leaves, and ends nothing', async () => {
    const gateway = await start();
    const first = exec(gateway, 'slow', '--id', 'mine');
    await commandIn(gateway);
    const again = exec(gateway, 'count', '--id', 'mine');
    await gateway.log(({ msg }) => msg.startsWith('a message came again'), 'the second one who asks');
    again.signal('SIGINT');
    const { code, stdout, stderr } = await again.result();
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('sluice: left: what was sent as mine before goes on\nTo end it: ');
    expect(stderr).toContain(`sluice exec --cancel mine --home ${gateway.folder.home}\n`);
    await gateway.folder.release('hold');
    expect(await first.result()).toEqual({ code: 0, stdout: 'begun\n', stderr: '' });
  });
});

test('an id that is another command’s is said to be, and not taken for this one', async () => {
  const gateway = await start();
  const told = 'mine is the id of another command, which came before: /count';
  expect(await gateway.cli('exec', 'count', '--id', 'mine')).toMatchObject({ code: 0, stderr: '' });
  expect(await gateway.cli('exec', '/count', '--id', 'mine')).toMatchObject({ code: 0, stderr: '' });
  const other = await gateway.cli('exec', 'slow', '--id', 'mine');
  expect(other).toMatchObject({ code: 0, stdout: 'counted\n', stderr: `${told}\n` });
  await gateway.kill9();
  const alone = (name: string) => exec(gateway, name, '--id', 'mine').result();
  const before = 'no gateway is running: what became of mine before\n';
  expect(await alone('count')).toEqual({ code: 0, stdout: 'counted\n', stderr: before });
  expect(await alone('slow')).toEqual({ code: 0, stdout: 'counted\n', stderr: `${told}\n${before}` });
});

describe('a signal between two lives of the gateway', () => {
  test('ends what had begun or waits once the next one answers', async () => {
    const gateway = await start();
    const first = exec(gateway, 'slow', '--id', 'first');
    await commandIn(gateway);
    const second = exec(gateway, 'slow', '--id', 'second');
    await second.says('/slow waits for a free place');
    await gateway.kill9();
    second.signal('SIGINT');
    await second.says('it could not be asked: ');
    const next = await start({ folder: gateway.folder });
    const { code, stdout, stderr } = await second.result();
    expect(code).toBe(130);
    expect(stdout).toMatch(/local:owner cancelled it\.\n$/);
    expect(stderr).toMatch(
      /\nit could not be asked: .*; asking until one answers\n[\s\S]*Ending second\.\n$/,
    );
    expect(outcomeOf(next, 'second')).toMatchObject([{ outcome: 'interrupted' }]);
    expect(await first.result()).toMatchObject({ code: 1 });
  });
});

describe('the second signal', () => {
  test('leaves at once, and says that the gateway is ending what goes on there', async () => {
    const gateway = await start();
    const cli = exec(gateway, 'deaf', '--id', 'mine');
    const work = await commandIn(gateway);
    cli.signal('SIGINT');
    await cli.says('Ending mine.');
    cli.signal('SIGTERM');
    const { code, stdout, stderr } = await cli.result();
    expect({ code, stdout }).toEqual({ code: 143, stdout: '' });
    expect(stderr).toMatch(
      /\nsluice: left: \/deaf goes on in the gateway, which is ending it\nHow it ended: /,
    );
    expect(stderr).toContain(`sluice messages show mine --home ${gateway.folder.home}\n`);
    expect(survivors(work)).not.toEqual([]);
    await gateway.folder.release('hold');
    expect(await gateway.outcome('mine')).toMatchObject({ outcome: 'interrupted' });
  });

  test('at a gateway that does not answer says how to end it later, as one document with --json', async () => {
    const gateway = await start();
    const cli = exec(gateway, 'slow', '--id', 'mine', '--json');
    await commandIn(gateway);
    // Its decision has reached the caller once a second asker of the same id has it.
    await gateway.post('/slow', { id: 'mine' });
    gateway.signal('SIGSTOP');
    cli.signal('SIGINT');
    await cli.says('asking the gateway');
    cli.signal('SIGHUP');
    const { code, stdout, stderr } = await cli.result();
    expect(code).toBe(129);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'INTERRUPTED',
        message: 'left: /slow goes on in the gateway',
        hint: expect.stringMatching(/^To end it: (npx )?sluice exec --cancel mine --home /),
      },
    });
    expect(stderr).toContain('sluice: left: /slow goes on in the gateway\n');
    gateway.signal('SIGCONT');
    // What was asked for first lies in the socket, and counts when the gateway goes on.
    expect(await gateway.outcome('mine')).toMatchObject({ outcome: 'interrupted' });
  });
});
