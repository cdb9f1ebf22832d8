/**
 * Exec and control never depend on a writable store: on a disk that is really full, and beside a process that
 * really holds the database's lock.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';
import { debrisIn, pidFile, storeRows, when } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { HOME_SIZE_KB, mountSmallDisk, SMALL_DISK_MISSING } from '../support/small-disk.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { StoreLock } from '../support/store-lock.ts';

const DISK = {
  refused: /cannot write to its disk.*Commands still run; free some space/,
  note: '(not recorded: the gateway could not write to its disk)',
};
const LOCK = {
  refused: /another program has the gateway's store locked.*Commands still run; close that program/,
  note: '(not recorded: another program had the store locked)',
};

/** `/cleanup` deletes what fills the disk; `/count` leaves a line for each time that it ran. */
const commands = (folder: TestFolder, filler = 'none') => `quick_commands:
  cleanup: { type: exec, command: "rm -f ${filler} && echo freed" }
  count: { type: exec, command: "echo ran >> ${folder.path}/count; echo counted" }
  slow: { type: exec, command: "cat ${folder.path}/slow" }`;

const timesCounted = (folder: TestFolder) =>
  readFileSync(join(folder.path, 'count'), 'utf8').trim().split('\n').length;

const temporaryFilesIn = (home: string) => debrisIn(home).filter((name) => name.endsWith('.tmp'));

/** How long one of forty commands of the gateway takes, one after the other. */
async function medianStatusMs(gateway: TestGateway): Promise<number> {
  const tookMs: number[] = [];
  for (let count = 0; count < 40; count += 1) {
    const startedMs = performance.now();
    await gateway.send('/status');
    tookMs.push(performance.now() - startedMs);
  }
  return tookMs.sort((a, b) => a - b)[20] ?? Number.NaN;
}

const recovered = (gateway: TestGateway) =>
  gateway.log((line) => line.msg === 'the store can be written again', 'the store to be back');

/** What everybody gets while nothing can be written; `tag` keeps the ids of two outages apart. */
async function expectOutageIsBorne(gateway: TestGateway, tag: string, told: typeof DISK): Promise<void> {
  const refused = await gateway.send('a new turn', { id: `${tag}-turn` });
  expect(refused.status).toBe(503);
  expect(refused.json.error).toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(told.refused),
    hint: expect.stringContaining('tries again every second'),
  });
  expect(await gateway.status()).toMatchObject({ state: 'running.degraded', degraded: ['store'] });
  expect(await gateway.request('GET', '/readyz')).toMatchObject({ status: 503, json: { reason: 'store' } });
  for (const text of ['/status', '/help', '/sttaus']) {
    const { json } = await gateway.send(text);
    expect(json).toMatchObject({ kind: 'control', outcome: 'done', recorded: false });
    expect(json.replies[0]).toContain(told.note);
  }
  const before = await gateway.send('/count', { id: `${tag}-count` });
  const again = await gateway.send('/count', { id: `${tag}-count` });
  expect(before.json).toMatchObject({
    outcome: 'ran',
    replies: [`counted\n${told.note}`],
    duplicate: false,
  });
  expect(again.json).toMatchObject({
    outcome: 'ran',
    replies: [`counted\n${told.note}`],
    duplicate: true,
  });
}

describe(`on a full disk${SMALL_DISK_MISSING ? ` (skipped: ${SMALL_DISK_MISSING})` : ''}`, () => {
  test.skipIf(SMALL_DISK_MISSING)(
    'commands run, turns in flight finish, and /cleanup heals the gateway',
    async () => {
      using disk = mountSmallDisk(HOME_SIZE_KB);
      using folder = new TestFolder(disk.path);
      for (const name of ['one', 'two', 'slow']) folder.fifo(name);
      const config = commands(folder, `${disk.path}/filler`);
      {
        await using gateway = await TestGateway.start({ folder, config });
        const streamed = gateway.send('wait one', { id: 'in-flight' });
        await gateway.inFlight('turns', 1);
        const waiting = gateway.send('wait two', { id: 'after-it' });
        const accepted = "SELECT id FROM inbox WHERE platform_message_id = 'after-it'";
        await polled(() => storeRows(folder.home, accepted).length === 1, 'the second to be accepted');
        disk.fill();

        await expectOutageIsBorne(gateway, 'full', DISK);
        expect(timesCounted(folder)).toBe(1);
        const cli = await gateway.cli('send', 'a new turn');
        expect(cli.code).toBe(3);
        expect(cli.stderr).toMatch(/cannot write to its disk/);

        await folder.release('one');
        expect((await streamed).json).toMatchObject({
          outcome: 'answered',
          recorded: false,
          replies: [`started one\nfinished one\n\n${DISK.note}`],
        });

        const slow = gateway.send('/slow', { id: 'ends-later' });
        await gateway.inFlight('commands', 1);
        expect((await gateway.send('/cleanup', { id: 'cleanup' })).json).toMatchObject({
          outcome: 'ran',
          recorded: false,
          replies: [`freed\n${DISK.note}`],
        });
        await recovered(gateway);
        expect(await gateway.request('GET', '/readyz')).toMatchObject({ status: 200 });
        await folder.release('slow');
        expect((await slow).json).toMatchObject({ outcome: 'ran', recorded: false });

        // Accepted before, and not begun because its start could not be written: it was kept, and its sender told so.
        expect(await waiting).toMatchObject({ status: 202, json: { admission: 'hold' } });
        await folder.release('two');
        expect((await gateway.send('wait two', { id: 'after-it' })).json).toMatchObject({
          ...{ outcome: 'answered', duplicate: true, recorded: true },
        });
        expect((await gateway.send('a new turn', { id: 'full-turn' })).json).toMatchObject({
          outcome: 'answered',
          duplicate: false,
          recorded: true,
        });
        expect(await gateway.stop()).toEqual({ code: 0, signal: null });
      }
      // Another process has nothing but the disk: what ran unrecorded was written when there was room.
      await using next = await TestGateway.start({ folder, config });
      for (const [id, outcome, text] of [
        ['in-flight', 'answered', 'started one\nfinished one\n'],
        ['cleanup', 'ran', 'freed'],
        ['full-count', 'ran', 'counted'],
        ['ends-later', 'ran', '/slow: done, no output.'],
      ] as const) {
        expect((await next.send('anything', { id })).json).toMatchObject({
          outcome,
          duplicate: true,
          recorded: false,
          replies: [text],
        });
      }
      expect(timesCounted(folder)).toBe(1);
    },
  );

  test.skipIf(SMALL_DISK_MISSING).each([
    ['a killed life', (gateway: TestGateway) => gateway.kill9(), 'gateway-died'],
    [
      'a clean stop',
      (gateway: TestGateway) => gateway.post('/stop now').then(() => gateway.exited),
      'stop asked',
    ],
  ] as const)(
    'a start after %s is degraded, runs commands, and takes up what was left',
    async (_, end, why) => {
      using disk = mountSmallDisk(HOME_SIZE_KB);
      using folder = new TestFolder(disk.path);
      folder.fifo('one');
      const config = commands(folder, `${disk.path}/filler`);
      {
        await using dead = await TestGateway.start({ folder, config });
        void dead.send('wait one', { id: 'cut-off' }).catch(() => {});
        await dead.inFlight('turns', 1);
        await dead.post('hello', { id: 'not-begun' });
        await end(dead);
      }
      disk.fill();

      await using gateway = await TestGateway.start({ folder });
      expect((await gateway.status()).epoch).toBe(2);
      await expectOutageIsBorne(gateway, 'start', DISK);
      expect(temporaryFilesIn(folder.home)).toEqual([]);
      expect((await gateway.send('/cleanup', { id: 'cleanup' })).json).toMatchObject({ outcome: 'ran' });
      await recovered(gateway);
      expect(await gateway.outcome('not-begun')).toMatchObject({
        outcome: 'answered',
        replies: ['echo: hello\n'],
      });
      expect(await gateway.send('asked again', { id: 'cut-off' })).toMatchObject({
        status: 202,
        json: { duplicate: true, text: expect.stringContaining('Send /resume') },
      });
      const [cutOff] = storeRows(folder.home, 'SELECT outcome, reason FROM turns ORDER BY seq');
      expect(cutOff).toEqual({ outcome: 'interrupted', reason: expect.stringContaining(why) });
      expect(await gateway.status()).toMatchObject({ state: 'running.healthy', degraded: [] });
      const { epoch } = await gateway.status();
      expect(epoch).toBeGreaterThanOrEqual(2);
      await when(folder.home, () => debrisIn(folder.home).includes('sluice.pid'));
      await when(folder.home, () => pidFile(folder.home).epoch === epoch);
      expect(pidFile(folder.home)).toMatchObject({ pid: gateway.pid, epoch });
      expect(timesCounted(folder)).toBe(1);
      await gateway.stop();
      expect(debrisIn(folder.home)).toEqual([]);
    },
  );

  test.skipIf(SMALL_DISK_MISSING)(
    'what a killed life left running is ended by the next start, though nothing can be written',
    async () => {
      using disk = mountSmallDisk(HOME_SIZE_KB);
      using folder = new TestFolder(disk.path);
      folder.fifo('slow');
      const config = commands(folder, `${disk.path}/filler`);
      await using dead = await TestGateway.start({ folder, config });
      void dead.post('/slow', { id: 'left-running' }).catch(() => {});
      await dead.inFlight('commands', 1);
      const [{ id }] = (await dead.status()).inFlight.commands;
      await dead.kill9();
      expect(survivors(id).length).toBeGreaterThan(0);
      disk.fill();

      await using gateway = await TestGateway.start({ folder });
      expect(survivors(id)).toEqual([]);
      expect(await gateway.status()).toMatchObject({ state: 'running.degraded', degraded: ['store'] });
      expect((await gateway.send('/cleanup')).json).toMatchObject({ outcome: 'ran', recorded: false });
      await recovered(gateway);
      expect(await gateway.outcome('left-running')).toMatchObject({
        ...{ outcome: 'interrupted', outcomeReason: 'gateway-died' },
      });
    },
  );

  test.skipIf(SMALL_DISK_MISSING)(
    'to a chat commands answer at once, and what has a row waits for room: nothing is said twice, or not at all',
    async () => {
      using disk = mountSmallDisk(HOME_SIZE_KB);
      using folder = new TestFolder(disk.path);
      await using server = await StandInServer.start();
      for (const name of ['one', 'two']) folder.fifo(name);
      const access = 'access: { owners: ["standin:ann", "standin:bob"] }';
      const config = `${commands(folder, `${disk.path}/filler`)}\n${access}`;
      const texts = (who: string) =>
        server.arrivals
          .filter(({ conversation }) => conversation === `standin:${who}`)
          .map(({ text }) => text);
      {
        await using gateway = await startWithStandIn(server, { folder, config });
        await server.deliver({ id: 'm1', from: 'ann', text: 'wait one' });
        await server.deliver({ id: 'm2', from: 'bob', text: 'hello' });
        await server.reached(({ text }) => text === 'echo: hello\n');
        server.failSends('the server is away');
        await server.deliver({ id: 'm3', from: 'bob', text: 'again' });
        await server.until(() => server.asked.some(({ text }) => text === 'echo: again\n'), 'a first try');
        disk.fill();
        server.failSends(undefined);
        await folder.release('one');
        await gateway.log(({ msg }) => msg === 'settled, not recorded', 'the turn to end unrecorded');
        await server.deliver({ id: 'm4', from: 'ann', text: '/count' });
        await server.deliver({ id: 'm5', from: 'bob', text: '/count' });
        await server.until(() => texts('ann').length > 0 && texts('bob').length > 1, 'both commands');
        expect(texts('ann')).toEqual([`counted\n${DISK.note}`]);
        expect(texts('bob')).toEqual(['echo: hello\n', `counted\n${DISK.note}`]);
        await server.deliver({ id: 'm6', from: 'ann', text: '/cleanup' });
        await server.until(() => texts('ann').length > 2 && texts('bob').length > 2, 'what had waited');
        expect(texts('ann').slice(1)).toEqual([`freed\n${DISK.note}`, 'started one\nfinished one\n']);
        expect(texts('bob').slice(2)).toEqual(['echo: again\n']);

        await server.deliver({ id: 'm7', from: 'ann', text: 'wait two' });
        await gateway.inFlight('turns', 1);
        disk.fill();
        await folder.release('two');
        await gateway.until(
          () => gateway.lines.filter(({ msg }) => msg === 'settled, not recorded').length > 4,
          'the second turn to end unrecorded',
        );
        await gateway.kill9();
      }
      disk.empty();
      // Nobody had read its answer: to the next life it is a turn like any that was cut off.
      await using next = await startWithStandIn(server, { folder, config });
      await server.until(() => texts('ann').length > 3, 'a word about the turn that was cut off');
      expect(texts('ann').slice(3)).toEqual([expect.stringContaining('Send /resume')]);
      await server.deliver({ id: 'm8', from: 'ann', text: '/resume' });
      await next.inFlight('turns', 1);
      await folder.release('two');
      await server.reached(({ text }) => text.includes('finished two'));
      expect(texts('ann').filter((text) => text.includes('finished two'))).toHaveLength(1);
      expect(server.arrivals.filter(({ isMarked }) => isMarked)).toEqual([]);
    },
  );
});

describe('while another process holds the lock of the database', () => {
  test('commands run at once, turns are refused, and all of it is written afterwards', async () => {
    using folder = new TestFolder();
    await using gateway = await TestGateway.start({ folder, config: commands(folder) });
    const usualMs = await medianStatusMs(gateway);
    using lock = new StoreLock(folder.home);

    await expectOutageIsBorne(gateway, 'locked', LOCK);
    expect((await gateway.cli('status')).stdout).toContain('another program has the store locked: close it');
    // Only the probe of each second waits for the lock, its 50 ms, and no message does: half of them would show it,
    // however often they are asked. That others keep the machine busy is over some time.
    await polled(async () => (await medianStatusMs(gateway)) < usualMs + 40, 'answers as fast as usual');

    lock[Symbol.dispose]();
    await recovered(gateway);
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered', recorded: true });
    const shown = (await gateway.cli('messages', 'show', 'locked-count')).stdout;
    expect(shown).toMatch(/ran, exit code 0\n {2}\d{4}-\S+ \S+ to \S+, took /);
    expect(shown).not.toContain('has not started');
    await gateway.stop();
    await using next = await TestGateway.start({ folder, config: commands(folder) });
    expect((await next.send('anything', { id: 'locked-count' })).json).toMatchObject({
      outcome: 'ran',
      duplicate: true,
      recorded: false,
    });
    expect(timesCounted(folder)).toBe(1);
  });

  test('a start is degraded, and registers itself once the lock is free', async () => {
    using folder = new TestFolder();
    {
      await using first = await TestGateway.start({ folder, config: commands(folder) });
      await first.stop();
    }
    using lock = new StoreLock(folder.home);
    await using gateway = await TestGateway.start({ folder, config: commands(folder) });
    expect((await gateway.status()).epoch).toBe(2);
    await expectOutageIsBorne(gateway, 'start', LOCK);
    lock[Symbol.dispose]();
    await recovered(gateway);
    expect((await gateway.send('hello')).json).toMatchObject({ outcome: 'answered', recorded: true });
    expect(await gateway.status()).toMatchObject({ state: 'running.healthy', lastExit: { code: 0 } });
  });
});
