/** A life whose store fails while it begins: registering and recovering are each done once, and not left out. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { homePaths } from '../src/config/paths.ts';
import { SluiceError } from '../src/errors.ts';
import { LifeKeeper } from '../src/life.ts';
import { isAlive, parseProcStat, processIdentity } from '../src/process/identity.ts';
import { noteFailedStart, readPidFile, readStatusFile } from '../src/process/runtime-status.ts';
import type { Life, LifeStart, OpenWork } from '../src/store/store.ts';
import { commandRow, messageRow } from './store/sample-rows.ts';
import { settled } from './support/fake-clock.ts';
import { TestFolder } from './support/gateway.ts';
import { bootCore } from './support/gateway-core.ts';
import { MemoryStore } from './support/memory-store.ts';
import { mountSmallDisk, SMALL_DISK_MISSING } from './support/small-disk.ts';

/** The epoch that the store gives, which `status.json` knows nothing of. */
const EPOCH = 8;

/** A store that a dead life left a held message in, and that fails at the moments the test names. */
class LeftStore extends MemoryStore {
  /** What fails next: each name once for each time that it stands here; `lastExit` once something was adopted. */
  readonly failing: ('begin' | 'openWork' | 'commit' | 'lastExit')[] = [];
  readonly begun: LifeStart[] = [];
  adopted = 0;

  override async begin(start?: LifeStart): Promise<Life> {
    this.#fail('begin');
    if (start !== undefined) this.begun.push(start);
    return { id: 3, kind: 'daemon', epoch: EPOCH, pid: process.pid, startTime: '', bootId: '' };
  }

  override async openWork(): Promise<OpenWork> {
    this.#fail('openWork');
    const left = { ...messageRow('m_left', { phase: 'held' }), outcome: null, settledAt: null };
    // Once it was adopted, it is no dead life's any more.
    const messages = this.adopted > 0 ? [] : [{ ...left, recorded: true }];
    return { messages, turns: [], commands: [], outbound: [] };
  }

  override async commit(unit: Parameters<MemoryStore['commit']>[0]): Promise<'committed' | 'duplicate'> {
    this.#fail('commit');
    this.adopted += unit.filter(({ op }) => op === 'adopt').length;
    return super.commit(unit);
  }

  override async lastExit(): Promise<undefined> {
    if (this.adopted > 0) this.#fail('lastExit');
  }

  #fail(what: LeftStore['failing'][number]): void {
    const index = this.failing.indexOf(what);
    if (index < 0) return;
    this.failing.splice(index, 1);
    throw new SluiceError('STORE_UNAVAILABLE', `${what} failed`);
  }
}

let folder: TestFolder;

beforeEach(() => {
  folder = new TestFolder();
  mkdirSync(folder.home);
});

afterEach(() => folder[Symbol.dispose]());

/** `failing`: what the store does not do at first; `home`: elsewhere than in the test's folder. */
function beginning(...how: (LeftStore['failing'][number] | { home: string })[]) {
  const store = new LeftStore();
  const failing = how.filter((one) => typeof one === 'string');
  const home = how.find((one) => typeof one === 'object')?.home ?? folder.home;
  store.failing.push(...failing);
  const core = bootCore('', { store });
  const down: string[] = [];
  const isOurs = { now: true };
  const paths = homePaths(home, {});
  const life = new LifeKeeper({
    ...core,
    store,
    paths,
    isHomeOurs: () => isOurs.now,
    options: { version: '1.0.0', argv: ['run'] },
    rules: () => ({ resume: { resume: 'auto', maxAgeMs: 86_400_000, onExpired: 'ask' }, safeMode: null }),
    storeIsDown: (reason) => down.push(reason),
  });
  return { ...core, store, life, down, paths, isOurs, held: () => core.gateway.status.held };
}

describe('a recovery that the store cut off', () => {
  test.each(['openWork', 'commit'] as const)(
    'at %s is no failed start, and is done when it is back',
    async (at) => {
      const { life, store, down, held } = beginning(at);
      await life.begin();
      await life.recover();
      expect(down).toEqual([`${at} failed`]);
      expect({ held: held(), adopted: store.adopted }).toEqual({ held: 0, adopted: 0 });

      await life.beginLate();
      expect({ held: held(), adopted: store.adopted }).toEqual({ held: 1, adopted: 1 });
      expect(store.begun).toHaveLength(1);
    },
  );

  test('a second time is tried a third time', async () => {
    // The second is asked for what it left running.
    const { life, held } = beginning('openWork', 'openWork', 'openWork');
    await life.begin();
    await life.recover();
    await expect(life.beginLate()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(held()).toBe(0);
    await life.beginLate();
    expect(held()).toBe(1);
  });

  test('is never done twice, at the same time or later', async () => {
    const { life, store, held } = beginning();
    await life.begin();
    await Promise.all([life.recover(), life.beginLate(), life.beginLate()]);
    await life.beginLate();
    expect({ held: held(), adopted: store.adopted }).toEqual({ held: 1, adopted: 1 });
  });

  test('after it had adopted what was left goes on with that', async () => {
    const { life, down, held } = beginning('lastExit');
    await life.begin();
    await life.recover();
    expect(down).toEqual([]);
    expect(held()).toBe(1);
  });

  test('by anything else than the store fails the start', async () => {
    const { life, store } = beginning();
    store.openLives = async () => {
      throw new SluiceError('STORE_CORRUPT', 'not a database');
    };
    await life.begin();
    await expect(life.recover()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});

describe('what dead lives left running', () => {
  const idle: OpenWork = { messages: [], turns: [], commands: [], outbound: [] };
  const command = (messageId: string) => ({ ...commandRow(`c_${messageId}`, messageId), startedAt: 1_000 });

  test('is ended before a recovery takes anything of it up again', async () => {
    const { life, processes, held } = beginning('begin');
    const swept = Promise.withResolvers<number>();
    let sweeps = 0;
    processes.sweep = () => {
      sweeps += 1;
      return sweeps === 1 ? swept.promise : Promise.resolve(0);
    };
    await life.begin();
    const started = life.recover();
    await settled();
    // The store is back while the processes have their grace.
    const late = life.beginLate();
    await settled();
    expect({ sweeps, held: held() }).toEqual({ sweeps: 1, held: 0 });
    swept.resolve(1);
    await Promise.all([started, late]);
    expect({ sweeps, held: held() }).toEqual({ sweeps: 2, held: 1 });
  });

  test('is not what this life works on, whose rows have no life yet', async () => {
    const { life, store, processes, gateway } = beginning('begin');
    store.openWork = async () => ({ ...idle, commands: [command('m_ours'), command('m_theirs')] });
    void gateway.ledger.open('m_ours');
    await life.begin();
    await life.recover();
    expect(processes.swept).toEqual([new Set(['c_m_theirs'])]);
  });

  test('is ended once, also where the store fails after that', async () => {
    const { life, processes, down } = beginning('commit');
    await life.begin();
    await life.recover();
    expect(down).toEqual(['commit failed']);
    expect(processes.swept).toHaveLength(1);
  });
});

describe('a life that registers late', () => {
  test('is known by its own epoch everywhere, and leaves no pid file', async () => {
    const { life, store, clock, paths, gateway } = beginning('begin');
    await life.begin();
    expect(store.begun).toEqual([]);
    life.publish('/etc/sluice.yaml');
    expect(readPidFile(paths.pid)?.epoch).toBe(1);

    await life.beginLate();
    expect(readPidFile(paths.pid)?.epoch).toBe(EPOCH);
    expect(gateway.status.epoch).toBe(EPOCH);
    await life.end({ code: 0, cause: 'stop', actor: 'local:owner', reexecute: false });
    expect(readStatusFile(paths.status, clock)?.status).toMatchObject({ epoch: EPOCH, exit: { code: 0 } });
    expect(readPidFile(paths.pid)).toBeUndefined();
  });
});

test('a life that registers late is written as ready since the end of its start', async () => {
  const { life, store, clock } = beginning('begin');
  await life.begin();
  await life.recover();
  const readyAt = clock.wallMs();
  await life.ready();
  expect(store.units.flat().filter(({ op }) => op === 'life.ready')).toEqual([]);
  await clock.advance(5000);
  await life.beginLate();
  expect(store.units.flat()).toContainEqual({ op: 'life.ready', id: 3, at: readyAt });
});

describe('a pid file that found no room', () => {
  test('is written at the next look after there is some, and put back when somebody deletes or changes it', async () => {
    const { life, paths, lines } = beginning();
    // A folder in its place refuses the rename, as a full disk refuses the bytes.
    mkdirSync(join(paths.pid, 'in-the-way'), { recursive: true });
    await life.begin();
    life.publish('/etc/sluice.yaml');
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'the pid file could not be written' }));
    life.keepFiles();
    expect(readPidFile(paths.pid)).toBeUndefined();

    rmSync(paths.pid, { recursive: true });
    life.keepFiles();
    expect(readPidFile(paths.pid)).toMatchObject({ pid: process.pid, epoch: EPOCH });
    const { ino } = statSync(paths.pid);
    life.keepFiles();
    expect(statSync(paths.pid).ino).toBe(ino);
    rmSync(paths.pid);
    life.keepFiles();
    expect(readPidFile(paths.pid)).toMatchObject({ pid: process.pid, epoch: EPOCH });
    writeFileSync(paths.pid, 'something else');
    life.keepFiles();
    expect(readPidFile(paths.pid)).toMatchObject({ pid: process.pid, epoch: EPOCH });
    await life.end({ code: 0, cause: 'stop', actor: 'local:owner', reexecute: false });
    life.keepFiles();
    expect(readPidFile(paths.pid)).toBeUndefined();
  });
});

describe('the end of a life', () => {
  test('that becomes the next one has no code, because the process does not end', async () => {
    const { life, clock, paths } = beginning();
    await life.begin();
    life.publish(null);
    await life.end({ code: 75, cause: 'restart', actor: 'local:owner', reexecute: true });
    expect(readStatusFile(paths.status, clock)?.status).toMatchObject({
      exit: { epoch: EPOCH, code: null, cause: 'restart' },
    });
    expect(readPidFile(paths.pid)).toMatchObject({ pid: process.pid });
  });

  test('that could not be written stands in the status, from life to life, until a recovery has written it', async () => {
    const first = beginning();
    first.store.openLives = async () => [];
    await first.life.begin();
    first.life.publish(null);
    first.store.fail();
    await first.life.end({ code: 0, cause: 'stop', actor: 'local:owner', reexecute: false });
    const end = { ...processIdentity(), epoch: EPOCH, code: 0, cause: 'stop', at: first.clock.wallMs() };
    const told = readStatusFile(first.paths.status, first.clock)?.status;
    expect(told?.ends).toEqual([end]);
    expect(told?.exit).toEqual({ epoch: EPOCH, code: 0, cause: 'stop', at: end.at });

    // A life that the store never knew, and a start that failed before it was one, hand it on.
    const second = beginning('begin');
    await second.life.begin();
    second.life.publish(null);
    await second.life.end({ code: 1, cause: 'SIGTERM', actor: 'signal', reexecute: false });
    noteFailedStart(second.paths.status, { code: 78, cause: 'config-invalid', at: 1 });
    expect(readStatusFile(second.paths.status, second.clock)?.status.ends).toEqual([end]);

    const third = beginning();
    const before = { id: 2, kind: 'daemon', epoch: EPOCH, ...processIdentity() } as const;
    third.store.openLives = async () => [before];
    await third.life.begin();
    third.life.publish(null);
    await third.life.recover();
    expect(third.store.units.flat()).toContainEqual({
      op: 'life.end',
      id: 2,
      at: end.at,
      code: 0,
      cause: 'stop',
    });
    await third.life.end({ code: 0, cause: 'stop', actor: 'local:owner', reexecute: false });
    expect(readStatusFile(third.paths.status, third.clock)?.status).not.toHaveProperty('ends');
  });

  test.skipIf(SMALL_DISK_MISSING)(
    'is said in brief on a full disk that has no room for a longer status',
    async () => {
      using disk = mountSmallDisk();
      const { life, store, clock, gateway, paths } = beginning({ home: disk.path });
      await life.begin();
      life.publish(null);
      disk.fill();
      store.fail();
      gateway.warnings.push('x'.repeat(9000));
      await life.end({ code: 0, cause: 'SIGTERM', actor: 'signal', reexecute: false });
      const end = { code: 0, cause: 'SIGTERM', at: clock.wallMs() };
      const status = readStatusFile(paths.status, clock)?.status;
      expect(status).toMatchObject({ epoch: EPOCH, exit: end, ends: [{ epoch: EPOCH, ...end }] });
      expect(status).not.toHaveProperty('warnings');
    },
  );

  test('in a home that is another’s by now touches nothing there', async () => {
    const { life, paths, isOurs } = beginning();
    await life.begin();
    life.publish(null);
    isOurs.now = false;
    rmSync(paths.status);
    await life.end({ code: 72, cause: 'home-lost', actor: 'gateway', reexecute: false });
    expect({ status: existsSync(paths.status), pid: existsSync(paths.pid) }).toEqual({
      status: false,
      pid: true,
    });
  });
});

describe('a command line that was killed beside this life', () => {
  const DEAD = { kind: 'cli', epoch: null, pid: 999_999_999, startTime: '1' } as const;
  const here = processIdentity();

  async function beside(cli: Pick<Life, 'pid' | 'startTime' | 'bootId'>) {
    const begun = beginning();
    const { store, life } = begun;
    await life.begin();
    await life.recover();
    const lives: Life[] = [{ ...DEAD, ...cli, id: 7 }];
    store.openLives = async () => lives;
    const ofCli = { ...messageRow('m_cli', { kind: 'exec', phase: 'started' }), life: 7 };
    store.openWork = async () => ({
      ...{
        messages: [{ ...ofCli, outcome: null, settledAt: null, recorded: true }],
        turns: [],
        outbound: [],
      },
      commands: [{ ...commandRow('c_cli', 'm_cli', { name: 'up' }), life: 7, startedAt: 1_000 }],
    });
    const commits: string[] = [];
    store.beforeCommit = (unit) => {
      for (const write of unit) if ('id' in write) commits.push(`${write.op} ${write.id}`);
      if (unit.some(({ op }) => op === 'life.end')) lives.length = 0;
    };
    return { ...begun, commits };
  }

  test('has what it ran ended and its message settled in a while, once', async () => {
    const { clock, processes, commits } = await beside({ ...DEAD, bootId: here.bootId });
    await clock.advance(10_000);
    expect(processes.swept.at(-1)).toEqual(new Set(['c_cli']));
    expect(commits).toEqual(expect.arrayContaining(['settle m_cli', 'life.end 7']));
    const before = commits.length;
    await clock.advance(60_000);
    expect(commits).toHaveLength(before);
  });

  test.each([
    ['lives', here],
    ['is of another container', { ...DEAD, bootId: `${here.bootId.split(' ')[0]} pid:[1]` }],
  ])('is left alone while it %s', async (_, identity) => {
    const { clock, commits } = await beside(identity);
    await clock.advance(60_000);
    expect(commits).toEqual([]);
  });
});

test('another daemon of the home is over, whatever its process does: the lock says so', async () => {
  const { life, store, processes } = beginning();
  const { pid, bootId } = processIdentity();
  const parent = parseProcStat(readFileSync(`/proc/${process.ppid}/stat`, 'utf8'));
  const original: Life = {
    ...{ id: 2, kind: 'daemon', epoch: 7, bootId },
    ...{ pid: process.ppid, startTime: parent?.startTime ?? '' },
  };
  expect(isAlive(original)).toBe(true);
  expect(original.pid).not.toBe(pid);
  store.openLives = async () => [original];
  const asked: (readonly number[])[] = [];
  const openWork = store.openWork.bind(store);
  store.openWork = async (...living: unknown[]) => {
    asked.push(living[0] as readonly number[]);
    return openWork();
  };
  await life.begin();
  await life.recover();
  // Its rows are asked for like those of any that died.
  expect(asked).toEqual([[3]]);
  expect(processes.swept).toHaveLength(1);
});
