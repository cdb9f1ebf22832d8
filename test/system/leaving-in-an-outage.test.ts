/**
 * A life that leaves while its store cannot be written: what it says of its end in the home is what the next start that
 * can write goes by, so that no stop or restart comes to count as a death.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { standInAgent, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { statusFile, storeRows } from '../support/home-files.ts';
import { HOME_SIZE_KB, mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { StoreLock } from '../support/store-lock.ts';

const CONFIG = `agent: { type: command, command: ["${standInAgent}"], effects: none }
safe_mode: { deaths: 2, within: 1m }`;

/** A home on a disk that can be filled, and lives in it with this configuration, one after the other. */
function onSmallDisk() {
  const disk = mountSmallDisk(HOME_SIZE_KB);
  onTestFinished(() => disk[Symbol.dispose]());
  const folder = new TestFolder(disk.path);
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  folder.writeConfig(testConfig(CONFIG));
  const live = async () => {
    const gateway = await TestGateway.start({ folder });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  /** After a life that died, so that one death more is too many: a turn is in flight, and nothing can be written any more. */
  const inFlightOnFullDisk = async (id: string) => {
    await (await live()).kill9();
    const gateway = await live();
    void gateway.send('wait one', { id, conversation: id }).catch(() => {});
    await gateway.inFlight('turns', 1);
    disk.fill();
    return gateway;
  };
  const degraded = async (gateway: TestGateway) => (await gateway.status()).degraded;
  const rows = (sql: string) => storeRows(folder.home, sql);
  return { disk, folder, live, inFlightOnFullDisk, degraded, rows };
}

const CRASHED = 'SELECT conversation, crashes FROM sessions WHERE crashes > 0';
const ENDS = 'SELECT epoch, cause FROM lives WHERE ended_at IS NOT NULL ORDER BY epoch';

describe(`on a full disk${SMALL_DISK_MISSING ? ` (skipped: ${SMALL_DISK_MISSING})` : ''}`, () => {
  test.skipIf(SMALL_DISK_MISSING)(
    'neither a stop nor a restart counts as a death, though only a later life can write them down',
    async () => {
      const { disk, folder, live, inFlightOnFullDisk, degraded, rows } = onSmallDisk();
      const first = await inFlightOnFullDisk('cut');
      await first.post('/stop now');
      expect(await first.exited).toMatchObject({ code: 0 });
      const [end] = statusFile(folder.home).ends;
      expect(end).toMatchObject({ epoch: 2, cause: 'stop', code: 0 });

      // What a store needs while it is open has given its room back.
      disk.fill();
      // It restarts in place, and is stopped by a signal, without ever having had a number of its own.
      const second = await live();
      await second.statusWhere((status) => status.degraded.includes('store'));
      await second.request('POST', '/v1/lifecycle', { intent: 'restart' });
      await second.ready(2);
      expect(statusFile(folder.home).ends).toEqual([end]);
      second.signal('SIGTERM');
      expect(await second.exited).toMatchObject({ code: 0 });

      disk.empty();
      const third = await live();
      expect(await degraded(third)).toEqual([]);
      expect(rows(ENDS)).toEqual([
        { epoch: 1, cause: 'died' },
        { epoch: 2, cause: 'stop' },
      ]);
      expect(rows(CRASHED)).toEqual([]);
      await folder.release('one');
      expect(await third.outcome('cut')).toMatchObject({ outcome: 'answered' });
      expect(statusFile(folder.home)).not.toHaveProperty('ends');
      await third.stop();
    },
  );

  test.skipIf(SMALL_DISK_MISSING)('a kill does', async () => {
    const { disk, live, inFlightOnFullDisk, degraded, rows } = onSmallDisk();
    const first = await inFlightOnFullDisk('cut');
    await first.kill9();
    disk.empty();
    const second = await live();
    expect(await degraded(second)).toEqual(['safe-mode']);
    expect(rows(ENDS)).toEqual([
      { epoch: 1, cause: 'died' },
      { epoch: 2, cause: 'died' },
    ]);
    expect(rows(CRASHED)).toEqual([{ conversation: 'local:cut', crashes: 1 }]);
    await second.stop();
  });
});

test('an answer that a lock kept from being written is written and sent by a gateway that leaves just after', async () => {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const server = await StandInServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const config = 'access: { owners: ["standin:ann"] }';
  const gateway = await startWithStandIn(server, { folder, config });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  await server.deliver({ id: '1', from: 'ann', text: 'wait one' });
  await gateway.inFlight('turns', 1);
  {
    using _lock = new StoreLock(folder.home);
    await folder.release('one');
    await gateway.log(({ msg }) => msg === 'settled, not recorded');
  }
  gateway.signal('SIGTERM');
  expect(await gateway.exited).toMatchObject({ code: 0 });
  expect(server.sent.map(({ text }) => text)).toEqual(['started one\nfinished one\n']);
  expect(storeRows(folder.home, 'SELECT outcome FROM inbox')).toEqual([{ outcome: 'answered' }]);
  expect(storeRows(folder.home, 'SELECT state FROM outbox')).toEqual([{ state: 'delivered' }]);
});
