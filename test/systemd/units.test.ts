/**
 * The units in `config/examples` under a real systemd: what it does with each way the gateway ends, and what the
 * gateway does with each way systemd ends it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli, TestGateway } from '../support/gateway.ts';
import { statusFile } from '../support/home-files.ts';
import { polled } from '../support/polling.ts';
import { SystemdBox, whySkipped } from '../support/systemd-box.ts';
import { UnitGateway, type UnitStyle } from '../support/unit-gateway.ts';

const MISSING = whySkipped();

/** Exit status of a restart that somebody asked the gateway for, and of a SIGTERM. */
const RESTART = 75;
const TERMINATED = 1;

/** What each unit makes of what the gateway leaves with. */
const EXPECTED = {
  ours: {
    stopped: { ActiveState: 'inactive', SubState: 'dead', Result: 'success', ExecMainStatus: '0' },
    stopCause: 'SIGINT',
    restartCode: RESTART,
    restartVerdict: 'success',
    askedRestartVerdict: 'success',
  },
  'hermes-style': {
    stopped: { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', ExecMainStatus: '1' },
    stopCause: 'SIGTERM',
    restartCode: TERMINATED,
    restartVerdict: 'exit-code',
    askedRestartVerdict: 'exit-code',
  },
} as const;

const COMMANDS =
  'quick_commands: { up: { type: exec, command: "echo up" }, hold: { type: exec, command: "cat one; echo held" } }';

const INVALID = 'agnet: {}';

describe.skipIf(MISSING)(`under a real systemd${MISSING ? ` (skipped: ${MISSING})` : ''}`, () => {
  let box: SystemdBox;
  beforeAll(async () => {
    box = await SystemdBox.up();
  });
  afterAll(() => box?.[Symbol.asyncDispose]());

  describe.each(['ours', 'hermes-style'] as const satisfies UnitStyle[])('the unit %s', (style) => {
    const expected = EXPECTED[style];

    test('is recognised by the gateway, gives it longer to stop than it takes, and stays stopped', async () => {
      await using gateway = await UnitGateway.start(box, style);
      expect(gateway.lines[0]).toMatchObject({
        supervisor: 'systemd',
        because: 'SYSTEMD_EXEC_PID is our pid',
      });
      expect(await gateway.status()).toMatchObject({ supervisor: 'systemd', epoch: 1 });
      const unit = await box.show(
        gateway.name,
        'TimeoutStopUSec',
        'StartLimitBurst',
        'StartLimitIntervalUSec',
      );
      expect(unit).toEqual({
        TimeoutStopUSec: '1min 30s',
        StartLimitBurst: '60',
        StartLimitIntervalUSec: '5min',
      });
      const longest = await gateway.said(({ longestMs }) => longestMs !== undefined);
      expect(longest.longestMs).toBeLessThanOrEqual(90_000 - 15_000);
      await gateway.ctl('stop');
      expect(await gateway.standing()).toEqual({ ...expected.stopped, NRestarts: '0' });
      expect(gateway.revivals).toBe(0);
      expect(statusFile(gateway.folder.home)).toMatchObject({
        state: 'exited',
        exit: { code: Number(expected.stopped.ExecMainStatus), cause: expected.stopCause },
      });
    });

    test('comes back from `systemctl restart` with a later epoch', async () => {
      await using gateway = await UnitGateway.start(box, style);
      await gateway.ctl('restart');
      await gateway.ready(2);
      expect(await gateway.status()).toMatchObject({ epoch: 2, lastExit: { code: expected.restartCode } });
      expect(gateway.verdicts).toEqual([expected.restartVerdict]);
      expect(await gateway.standing()).toMatchObject({ ActiveState: 'active', Result: 'success' });
    });

    test('comes back from `sluice restart`, typed in its namespaces or outside, and not from `sluice stop`', async () => {
      await using gateway = await UnitGateway.start(box, style);
      expect(await gateway.cli('restart')).toMatchObject({ code: 0 });
      expect(await gateway.status()).toMatchObject({
        epoch: 2,
        lastExit: { code: RESTART, cause: 'restart' },
      });
      const outside = await runCli(['restart', '--home', gateway.folder.home], gateway.folder.path);
      expect(outside).toMatchObject({ code: 0 });
      expect(await gateway.status()).toMatchObject({ epoch: 3, lastExit: { code: RESTART } });
      // The CLI knows it sooner than the journal does.
      await gateway.ready(3);
      expect(gateway.exitCodes).toEqual([RESTART, RESTART]);
      expect(gateway.verdicts).toEqual([expected.askedRestartVerdict, expected.askedRestartVerdict]);
      expect(await gateway.standing()).toMatchObject({ ActiveState: 'active', NRestarts: '2' });
      expect(await gateway.cli('stop')).toMatchObject({ code: 0 });
      await gateway.ended(3);
      expect(await gateway.standing()).toMatchObject({ ActiveState: 'inactive', ExecMainStatus: '0' });
      expect(gateway.revivals).toBe(2);
    });

    test('revives a gateway after a stray SIGTERM, and after a kill -9', async () => {
      await using gateway = await UnitGateway.start(box, style);
      await gateway.signal('TERM');
      await gateway.ready(2);
      expect(gateway.verdicts).toEqual(['exit-code']);
      expect(await gateway.status()).toMatchObject({ epoch: 2, lastExit: { code: TERMINATED } });
      await gateway.signal('KILL');
      await gateway.ready(3);
      expect(gateway.verdicts).toEqual(['exit-code', 'signal']);
      expect(await gateway.status()).toMatchObject({ epoch: 3, lastExit: { cause: 'died' } });
    });

    test.each(['restart', 'stop'])(
      'lets a turn finish at `systemctl %s`, and keeps its answer',
      async (verb) => {
        await using gateway = await UnitGateway.start(box, style, { more: COMMANDS });
        gateway.folder.fifo('one');
        const turn = gateway.send('wait one', { id: 'kept' });
        await gateway.inFlight('turns');
        const leaving = gateway.ctl(verb);
        await gateway.entered('draining.waiting');
        expect(await gateway.send('/up')).toMatchObject({ outcome: 'ran', replies: ['up'] });
        await gateway.folder.release('one');
        expect(await turn).toMatchObject({ outcome: 'answered' });
        await leaving;
        if (verb === 'stop') await gateway.ctl('start');
        await gateway.ready(2);
        expect(await gateway.send('wait one', { id: 'kept' })).toMatchObject({
          outcome: 'answered',
          replies: ['started one\nfinished one\n'],
        });
      },
    );

    test('lets a command finish at `systemctl stop`: only the gateway is signalled', async () => {
      await using gateway = await UnitGateway.start(box, style, { more: COMMANDS });
      gateway.folder.fifo('one');
      const command = gateway.send('/hold');
      await gateway.inFlight('commands');
      const stop = gateway.ctl('stop');
      await gateway.entered('draining.waiting');
      expect((await gateway.status()).inFlight.commands).toHaveLength(1);
      await gateway.folder.release('one');
      expect(await command).toMatchObject({ outcome: 'ran', replies: ['held'] });
      await stop;
      expect(await gateway.standing()).toMatchObject(expected.stopped);
    });

    test('runs on the last good configuration when the file has become invalid, and says so', async () => {
      await using gateway = await UnitGateway.start(box, style);
      gateway.folder.writeConfig(INVALID);
      await gateway.signal('KILL');
      await gateway.ready(2);
      const warnings = [expect.stringMatching(/last good configuration.*agnet/)];
      expect(await gateway.status()).toMatchObject({ epoch: 2, warnings });
      await gateway.ctl('restart');
      await gateway.ready(3);
      expect(await gateway.status()).toMatchObject({ epoch: 3, state: 'running.healthy', warnings });
    });
  });

  describe('the unit ours', () => {
    test('survives ten planned restarts one after the other', async () => {
      await using gateway = await UnitGateway.start(box, 'ours');
      for (let lives = 2; lives <= 11; lives += 1) {
        const asked = await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
        expect(asked.status).toBe(202);
        await gateway.ready(lives);
      }
      expect(await gateway.status()).toMatchObject({ epoch: 11, state: 'running.healthy' });
      expect(await gateway.standing()).toMatchObject({ ActiveState: 'active', NRestarts: '10' });
    });

    test('is not started again while its home has another gateway', async () => {
      await using owner = await TestGateway.start();
      await using gateway = await UnitGateway.install(box, 'ours', { folder: owner.folder });
      await gateway.ctl('start');
      await gateway.ended(1);
      expect(await gateway.standing()).toEqual({
        ActiveState: 'failed',
        SubState: 'failed',
        Result: 'exit-code',
        ExecMainStatus: '73',
        NRestarts: '0',
      });
      expect(await owner.status()).toMatchObject({ state: 'running.healthy', epoch: 1 });
    });

    test('is not started again with an invalid configuration and no last good one', async () => {
      await using gateway = await UnitGateway.install(box, 'ours');
      gateway.folder.writeConfig(INVALID);
      await gateway.ctl('start');
      await gateway.ended(1);
      expect(await gateway.standing()).toMatchObject({
        ActiveState: 'failed',
        ExecMainStatus: '78',
        NRestarts: '0',
      });
    });

    test('hears a restart at any moment of the start', async () => {
      await using gateway = await UnitGateway.install(box, 'ours');
      await gateway.ctl('start');
      await gateway.ctl('restart');
      await gateway.ready();
      expect(await gateway.standing()).toMatchObject({ ActiveState: 'active', NRestarts: '0' });
      expect(gateway.verdicts).not.toContain('timeout');
    });

    test('revives a gateway that a SIGTERM met while it started', async () => {
      await using gateway = await UnitGateway.install(box, 'ours');
      await gateway.ctl('start');
      await gateway.signal('TERM');
      // On a busy machine the signal may come when that life has just begun to run.
      await box.until(() => gateway.revivals > 0, 'its revival');
      const status = () => gateway.status().catch(() => undefined);
      await polled(async () => (await status())?.state === 'running.healthy', 'the next life to run');
      expect(gateway.revivals).toBe(1);
    });
  });

  describe('the unit hermes-style', () => {
    test('ends up failed, and not started for ever, while another gateway has its home', async () => {
      await using owner = await TestGateway.start();
      await using gateway = await UnitGateway.install(box, 'hermes-style', {
        folder: owner.folder,
        rewrite: (text) => text.replace('StartLimitBurst=60', 'StartLimitBurst=2'),
      });
      await gateway.ctl('start');
      await box.until(() => gateway.verdicts.length > 2, 'the start limit');
      expect(gateway.verdicts).toEqual(['exit-code', 'exit-code', 'exit-code']);
      expect(await gateway.standing()).toMatchObject({ ActiveState: 'failed', ExecMainStatus: '73' });
    });

    test('restarts at `systemctl reload` once a turn has finished', async () => {
      await using gateway = await UnitGateway.start(box, 'hermes-style');
      gateway.folder.fifo('one');
      const turn = gateway.send('wait one');
      await gateway.inFlight('turns');
      await gateway.ctl('reload');
      await gateway.entered('draining.waiting');
      await gateway.folder.release('one');
      expect(await turn).toMatchObject({ outcome: 'answered' });
      await gateway.ready(2);
      expect(gateway.exitCodes).toEqual([RESTART]);
      expect(await gateway.status()).toMatchObject({
        epoch: 2,
        lastExit: { code: RESTART, cause: 'SIGUSR1' },
      });
    });
  });

  test('a gateway typed into a shell of some service does not take systemd for its supervisor', async () => {
    await using gateway = await UnitGateway.start(box, 'ours', { rewrite: throughShell });
    const { pid } = await gateway.status();
    const { stdout: environment } = await box.run('cat', `/proc/${pid}/environ`);
    for (const name of ['INVOCATION_ID', 'NOTIFY_SOCKET', 'SYSTEMD_EXEC_PID']) {
      expect(environment).toContain(`${name}=`);
    }
    expect(gateway.lines[0]).toMatchObject({ supervisor: 'none' });
    expect(await gateway.cli('restart')).toMatchObject({ code: 0 });
    expect(await gateway.status()).toMatchObject({ supervisor: 'none', epoch: 2, pid });
    expect(gateway.verdicts).toEqual([]);
  });
});

/** The gateway as a child of the service's main process, which is told all that a service can be told. */
const throughShell = (text: string): string =>
  text.replace(/^ExecStart=(.*)$/m, "NotifyAccess=all\nExecStart=/bin/sh -c '$1; exit 9'");
