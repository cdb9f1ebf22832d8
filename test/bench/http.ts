/** Messages over HTTP on loopback, beside a bare server that parses the body and answers. */
import { createServer } from 'node:http';
import type { TestGateway } from '../support/gateway.ts';
import { builtGateway } from './daemon.ts';
import { type Bench, timed } from './measure.ts';
import { Connection } from './sockets.ts';

const CLIENTS = 16;
const MESSAGES = 960;

let gateway: TestGateway | undefined;

/** A bare server in this process would share our event loop; the bench's own work is the same for both. */
async function bareServer() {
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { text } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const body = Buffer.from(JSON.stringify({ admission: 'dispatch', text }));
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

async function load(connection: Connection, body: (n: number) => unknown): Promise<void> {
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let n = 0; n < MESSAGES / CLIENTS; n += 1)
        await connection.post('/v1/messages', body(client * MESSAGES + n));
    }),
  );
}

export const http: Bench = {
  title: 'Intake over HTTP',
  about: `${CLIENTS} kept-alive clients post control commands (each committed twice: its decision and its outcome). The bare server only parses the body, in the bench’s own process.`,
  rows: {
    'messages to the gateway': { unit: '/s' },
    'requests to a bare server': { unit: '/s' },
    'bare server to gateway': { unit: '×', digits: 2 },
  },
  async round() {
    gateway ??= await builtGateway();
    const { url, token } = await gateway.http();
    const { hostname, port } = new URL(url);
    const headers = `host: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\n`;
    const ours = new Connection({ host: hostname, port: Number(port) }, headers);
    const { server, port: barePort } = await bareServer();
    const bare = new Connection({ host: '127.0.0.1', port: barePort });
    const body = () => ({ text: '/ps' });
    const oursMs = await timed(() => load(ours, body));
    const bareMs = await timed(() => load(bare, body));
    ours.close();
    bare.close();
    await new Promise((resolve) => server.close(resolve));
    return {
      'messages to the gateway': MESSAGES / (oursMs / 1000),
      'requests to a bare server': MESSAGES / (bareMs / 1000),
      'bare server to gateway': oursMs / bareMs,
    };
  },
  async dispose() {
    await gateway?.[Symbol.asyncDispose]();
  },
};
