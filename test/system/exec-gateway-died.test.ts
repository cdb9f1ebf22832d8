/**
 * `sluice exec` waits for a gateway that is killed, and none follows it: the caller does not wait for minutes, and says
 * what is known of its command.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { OWNERLESS_MS_MAX } from '../../src/cli/message.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';
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
function waiting({ folder }: TestGateway, ...args: string[]): RunningCli {
  const cli = new RunningCli(['exec', 'slow', '--id', 'mine', '--home', folder.home, ...args], folder.path);
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
  const next = '`sluice run` ends what is left of it; then the same with --id mine tells how it ended.';
  expect(stderr).toBe(`sluice: the gateway died, and none follows it for 10 s. ${known}\n${next}\n`);
  await cleanUp(gateway.folder);
});

test('what the gateway had written down of its end is told as if it had said it', async () => {
  const gateway = await start();
  const { folder } = gateway;
  const cli = waiting(gateway, '--json');
  await gateway.inFlight('commands', 1);
  await gateway.post('/slow', { id: 'mine' });
  await gateway.kill9();
  settleInStore(folder.home);
  const { code, stdout, stderr } = await cli.result();
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ duplicate: true, admission: 'dispatch', outcome: 'ran', replies: ['all done'], exitCode: 0 },
  });
  expect(stderr).toBe('the gateway died, and none follows it for 10 s; it had recorded how /slow ended\n');
  await folder.release('hold');
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

test('nothing recorded is said to be so', async () => {
  const gateway = await start();
  const { folder } = gateway;
  const cli = waiting(gateway, '--json');
  await gateway.inFlight('commands', 1);
  await gateway.post('/slow', { id: 'mine' });
  await gateway.kill9();
  inStore(folder.home, "DELETE FROM inbox WHERE platform_message_id = 'mine'");
  const { code, stdout } = await cli.result();
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    error: {
      code: 'GATEWAY_DIED',
      message: 'the gateway died, and none follows it for 10 s. Nothing of /slow was recorded.',
      hint: 'See what it did before you send it again: it may be running still.',
    },
  });
  await folder.release('hold');
});

/** As a gateway that wrote how it ended and was killed before it could say it. */
function settleInStore(home: string): void {
  const [{ id }] = storeRows(home, "SELECT id FROM inbox WHERE platform_message_id = 'mine'");
  inStore(
    home,
    `UPDATE inbox SET phase = 'settled', outcome = 'ran', settled_at = 1 WHERE id = '${id}';
     UPDATE commands SET ended_at = 1, outcome = 'ran', exit_code = 0 WHERE message_id = '${id}';
     INSERT INTO outbox (id, message_id, platform, conversation, text, kind, created_at, life)
       VALUES ('o_told', '${id}', 'local', 'local:exec', 'all done', 'reply', 1, 1);`,
  );
}

/** Changes the store of a home that no gateway has. */
function inStore(home: string, sql: string): void {
  const db = new DatabaseSync(join(home, 'sluice.db'));
  try {
    db.exec(`PRAGMA foreign_keys = ON; ${sql}`);
  } finally {
    db.close();
  }
}
