/**
 * Ends that somebody asked for are no deaths of a crash loop, also where they did not come in order: the third Ctrl-C, and
 * a kill in the middle of a stop or restart. What such a life worked on is recovered as after any kill. In each home
 * here one life has died before, so that one death more is too many.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { SIGNAL_REPEAT_MS } from '../../src/process/signals.ts';
import { standInAgent, TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { statusFile, storeRows } from '../support/home-files.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { StoreLock } from '../support/store-lock.ts';

const CONFIG = `agent: { type: command, command: ["${standInAgent}"], effects: none }
quick_commands: { slow: { type: exec, command: "exec cat one" } }
safe_mode: { deaths: 2, within: 10m }`;

/** A defect, whenever the gateway gets this signal. */
const PLANTED = ['--import', 'data:text/javascript,process.on("SIGUSR2",()=>{throw new Error("planted")})'];

/** Signals closer to one another than this are one press of Ctrl-C, so a next press is given after it. */
const anotherPress = () => systemClock.delay(SIGNAL_REPEAT_MS + 20);

async function afterOneDeath(start: (folder: TestFolder) => Promise<TestGateway> = startAlone) {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const live = async () => {
    const gateway = await start(folder);
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  await (await live()).kill9();
  /** Lives once more, for what its status says; what it took up again is ended with it. */
  const nextStatus = async () => {
    const gateway = await live();
    const status = await gateway.status();
    await gateway.post('/stop now');
    folder.letGo('one');
    await gateway.exited;
    return status;
  };
  /** A life with a turn in flight. */
  const working = async () => {
    const gateway = await live();
    await gateway.post('wait one', { id: 'one' });
    await gateway.inFlight('turns', 1);
    return gateway;
  };
  return { folder, live, nextStatus, working, rows: (sql: string) => storeRows(folder.home, sql) };
}

function startAlone(folder: TestFolder): Promise<TestGateway> {
  folder.writeConfig(testConfig(CONFIG));
  return TestGateway.start({ folder, nodeArgs: PLANTED });
}

const ask = (gateway: TestGateway, intent: string) => gateway.request('POST', '/v1/lifecycle', { intent });

/** Presses Ctrl-C three times. */
async function interruptAtOnce(gateway: TestGateway): Promise<void> {
  for (const state of ['draining.waiting', 'draining.interrupting']) {
    gateway.signal('SIGINT');
    await gateway.entered(state);
    await anotherPress();
  }
  gateway.signal('SIGINT');
}

const CUT_TURNS = "SELECT reason FROM turns WHERE outcome = 'interrupted' ORDER BY seq";

describe('no death of a crash loop is', () => {
  test('the third Ctrl-C; the turn that it cut off is interrupted, and goes on by the rules of a kill', async () => {
    const { folder, live, nextStatus, rows } = await afterOneDeath();
    const gateway = await live();
    // A turn that can be asked to end is over before anybody presses again.
    void gateway.send('deaf one', { id: 'deaf' }).catch(() => {});
    await gateway.turnsBegun(1);
    await interruptAtOnce(gateway);
    expect(await gateway.exited).toEqual({ code: 130, signal: null });
    expect(statusFile(folder.home)).toMatchObject({ epoch: 2, exit: { code: 130, cause: 'SIGINT' } });

    const next = await live();
    expect(await next.status()).toMatchObject({ degraded: [], lastExit: { code: 130, cause: 'SIGINT' } });
    expect(rows(CUT_TURNS)).toEqual([{ reason: 'gateway-died' }]);
    expect(rows('SELECT crashes FROM sessions WHERE crashes > 0')).toEqual([]);
    await folder.release('one');
    expect(await next.outcome('deaf')).toMatchObject({ outcome: 'answered' });
    // The one before counts all the same.
    await next.kill9();
    expect(await nextStatus()).toMatchObject({ degraded: ['safe-mode'] });
  });

  test('the third Ctrl-C while the store cannot be written', async () => {
    const { folder, live, nextStatus, rows } = await afterOneDeath();
    const gateway = await live();
    await gateway.post('deaf one', { id: 'deaf' });
    await gateway.turnsBegun(1);
    {
      using _ = new StoreLock(folder.home);
      await interruptAtOnce(gateway);
      expect(await gateway.exited).toEqual({ code: 130, signal: null });
    }
    expect(rows('SELECT cause FROM lives WHERE epoch = 2')).toEqual([{ cause: null }]);
    expect(await nextStatus()).toMatchObject({ degraded: [], lastExit: { code: 130, cause: 'SIGINT' } });
    expect(rows(CUT_TURNS)[0]).toEqual({ reason: 'gateway-died' });
  });

  test.each([
    ['a stop by a signal', async (gateway: TestGateway) => gateway.signal('SIGTERM')],
    ['a stop that a person asked for', (gateway: TestGateway) => ask(gateway, 'stop')],
    ['a restart', (gateway: TestGateway) => ask(gateway, 'restart')],
    [
      'a stop that joined a drain',
      async (gateway: TestGateway) => {
        await ask(gateway, 'drain');
        await ask(gateway, 'stop');
      },
    ],
  ])('a kill in the middle of %s', async (_, leave) => {
    const { nextStatus, working, rows } = await afterOneDeath();
    const gateway = await working();
    await leave(gateway);
    // Once it shows it, it stands in its file.
    await gateway.statusWhere(({ intent }) => intent === 'stop' || intent === 'restart');
    await gateway.kill9();
    expect(await nextStatus()).toMatchObject({ degraded: [], lastExit: { code: null, cause: 'cut-off' } });
    expect(rows(CUT_TURNS)[0]).toEqual({ reason: 'gateway-died' });
    expect(rows('SELECT crashes FROM sessions WHERE crashes > 0')).toEqual([]);
  });

  test('such a kill after which a start without a store was killed, too', async () => {
    const { folder, live, nextStatus, working } = await afterOneDeath();
    const gateway = await working();
    await ask(gateway, 'restart');
    await gateway.kill9();
    {
      using _ = new StoreLock(folder.home);
      const between = await live();
      expect((await between.status()).degraded).toContain('store');
      await between.kill9();
    }
    expect(await nextStatus()).toMatchObject({ degraded: [] });
  });
});

describe('a death it stays', () => {
  test.each([
    ['when it drained, and nobody had asked for a stop', ['drain']],
    ['when the restart that was asked for had been cancelled', ['restart', 'cancel-drain']],
  ])('%s', async (_, intents) => {
    const { nextStatus, working } = await afterOneDeath();
    const gateway = await working();
    for (const intent of intents) await ask(gateway, intent);
    await gateway.kill9();
    expect(await nextStatus()).toMatchObject({ degraded: ['safe-mode'] });
  });

  test('when a defect ended it in the middle of a stop', async () => {
    const { nextStatus, working } = await afterOneDeath();
    const gateway = await working();
    gateway.signal('SIGTERM');
    await gateway.entered('draining.waiting');
    gateway.signal('SIGUSR2');
    expect(await gateway.exited).toEqual({ code: 70, signal: null });
    expect(await nextStatus()).toMatchObject({ degraded: ['safe-mode'] });
  });

  test('when it was killed on the way out after a defect in the middle of a stop', async () => {
    const server = await StandInServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const { folder, nextStatus, working } = await afterOneDeath((folder) =>
      startWithStandIn(server, { folder, config: CONFIG, nodeArgs: PLANTED }),
    );
    const gateway = await working();
    server.hold('stop-receiving');
    gateway.signal('SIGTERM');
    await gateway.entered('draining.waiting');
    gateway.signal('SIGUSR2');
    await gateway.statusWhere(({ state }) => state === 'stopped.closing');
    expect(statusFile(folder.home)).toMatchObject({ intent: 'stop', failure: 'fault' });
    await gateway.kill9();
    server.release('stop-receiving');
    expect(await nextStatus()).toMatchObject({ degraded: ['safe-mode'] });
  });
});
