/**
 * A port for a server that goes and comes back where it was. One that the system chose would be given to whoever asks
 * for any while nobody listens at it.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { polled } from './polling.ts';

/** Below those that a system gives to whoever asks for any: nobody gets one of these by accident. */
const [PORT_MIN, PORT_MAX] = [20_000, 29_999];

/** A port on the loopback interface at which nobody listens. */
export function freePort(): Promise<number> {
  return polled(async () => {
    const port = randomInt(PORT_MIN, PORT_MAX + 1);
    const server = createServer();
    const isFree = new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    return (await isFree) && port;
  }, 'a free port');
}
