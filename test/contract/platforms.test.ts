/** The contract of platforms, kept by each: the local one, and the one that tests put in a server's place. */
import { describe } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { LocalPlatform } from '../../src/platforms/local.ts';
import type { SendTrouble } from '../../src/platforms/platform.ts';
import type { Behaviour } from '../support/stand-in/behaviour.ts';
import { standIn } from '../support/stand-in/platform.ts';
import { type ServerAbilities, StandInServer } from '../support/stand-in/server.ts';
import { type PlatformGround, platformContract } from './platform-contract.ts';

describe('the local platform', () => {
  platformContract('local', async () => {
    const platform = new LocalPlatform();
    return { platform, [Symbol.asyncDispose]: () => platform.stop() };
  });
});

const BEHAVIOURS: Readonly<Record<SendTrouble, Behaviour>> = {
  'not-sent': { how: 'fail' },
  unknown: { how: 'cut' },
  wait: { how: 'wait', ms: 60_000 },
  format: { how: 'format' },
  gone: { how: 'gone' },
};

/** With a server that can do this. */
const prepared = (abilities: ServerAbilities) => async (): Promise<PlatformGround> => {
  const server = await StandInServer.start();
  server.can(abilities);
  const platform = standIn.create(server.settings, systemClock);
  return {
    platform,
    holdConnect: () => server.hold('connect'),
    letConnect: () => server.release('connect'),
    cut: () => server.cut(),
    turnAway: (trouble) => (trouble === 'auth' ? server.demand('another token') : server.turnAway('no time')),
    write: (text) => server.deliver({ id: text, from: 'ann', text }),
    reached: () => server.sent.map(({ text }) => text),
    failSends: () => server.failSends('the server is out of order'),
    holdSends: () => server.hold('send'),
    trouble: (trouble) => server.behave(BEHAVIOURS[trouble], { times: 1 }),
    async [Symbol.asyncDispose]() {
      await platform.stop();
      await server[Symbol.asyncDispose]();
    },
  };
};

describe('the stand-in platform', () => platformContract('standin', prepared({})));

describe('the stand-in platform of a server that recognises messages and can be asked', () => {
  platformContract('standin', prepared({ sendsOnce: true, reconcile: true }));
});
