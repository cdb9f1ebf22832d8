/**
 * A restart in place of a gateway whose program is not there any more, because a package manager has put another one
 * elsewhere: whoever asks is told and nothing is drained; a signal ends it with the code that asks for another start.
 */
import { chmodSync, constants, copyFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type StartOptions, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';

const ENTRY = process.env.SLUICE_TEST_ENTRY ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const COMMANDS = 'quick_commands: { hi: { type: exec, command: [echo, hi] } }';

/** A gateway with a Node and a script of its own, as they lie in an installation that can be taken away. */
async function installed(more: StartOptions = {}) {
  const folder = new TestFolder();
  folder.writeConfig(testConfig(COMMANDS));
  const [node, script] = [join(folder.path, 'node'), join(folder.path, 'main.ts')];
  copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
  symlinkSync(ENTRY, script);
  const gateway = await TestGateway.start({
    ...more,
    folder,
    entry: script,
    // The words begin with the Node that runs the tests.
    under: ['/bin/sh', '-c', 'shift; exec "$OTHER_NODE" "$@"', 'sh'],
    env: { ...more.env, OTHER_NODE: node },
  });
  return {
    ...{ gateway, folder, node, script },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

type Installed = Awaited<ReturnType<typeof installed>>;

const WAYS: [what: string, take: (of: Installed) => void, says: (of: Installed) => string][] = [
  ['its Node was removed', ({ node }) => rmSync(node), ({ node }) => `${node} is not there any more`],
  [
    'its Node may not be executed',
    ({ node }) => chmodSync(node, 0o644),
    ({ node }) => `${node} cannot be executed`,
  ],
  [
    'its script was removed',
    ({ script }) => rmSync(script),
    ({ script }) => `${script} is not there any more`,
  ],
];

test.each(WAYS)(
  'a restart that is asked for is refused, and nothing is drained, when %s',
  async (_, take, says) => {
    await using of = await installed();
    const { gateway } = of;
    take(of);
    const asked = await gateway.cli('restart');
    expect(asked.code).toBe(3);
    expect(asked.stderr).toContain(says(of));
    expect(asked.stderr).toContain('Install it again where it was');
    const inChat = await gateway.send('/restart');
    expect(inChat.json.replies.join()).toContain(says(of));
    const byHttp = await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
    expect(byHttp.status).toBe(409);
    expect(await gateway.status()).toMatchObject({ state: 'running.healthy', intent: null });
    expect((await gateway.send('/hi')).json.replies).toEqual(['hi']);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  },
);

test.each([
  ...WAYS,
  [
    'its Node is half written',
    ({ node }: Installed) => {
      // The file that runs cannot be written; another one takes its place.
      rmSync(node);
      copyFileSync(process.execPath, node);
      truncateSync(node, 1000);
    },
    ({ node }: Installed) => `${node} `,
  ] as const,
])('a signal ends it with 75, and the log says why, when %s', async (_, take, says) => {
  await using of = await installed();
  const { gateway, folder } = of;
  take(of);
  gateway.signal('SIGUSR1');
  expect(await gateway.exited).toEqual({ code: 75, signal: null });
  const line = gateway.lines.find(({ msg }) => msg.startsWith('cannot restart in place: '));
  expect(line?.msg).toContain(says(of));
  expect(gateway.lines.at(-1)?.msg).toBe('exit 75 (SIGUSR1)');
  expect(gateway.stderr).not.toContain('restarting in place');
  expect(storeRows(folder.home, 'SELECT exit_code, cause FROM lives')).toEqual([
    { exit_code: 75, cause: 'SIGUSR1' },
  ]);
});

test('where a supervisor starts the next one, the program of this one is not looked at', async () => {
  await using of = await installed({ env: { SLUICE_SUPERVISOR: 'supervise' } });
  const { gateway, node } = of;
  rmSync(node);
  expect((await gateway.cli('restart', '--no-wait')).code).toBe(0);
  expect(await gateway.exited).toEqual({ code: 75, signal: null });
});
