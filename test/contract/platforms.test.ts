/** The contract of platforms, kept by each: the local one, and the one that tests put in a server's place. */
import { describe } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { LocalPlatform } from '../../src/platforms/local.ts';
import { standIn } from '../support/stand-in/platform.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { platformContract } from './platform-contract.ts';

describe('the local platform', () => {
  platformContract('local', async () => {
    const platform = new LocalPlatform();
    return { platform, [Symbol.asyncDispose]: () => platform.stop() };
  });
});

describe('the stand-in platform', () => {
  platformContract('standin', async () => {
    const server = await StandInServer.start();
    const platform = standIn.create({ port: server.port }, systemClock);
    return {
      platform,
      holdConnect: () => server.hold('connect'),
      write: (text) => server.deliver({ id: text, from: 'ann', text }),
      reached: () => server.sent.map(({ text }) => text),
      failSends: () => server.failSends('the server is out of order'),
      async [Symbol.asyncDispose]() {
        await platform.stop();
        await server[Symbol.asyncDispose]();
      },
    };
  });
});
