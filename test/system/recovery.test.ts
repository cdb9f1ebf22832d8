/** What a start finds after a kill -9: work in flight, work that waited, and processes that were left behind. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { childrenOf, isRunning, storeRows } from '../support/home-files.ts';

const COUNT = `quick_commands:
  count: { type: exec, command: "echo ran >> count; (setsid sleep 60 >/dev/null 2>&1 &); cat slow", cwd: ., timeout: 60 }`;

test('after kill -9 work in flight was cut off and is told, its processes are dead, and what waited runs once', async () => {
  using folder = new TestFolder();
  folder.writeConfig(testConfig(COUNT));
  folder.fifo('one');
  folder.fifo('slow');
  await using first = await TestGateway.start({ folder });
  await first.post('wait one', { id: 'turn' });
  await first.post('/count', { id: 'started' });
  await first.post('/count', { id: 'waiting' });
  const { inFlight } = await first.statusWhere(
    ({ inFlight: { turns, commands } }) => turns.length + commands.length === 3,
  );
  const tree = await first
    .statusWhere(() => markedBy(inFlight.commands[0].id).length >= 3)
    .then(() => [
      ...childrenOf(first.pid),
      ...markedBy(inFlight.commands[0].id),
      ...markedBy(inFlight.turns[0].id),
    ]);
  await first.kill9();
  expect(tree.filter(isRunning).length).toBeGreaterThanOrEqual(5);

  await using second = await TestGateway.start({ folder });
  expect(tree.filter(isRunning)).toEqual([]);
  expect(await second.send('asked again', { id: 'turn' })).toMatchObject({
    status: 202,
    json: {
      duplicate: true,
      text: expect.stringMatching(/The gateway went down while this was being answered\. Send \/resume/),
    },
  });
  expect(await second.outcome('started')).toMatchObject({
    duplicate: true,
    outcome: 'interrupted',
    replies: [
      expect.stringMatching(/^The gateway went down while \/count ran\. It is not run again by itself/),
    ],
  });
  await second.inFlight('commands', 1);
  await folder.release('slow');
  expect(await second.outcome('waiting')).toMatchObject({ outcome: 'ran' });
  expect(readFileSync(join(folder.path, 'count'), 'utf8')).toBe('ran\nran\n');
  expect((await second.status()).lastExit).toMatchObject({ code: null, cause: 'died' });
  const lives = storeRows(
    folder.home,
    'SELECT epoch, cause, ended_at IS NULL AS open FROM lives ORDER BY id',
  );
  expect(lives).toEqual([
    { epoch: 1, cause: 'died', open: 0 },
    { epoch: 2, cause: null, open: 1 },
  ]);
});

test('a start that finds nothing in flight says nothing to anybody', async () => {
  using folder = new TestFolder();
  folder.writeConfig(testConfig());
  await using first = await TestGateway.start({ folder });
  await first.send('hello');
  await first.kill9();
  await using second = await TestGateway.start({ folder });
  expect(storeRows(folder.home, 'SELECT text FROM outbox')).toEqual([{ text: 'echo: hello\n' }]);
  expect((await second.status()).held).toBe(0);
});

/** The processes that carry the marker of this work. */
function markedBy(workId: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && environmentOf(pid).includes(`SLUICE_WORK_ID=${workId}\0`));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
