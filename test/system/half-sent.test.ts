/** What has not arrived whole has not been accepted: a gateway that leaves cuts it off instead of waiting for it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { httpRequest, TestGateway } from '../support/gateway.ts';

/** The deadline that a half-sent request would use up; the exit itself takes some hundredths of a second. */
const EXIT_TIMEOUT_S = 40;
const SOON_MS = 10_000;

const HALVES = {
  'half a head': (token: string) => `POST /v1/messages HTTP/1.1\r\nAuthorization: Bearer ${token}\r\n`,
  'half a body': (token: string, host: string) =>
    `POST /v1/messages HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100\r\n\r\n{`,
  'nothing at all': () => '',
} as const;

test.each([
  ['SIGINT', (gateway: TestGateway) => gateway.exited],
  ['SIGUSR1', (gateway: TestGateway) => gateway.ready(2)],
] as const)(
  'a gateway that leaves by %s waits for no half-sent request, and answers the whole one',
  async (signal, left) => {
    await using gateway = await TestGateway.start({
      config: `shutdown: { exit_timeout: ${EXIT_TIMEOUT_S} }`,
    });
    gateway.folder.fifo('one');
    const { url, token } = await gateway.http();
    const { hostname, port, host } = new URL(url);
    const overHttp = { host: hostname, port: Number(port) };
    const overSocket = { path: join(gateway.folder.home, 'control.sock') };
    const halves: Socket[] = [];
    for (const where of [overSocket, overHttp]) {
      for (const half of Object.values(HALVES)) {
        const connection = connect(where);
        connection.on('error', () => {});
        await once(connection, 'connect');
        connection.write(half(token, host));
        halves.push(connection);
      }
    }
    const whole = httpRequest(
      { ...overHttp, headers: { authorization: `Bearer ${token}` } },
      'POST',
      '/v1/messages?wait=1',
      { text: 'wait one' },
    );
    await gateway.inFlight('turns', 1);
    gateway.signal(signal);
    await gateway.entered('draining.waiting');
    expect(halves.filter(({ closed }) => closed)).toEqual([]);
    const closed = Promise.all(halves.map((half) => half.closed || once(half, 'close')));
    const atMs = performance.now();
    await gateway.folder.release('one');
    expect((await whole).json).toMatchObject({ outcome: 'answered' });
    await left(gateway);
    await closed;
    expect(performance.now() - atMs).toBeLessThan(SOON_MS);
    if (gateway.alive) expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  },
);
