/**
 * `sluice exec` where a gateway is there and does not answer within a second, whatever keeps it: the caller runs the
 * command itself, says so, and the gateway that wakes does not run it again. Nor does one that starts meanwhile.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CliResult, type StartOptions, TestFolder, TestGateway } from '../support/gateway.ts';
import { isRunning, storeRows } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { StoreLock } from '../support/store-lock.ts';

const config = `quick_commands:
  count: { type: exec, command: "echo ran >> count; echo counted" }
  slow: { type: exec, command: "echo $$ > pid; cat hold; echo over", timeout: 60 }`;

const counted = ({ path }: TestFolder): string => readFileSync(join(path, 'count'), 'utf8');

/** A gateway whose event loop is blocked from SIGUSR2 on, until there is a file `free` in its folder. */
const BLOCKING = `import { existsSync } from 'node:fs';
process.on('SIGUSR2', () => {
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(process.env.BLOCKED_UNTIL)) Atomics.wait(never, 0, 0, 20);
});`;

async function start(more: StartOptions = {}): Promise<TestGateway> {
  const folder = more.folder ?? new TestFolder();
  if (more.folder === undefined) onTestFinished(() => folder[Symbol.dispose]());
  const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(BLOCKING)}`];
  const env = { BLOCKED_UNTIL: join(folder.path, 'free') };
  const gateway = await TestGateway.start({ config, nodeArgs, env, ...more, folder });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return gateway;
}

/** Keeps a gateway from answering, and lets it go on. */
interface Silence {
  begin(gateway: TestGateway): void;
  end(gateway: TestGateway): void;
}

const stopped: Silence = {
  begin: (gateway) => gateway.signal('SIGSTOP'),
  end: (gateway) => gateway.signal('SIGCONT'),
};

const blocked: Silence = {
  begin: (gateway) => gateway.signal('SIGUSR2'),
  end: ({ folder }) => writeFileSync(join(folder.path, 'free'), ''),
};

const count = (gateway: TestGateway, id: string): Promise<CliResult> =>
  gateway.cli('exec', 'count', '--id', id);

describe.each([
  ['that is stopped', stopped],
  ['whose event loop is blocked', blocked],
])('a gateway %s', (_, silence) => {
  test('does not run what the caller has run, once it wakes', async () => {
    const gateway = await start();
    silence.begin(gateway);
    const ran = await count(gateway, 'once');
    expect(ran).toMatchObject({ code: 0, stdout: 'counted\n' });
    expect(ran.stderr).toBe('the gateway does not answer: run by this process\n');
    silence.end(gateway);
    // What the caller had sent first lies in the socket, and is read now.
    await gateway.log(({ msg }) => msg.startsWith('a message came again'), 'the first request');
    expect(await gateway.outcome('once')).toMatchObject({
      duplicate: true,
      outcome: 'ran',
      replies: ['counted'],
    });
    expect(counted(gateway.folder)).toBe('ran\n');
    const rows = storeRows(
      gateway.folder.home,
      "SELECT lives.kind, commands.outcome FROM commands JOIN lives ON lives.id = commands.life WHERE name = 'count'",
    );
    expect(rows).toEqual([{ kind: 'cli', outcome: 'ran' }]);
  });

  test('does not run it either where the store keeps no row of it: the deadline is past', async () => {
    const gateway = await start();
    using lock = new StoreLock(gateway.folder.home);
    silence.begin(gateway);
    const ran = await count(gateway, 'unwritten');
    expect(ran).toMatchObject({ code: 0, stdout: 'counted\n' });
    expect(ran.stderr).toMatch(/^the gateway does not answer: run by this process\nnot recorded: /);
    silence.end(gateway);
    await gateway.log(({ msg }) => msg.startsWith('a message came past its deadline'), 'the first request');
    lock[Symbol.dispose]();
    expect(counted(gateway.folder)).toBe('ran\n');
  });
});

test('a gateway that is gone: the caller says so, and the next start finds that it was run', async () => {
  const gateway = await start();
  await gateway.kill9();
  const ran = await count(gateway, 'alone');
  expect(ran).toMatchObject({
    code: 0,
    stdout: 'counted\n',
    stderr: 'no gateway is running: run by this process\n',
  });
  const next = await start({ folder: gateway.folder });
  expect(await next.outcome('alone')).toMatchObject({
    duplicate: true,
    outcome: 'ran',
    replies: ['counted'],
  });
  expect(counted(gateway.folder)).toBe('ran\n');
});

test('a gateway that answers runs it itself, and nothing else is said', async () => {
  const gateway = await start();
  expect(await count(gateway, 'usual')).toMatchObject({ code: 0, stdout: 'counted\n', stderr: '' });
});

test('a gateway that starts leaves alone what a caller is running', async () => {
  const gateway = await start();
  const { folder } = gateway;
  folder.fifo('hold');
  await gateway.stop();
  const running = gateway.cli('exec', 'slow', '--id', 'kept');
  const pid = Number(await polled(() => pidIn(folder), 'the command'));
  const next = await start({ folder });
  expect(isRunning(pid)).toBe(true);
  const again = await next.post('/slow', { id: 'kept' });
  expect(again.json).toMatchObject({ duplicate: true, admission: 'dispatch' });
  expect(await next.status()).toMatchObject({ state: 'running.healthy', inFlight: { commands: [] } });
  await folder.release('hold');
  expect(await running).toMatchObject({ code: 0, stdout: 'over\n' });
  expect(await next.outcome('kept')).toMatchObject({ duplicate: true, outcome: 'ran', replies: ['over'] });
});

/** What the command wrote of itself; undefined until it has. */
function pidIn({ path }: TestFolder): string | undefined {
  try {
    return readFileSync(join(path, 'pid'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
