/** How fast the chart decides: a turn's admission and its settling, as the gateway does it, journal rows included. */
import { createActor } from 'xstate';
import { gatewayMachine } from '../../machines/gateway.ts';
import { systemClock } from '../../src/clock.ts';
import { Lifecycle } from '../../src/gateway/lifecycle.ts';
import { type Bench, timed } from './measure.ts';
import { quietLog } from './quiet.ts';

const MESSAGES = 30_000;

const perSecond = (ms: number) => MESSAGES / (ms / 1000);

export const admission: Bench = {
  title: 'Admission',
  about:
    'One turn is admitted and settled: two events to the lifecycle chart through `src/gateway/lifecycle.ts`, each with its journal row. Beside it, the same two events sent to a bare actor of the same machine.',
  rows: {
    'messages admitted and settled': { unit: '/s', limit: { atLeast: 50_000 } },
    'bare actor.send': { unit: '/s' },
    'gateway to bare actor': { unit: '×', digits: 2 },
  },
  async round() {
    const lifecycle = new Lifecycle({
      supervisor: 'none',
      clock: systemClock,
      log: quietLog,
      journal: () => {},
      times: () => ({ drainMs: 0, killMs: 0, exitMs: 0 }),
      usual: () => ({ agent: 'default', whenBusy: 'queue' }),
      changed: () => {},
    });
    const nothing = () => {};
    lifecycle.start({
      takeUpHeld: nothing,
      holdUnstarted: nothing,
      abortStart: nothing,
      interruptWork: nothing,
      killCommands: nothing,
      flush: nothing,
      stopReceiving: nothing,
      askWhetherClosed: nothing,
    });
    lifecycle.send({ type: 'started' });
    const actor = createActor(gatewayMachine, { input: { supervisor: 'none' } }).start();
    actor.send({ type: 'started' });
    const ours = await timed(() => {
      for (let n = 0; n < MESSAGES; n += 1) {
        const id = `m_${n}`;
        const decided = lifecycle.admit({
          type: 'message.turn',
          id,
          agent: 'default',
          whenBusy: 'queue',
        });
        if (decided?.admission !== 'dispatch') throw new Error(decided?.admission);
        lifecycle.send({ type: 'work.settled', id });
      }
    });
    const bare = await timed(() => {
      for (let n = 0; n < MESSAGES; n += 1) {
        const id = `m_${n}`;
        actor.send({ type: 'message.turn', id, agent: 'default', whenBusy: 'queue' });
        actor.send({ type: 'work.settled', id });
      }
    });
    return {
      'messages admitted and settled': perSecond(ours),
      'bare actor.send': perSecond(bare),
      'gateway to bare actor': ours / bare,
    };
  },
};
