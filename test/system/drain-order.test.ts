/**
 * The deadline of a drain, looked at from outside: what a turn had started has ended before its platform is left, so that
 * whatever it did last can still be told. A tree that cannot be asked to end is killed once its grace is over, and would
 * live for just as long beside a platform that was left too early.
 */
import { expect, onTestFinished, test } from 'vitest';
import { survivors } from '../process/survivors.ts';
import { isRunning } from '../support/home-files.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';

/** Deaf to TERM, with a child in a session of its own that is as deaf and holds no output. */
const AGENT = "trap '' TERM; setsid sleep 300 >/dev/null 2>&1 & echo working; sleep 300";

const CONFIG = `agent: { type: command, command: ${JSON.stringify(AGENT)}, restart_drain_timeout: 1 }
shutdown: { kill_grace: 1 }
access: { users: ["standin:ann"] }`;

test.each([
  ['a stop', 'SIGTERM'],
  ['a restart', 'SIGUSR1'],
] as const)(
  'at the deadline of %s an aborted turn has ended with all it started before the platform is left',
  async (_, signal) => {
    const server = await StandInServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const gateway = await startWithStandIn(server, { config: CONFIG });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    await server.deliver({ id: '1', from: 'ann', text: 'work' });
    const status = await gateway.statusWhere(({ inFlight }) => inFlight.turns.length === 1);
    const turn: string = status.inFlight.turns[0].id;
    // The shell and both that it started.
    await gateway.statusWhere(() => survivors(turn).length === 3);
    const tree = survivors(turn);

    const seen: { moment: string; alive: number[]; told: string[] }[] = [];
    const look = (moment: string) =>
      seen.push({ moment, alive: tree.filter(isRunning), told: server.sent.map(({ text }) => text) });
    const left = new Promise<void>((resolve) => {
      server.disconnected = () => {
        look('left');
        resolve();
      };
    });
    gateway.signal(signal);
    await gateway.entered('draining.interrupting');
    look('aborted');
    await left;
    expect(seen).toEqual([
      { moment: 'aborted', alive: tree, told: [] },
      {
        moment: 'left',
        alive: [],
        told: ['working\n', expect.stringMatching(/^Interrupted: .* its time to wait is over\./)],
      },
    ]);
    if (signal === 'SIGUSR1') await gateway.ready(2);
    expect(survivors(turn)).toEqual([]);
    await gateway.stop();
  },
);
