/**
 * `sluice exec` that waits for the gateway, interrupted: the first signal has the gateway end the command, the second
 * leaves at once and says that it goes on. Without a gateway the command's tree ends with its caller: offline.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { RunningCli } from '../support/running-cli.ts';

const config = `quick_commands:
  slow: { type: exec, command: "echo begun; cat hold", timeout: 120 }
  deaf: { type: exec, command: "trap '' TERM; echo begun; cat hold", timeout: 120, grace: 60 }
  count: { type: exec, command: "echo ran >> count; echo counted" }`;

const ASKING = (name: string) =>
  `asking the gateway to end /${name}; once more leaves at once, and it goes on there\n`;

async function start(): Promise<TestGateway> {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('hold');
  const gateway = await TestGateway.start({ config, folder });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

function exec({ folder }: TestGateway, ...args: string[]): RunningCli {
  const cli = new RunningCli(['exec', ...args, '--home', folder.home], folder.path);
  onTestFinished(() => cli[Symbol.asyncDispose]());
  return cli;
}

const commandIn = async (gateway: TestGateway): Promise<string> => {
  await gateway.inFlight('commands', 1);
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
      `${ASKING('count')}sluice: /count was not run: no gateway decided about it, and it was interrupted\nSend it again if it is still wanted.\n`,
    );
    gateway.signal('SIGCONT');
    await gateway.log(({ msg }) => msg.startsWith('a message came past its deadline'), 'the late message');
    expect(() => readFileSync(join(gateway.folder.path, 'count'))).toThrow(/ENOENT/);
    expect(outcomeOf(gateway, 'early')).toEqual([]);
  });

  test('cannot end what another process runs, and the code is that of what came of it', async () => {
    const gateway = await start();
    const { folder } = gateway;
    await gateway.stop();
    const other = exec(gateway, 'slow', '--id', 'theirs', '--config', folder.configPath);
    await other.says('run by this process');
    await polled(() => outcomeOf(gateway, 'theirs').length === 1, 'the claim of the other process');
    const next = await TestGateway.start({ folder });
    onTestFinished(() => next[Symbol.asyncDispose]());
    const cli = exec(next, 'slow', '--id', 'theirs');
    await cli.listens();
    cli.signal('SIGINT');
    await cli.says('Nothing in flight is called theirs. /ps lists what is.');
    await folder.release('hold');
    expect(await cli.result()).toMatchObject({ code: 0, stdout: 'begun\n' });
    expect(await other.result()).toMatchObject({ code: 0, stdout: 'begun\n' });
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
