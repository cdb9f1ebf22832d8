/** A client that asked for events and left while its message was still being decided. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Api } from '../../src/control/api.ts';
import { Faces, type FacesOptions } from '../../src/control/http.ts';
import { Routes, type RoutesOptions } from '../../src/control/routes.ts';

test('keeps no stream, no timer and no listener', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const socketPath = join(folder, 'control.sock');
  const asked = Promise.withResolvers<void>();
  const decided = Promise.withResolvers<void>();
  const unwatched = Promise.withResolvers<string>();
  const api: Partial<Api> = {
    inbound: () => ({}) as ReturnType<Api['inbound']>,
    receive: async () => {
      asked.resolve();
      await decided.promise;
      return { messageId: 'm_1' } as Awaited<ReturnType<Api['receive']>>;
    },
    unavailable: () => undefined,
    unwatch: (messageId) => unwatched.resolve(messageId),
  };
  let timers = 0;
  const clock = {
    ...systemClock,
    every: (...of: Parameters<typeof systemClock.every>) => {
      timers += 1;
      const timer = systemClock.every(...of);
      return {
        [Symbol.dispose]: () => {
          timers -= 1;
          timer[Symbol.dispose]();
        },
      };
    },
  };
  const routes = new Routes({ api, clock, pageFolder: undefined } as unknown as RoutesOptions);
  const faces = new Faces({ routes, clock, log: {}, token: '' } as unknown as FacesOptions);
  try {
    await faces.listenSocket(socketPath);
    const sent = request({
      socketPath,
      method: 'POST',
      path: '/v1/messages',
      headers: { accept: 'text/event-stream' },
    });
    sent.on('error', () => {});
    sent.end('{"text":"hello"}');
    await asked.promise;
    sent.destroy();
    // The server has seen it leave once another request on a connection of its own is answered.
    await new Promise((resolve) => request({ socketPath, path: '/nowhere' }, resolve).end());
    decided.resolve();
    expect(await unwatched.promise).toBe('m_1');
    expect(timers).toBe(0);
  } finally {
    await faces.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
