/** Reloads: one at a time, in every state until the gateway closes; a failed one changes nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { SluiceError } from '../../src/errors.ts';
import { type ReloadAsk, Reloads } from '../../src/gateway/reloads.ts';
import { ConfigOnDisk } from '../support/config-on-disk.ts';
import { keptLog } from '../support/gateway-core.ts';

const MINE: ReloadAsk = { cause: 'reload', actor: 'local:owner' };
const WATCH: ReloadAsk = { cause: 'watch', actor: 'watch' };

const owners = (name: string) => `access: { owners: ["chat:${name}"] }\n`;

const disks: ConfigOnDisk[] = [];
afterEach(() => {
  for (const disk of disks.splice(0)) disk[Symbol.dispose]();
});

function setUp(text = owners('ann')) {
  const disk = new ConfigOnDisk(text);
  disks.push(disk);
  const { log, lines } = keptLog();
  const world = {
    state: 'running.healthy',
    deadlineAt: null as number | null,
    told: [] as string[],
    prepare: async (_: Config): Promise<void> => {},
  };
  const reloads = new Reloads({
    configuration: disk.configuration,
    log,
    view: () => world,
    parked: () => [],
    prepare: (config) => world.prepare(config),
    applied: () => void world.told.push('applied'),
    failed: () => void world.told.push('failed'),
  });
  const running = () => disk.configuration.current.access.owners;
  return { disk, world, reloads, lines, running, configuration: disk.configuration };
}

describe('a reload', () => {
  test('applies the file, says what changed, and is logged with actor and cause', async () => {
    const { disk, world, reloads, lines, running } = setUp();
    disk.write(owners('bea'));
    expect(await reloads.ask({ cause: 'SIGHUP', actor: 'signal' })).toMatchObject({
      is: 'applied',
      file: disk.path,
      changes: [{ key: 'access.owners', applies: 'now', heldBy: null }],
    });
    expect(running()).toEqual(['chat:bea']);
    expect(world.told).toEqual(['applied']);
    expect(lines).toMatchObject([
      {
        cause: 'SIGHUP',
        actor: 'signal',
        file: disk.path,
        changes: 1,
        msg: 'reload asked by signal: access.owners (now)',
      },
    ]);
  });

  test('of a file that is not valid leaves the very object that runs, and is a warning until one succeeds', async () => {
    const { disk, world, reloads, configuration } = setUp();
    const before = configuration.current;
    disk.write('acess: {}\nlistn: {}\n');
    expect(await reloads.ask(MINE)).toMatchObject({
      is: 'invalid',
      problems: [
        { line: 3, column: 1, key: 'acess' },
        { line: 4, column: 1, key: 'listn' },
      ],
    });
    expect(configuration.current).toBe(before);
    expect(configuration.warnings).toEqual([
      expect.stringMatching(/^the last reload changed nothing, because: .*:3:1 acess: .* \(and 1 more\)$/),
    ]);
    expect(world.told).toEqual(['failed']);
    disk.write(owners('ann'));
    await reloads.ask(MINE);
    expect(configuration.warnings).toEqual([]);
  });

  test('keeps what waits for a restart, over any number of reloads, and forgets it when it is undone', async () => {
    const { disk, reloads, configuration } = setUp('inspector: { xstate_inspect: "127.0.0.1:1" }\n');
    for (const port of [2, 3]) {
      disk.write(`inspector: { xstate_inspect: "127.0.0.1:${port}" }\n${owners(String(port))}`);
      expect((await reloads.ask(MINE)).is).toBe('applied');
      expect(configuration.current).toMatchObject({
        inspector: { xstateInspect: { port: 1 } },
        access: { owners: [`chat:${port}`] },
      });
      expect(configuration.warnings).toEqual(['waiting for a restart: inspector.xstate_inspect']);
    }
    disk.write('inspector: { xstate_inspect: "127.0.0.1:1" }\n');
    await reloads.ask(MINE);
    expect(configuration.warnings).toEqual([]);
  });

  test('that cannot be prepared changes nothing', async () => {
    const { disk, world, reloads, running } = setUp();
    world.prepare = async () => {
      throw new SluiceError('RESTART_NEEDED', 'its code is not there');
    };
    disk.write(owners('bea'));
    expect(await reloads.ask(MINE)).toMatchObject({ is: 'refused', error: { code: 'RESTART_NEEDED' } });
    expect({ running: running(), told: world.told }).toEqual({ running: ['chat:ann'], told: ['failed'] });
  });

  test('with a defect is an answer, never a rejection, and the next one works', async () => {
    const { disk, world, reloads, lines, running } = setUp();
    world.prepare = async () => {
      throw new TypeError('a defect');
    };
    disk.write(owners('bea'));
    expect(await reloads.ask(MINE)).toMatchObject({ is: 'refused', error: { code: 'INTERNAL' } });
    expect(lines.find(({ level }) => level === 50)).toMatchObject({ error: 'a defect' });
    world.prepare = async () => {};
    await reloads.ask(MINE);
    expect(running()).toEqual(['chat:bea']);
  });
});

test('reloads that come at once: one reads the file anew after the one under way, and the others join that', async () => {
  const { disk, world, reloads, lines, running } = setUp();
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let prepared = 0;
  world.prepare = async () => {
    prepared += 1;
    await gates[prepared - 1]?.promise;
  };
  disk.write(owners('first'));
  const first = reloads.ask(MINE);
  await expect.poll(() => prepared).toBe(1);
  disk.write(owners('second'));
  const later = [reloads.ask(WATCH), reloads.ask({ cause: 'SIGHUP', actor: 'signal' }), reloads.ask(MINE)];
  gates[0]?.resolve();
  await first;
  expect(running()).toEqual(['chat:first']);
  gates[1]?.resolve();
  const [one, ...others] = await Promise.all(later);
  expect(running()).toEqual(['chat:second']);
  for (const other of others) expect(other).toBe(one);
  expect(prepared).toBe(2);
  expect(lines.map(({ msg }) => msg)).toEqual([
    'reload asked by signal: joined the one that comes next',
    'reload asked by local:owner: joined the one that comes next',
    'reload asked by local:owner: access.owners (now)',
    'reload asked by watch: access.owners (now)',
  ]);
});

describe('the state of the gateway', () => {
  test.each([
    'starting',
    'running.healthy',
    'running.degraded',
    'draining.waiting',
    'draining.drained',
    'draining.interrupting',
    'restarting.flushing',
    'stopped.flushing',
  ])('%s takes a reload', async (state) => {
    const { disk, world, reloads, running } = setUp();
    world.state = state;
    disk.write(owners('bea'));
    expect((await reloads.ask(MINE)).is).toBe('applied');
    expect(running()).toEqual(['chat:bea']);
  });

  test.each(['restarting.closing', 'stopped.closing', 'exited'])(
    '%s answers that it is leaving',
    async (state) => {
      const { disk, world, reloads, running } = setUp();
      world.state = state;
      disk.write(owners('bea'));
      expect(await reloads.ask(MINE)).toMatchObject({ is: 'refused', error: { code: 'GATEWAY_LEAVING' } });
      expect(running()).toEqual(['chat:ann']);
    },
  );

  test('of changed deadlines it is said that one under way stays as it is', async () => {
    const { disk, world, reloads } = setUp();
    const notes = async (seconds: number) => {
      disk.write(
        `agent: { command: cat, restart_drain_timeout: ${seconds} }\nshutdown: { exit_timeout: ${seconds} }\n`,
      );
      const reloaded = await reloads.ask(MINE);
      return reloaded.is === 'applied' && reloaded.notes;
    };
    expect(await notes(5)).toEqual([]);
    Object.assign(world, { state: 'draining.waiting', deadlineAt: 1 });
    expect(await notes(6)).toEqual([
      'the deadline under way stays as it is; agent.restart_drain_timeout counts from the next one on',
      'the deadline under way stays as it is; shutdown.exit_timeout counts from the next one on',
    ]);
  });
});

test('what is reloaded is kept as the last good one once the gateway has run, and not before', async () => {
  const { disk, reloads, configuration } = setUp();
  disk.write(owners('bea'));
  await reloads.ask(MINE);
  expect(existsSync(disk.lastGoodPath)).toBe(false);
  configuration.keepAsLastGood();
  expect(readFileSync(disk.lastGoodPath, 'utf8')).toContain('chat:bea');
  disk.write(owners('cid'));
  await reloads.ask(MINE);
  expect(readFileSync(disk.lastGoodPath, 'utf8')).toContain('chat:cid');
  disk.write('listn: {}\n');
  await reloads.ask(MINE);
  expect(readFileSync(disk.lastGoodPath, 'utf8')).toContain('chat:cid');
});

describe('a watched file', () => {
  test('that is wrong in the same way is said once; another mistake is said again', async () => {
    const { disk, reloads, lines } = setUp();
    const wrong = 'acess: {}\n';
    for (const text of [wrong, `${wrong}# later\n`, owners('ann'), wrong, 'listn: {}\n']) {
      disk.write(text);
      await reloads.ask(WATCH);
    }
    const warned = lines
      .filter(({ level }) => level === 40)
      .map(({ msg }) => /(acess|listn)/.exec(String(msg))?.[0]);
    expect(warned).toEqual(['acess', 'acess', 'listn']);
  });

  test('whose text is the same is no news, and is not judged again', async () => {
    const { reloads, lines, configuration, disk } = setUp();
    const read = configuration.read();
    await reloads.ask(WATCH);
    expect(lines.map(({ level }) => level)).toEqual([20]);
    const again = configuration.read();
    expect('loaded' in again && 'loaded' in read && again.loaded === read.loaded).toBe(true);
    expect(existsSync(join(disk.folder, 'last-good.yaml'))).toBe(false);
  });
});

test('a log line of a large reload names the first keys and counts the others', async () => {
  const commands = (text: string) =>
    `quick_commands:\n${Array.from({ length: 500 }, (_, n) => `  c${n}: { type: exec, command: ${text} }\n`).join('')}`;
  const { disk, reloads, lines } = setUp(commands('one'));
  disk.write(commands('two'));
  await reloads.ask(MINE);
  expect(lines.at(-1)).toMatchObject({
    changes: 500,
    msg: expect.stringMatching(/c19\.command \(now\) and 480 more$/),
  });
});
