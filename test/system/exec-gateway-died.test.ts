/**
 * `sluice exec` waits for a gateway that is killed, and none follows it: the caller does not wait for minutes, and says
 * what is known of its command. How long exactly: test/cli/message.test.ts; what is known: test/cli/exec-endings.test.ts.
 */
import { expect, onTestFinished, test } from 'vitest';
import { OWNERLESS_MS_MAX } from '../../src/cli/ownerless.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { RunningCli } from '../support/running-cli.ts';

const config = `quick_commands:
  slow: { type: exec, command: "cat hold", timeout: 120 }`;

async function start(folder = new TestFolder()): Promise<TestGateway> {
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('hold');
  const gateway = await TestGateway.start({ config, folder });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

/** A caller that waits for its command, which runs in the gateway. */
function waiting({ folder }: TestGateway): RunningCli {
  const cli = new RunningCli(['exec', 'slow', '--id', 'mine', '--home', folder.home], folder.path);
  onTestFinished(() => cli[Symbol.asyncDispose]());
  return cli;
}

/** The next start ends what the killed gateway's command left. */
async function cleanUp(folder: TestFolder): Promise<TestGateway> {
  const next = await start(folder);
  expect(await next.outcome('mine')).toMatchObject({ outcome: 'interrupted' });
  return next;
}

test('it gives up once the home had no owner for a while, and says that the end is not known', async () => {
  const gateway = await start();
  const cli = waiting(gateway);
  await gateway.inFlight('commands', 1);
  // Whoever asks again under the id is answered after the first one was.
  await gateway.post('/slow', { id: 'mine' });
  await gateway.kill9();
  const diedMs = performance.now();
  const { code, stdout, stderr } = await cli.result();
  expect(performance.now() - diedMs).toBeGreaterThan(OWNERLESS_MS_MAX);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  const known = `Its end is not known: the gateway that had it (pid ${gateway.pid}) died, and by then it had begun.`;
  expect(stderr).toContain(`sluice: the gateway died, and none follows it for 10 s. ${known}\n`);
  const at = `--home ${gateway.folder.home}`;
  expect(stderr).toContain(`sluice run ${at}\` ends what is left of it. How it ended, then: `);
  expect(stderr).toContain(`sluice messages show mine ${at}\n`);
  await cleanUp(gateway.folder);
});

test('a gateway that follows in time tells how it ended', async () => {
  const gateway = await start();
  const cli = waiting(gateway);
  await gateway.inFlight('commands', 1);
  await gateway.post('/slow', { id: 'mine' });
  await gateway.kill9();
  await cleanUp(gateway.folder);
  const { code, stdout } = await cli.result();
  expect({ code, stdout }).toEqual({
    code: 1,
    stdout:
      'The gateway went down while /slow ran. It is not run again by itself: check what it did, then send it again if needed.\n',
  });
});
