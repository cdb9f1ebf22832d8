/** The servers themselves: what befalls them is logged and felt by nobody, and their socket file is theirs alone. */
import { channel } from 'node:diagnostics_channel';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { CONNECTIONS_MAX, Faces, type FacesOptions } from '../../src/control/http.ts';
import { SocketFile } from '../../src/control/socket-file.ts';
import { httpRequest } from '../support/gateway.ts';

const TOKEN = 'f'.repeat(64);

let folder: string;
let logged: string[];
let faces: Faces;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  logged = [];
  const routes = {
    handle: async ({ response }: { response: { end(text: string): void } }) => response.end('{}'),
    endStreams: () => {},
  };
  const log = { warn: (facts: object, text: string) => logged.push(`${text} ${JSON.stringify(facts)}`) };
  faces = new Faces({ routes, log, clock: systemClock, token: TOKEN } as unknown as FacesOptions);
});
afterEach(async () => {
  await faces.close();
  rmSync(folder, { recursive: true, force: true });
});

const socketPath = () => join(folder, 'control.sock');

test('a request that still waits when no more are taken is answered, and only then is it done', async () => {
  const arrived = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const routes = {
    handle: async ({ response }: { response: { end(text: string): void } }) => {
      arrived.resolve();
      await ended.promise;
      response.end('{}');
    },
    endWaits: async () => ended.resolve(),
    endStreams: () => {},
  };
  const waiting = new Faces({ routes, clock: systemClock, token: TOKEN } as unknown as FacesOptions);
  await waiting.listenSocket(socketPath());
  const answer = httpRequest({ socketPath: socketPath() }, 'GET', '/');
  await arrived.promise;
  await waiting.stopAccepting();
  expect(await answer).toMatchObject({ status: 200 });
  await waiting.close();
});

/** The server that answers, as Node itself tells of it. */
async function serverBehind(request: () => Promise<unknown>): Promise<Server> {
  const requests = channel('http.server.request.start');
  const found = Promise.withResolvers<Server>();
  const hear = (message: unknown) => found.resolve((message as { server: Server }).server);
  requests.subscribe(hear);
  await request();
  requests.unsubscribe(hear);
  return found.promise;
}

test('a server that cannot take connections for want of descriptors logs each time, and goes on', async () => {
  await faces.listenSocket(socketPath());
  const ask = () => httpRequest({ socketPath: socketPath() }, 'GET', '/');
  const server = await serverBehind(ask);
  for (const code of ['EMFILE', 'EMFILE', 'ENFILE']) server.emit('error', new Error(`accept ${code}`));
  expect(logged.map((line) => /accept \w+/.exec(line)?.[0])).toEqual([
    'accept EMFILE',
    'accept EMFILE',
    'accept ENFILE',
  ]);
  expect(await ask()).toMatchObject({ status: 200 });
  expect(server.maxConnections).toBe(CONNECTIONS_MAX);
});

test('a prober needs neither token nor a Host that is ours; everything else needs both', async () => {
  const { hostname: host, port } = new URL(await faces.listenHttp('0.0.0.0', 0));
  const get = (path: string, headers: Record<string, string>) =>
    httpRequest({ host, port: Number(port), headers }, 'GET', path);
  expect(host).toBe('127.0.0.1');
  for (const path of ['/livez', '/readyz']) {
    expect(await get(path, { host: '10.1.2.3:7171' })).toMatchObject({ status: 200 });
  }
  const authorization = `Bearer ${TOKEN}`;
  expect(await get('/v1/status', { host: '10.1.2.3:7171', authorization })).toMatchObject({ status: 403 });
  expect(await get('/v1/status', {})).toMatchObject({ status: 401 });
  expect(await get('/v1/status', { authorization })).toMatchObject({ status: 200 });
});

describe('the file of the control socket', () => {
  test('is its owner’s alone from the moment it is there, and gone when the faces close', async () => {
    await faces.listenSocket(socketPath());
    expect(lstatSync(socketPath()).mode & 0o777).toBe(0o600);
    await faces.close();
    expect(existsSync(socketPath())).toBe(false);
  });

  test('is left alone when another has bound the path meanwhile', async () => {
    await faces.listenSocket(socketPath());
    rmSync(socketPath());
    const other = createServer().listen(socketPath());
    await new Promise((resolve) => other.once('listening', resolve));
    await faces.close();
    expect(lstatSync(socketPath()).isSocket()).toBe(true);
    await new Promise((resolve) => other.close(resolve));
  });

  test.each(['a file', 'a folder', 'a link', 'nothing'])(
    'is put back where %s lies in its place',
    async (what) => {
      await faces.listenSocket(socketPath());
      rmSync(socketPath());
      if (what === 'a file') writeFileSync(socketPath(), 'in the way');
      if (what === 'a folder') mkdirSync(join(socketPath(), 'in-the-way'), { recursive: true });
      if (what === 'a link') symlinkSync('/nowhere', socketPath());
      await faces.keepSocket();
      expect(await httpRequest({ socketPath: socketPath() }, 'GET', '/')).toMatchObject({ status: 200 });
      await faces.close();
      expect(existsSync(socketPath())).toBe(false);
    },
  );

  test.each([
    ['open to others', (path: string) => mkdirSync(path, { mode: 0o755 })],
    ['a link to one of this user’s', (path: string) => symlinkSync(folder, path)],
  ])('is not made outside the home in a folder that is %s', (_, make) => {
    const outside = join(folder, 'sluice-0');
    make(outside);
    expect(() => new SocketFile(join(outside, '0123456789abcdef.sock')).prepare()).toThrow(
      expect.objectContaining({ code: 'HOME_NO_PERMISSION' }),
    );
  });
});
