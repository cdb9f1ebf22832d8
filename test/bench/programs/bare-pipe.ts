/**
 * The least that stands between a model server and a client: an HTTP server that sends each request on to the port of
 * its first argument and pipes the answer back. Says its own port over IPC.
 */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const port = Number(process.argv[2]);

const server = createServer((asked, answer) => {
  const { method, url: path, headers } = asked;
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
  sent.on('response', (came) => {
    answer.writeHead(came.statusCode ?? 0, came.headers);
    came.pipe(answer);
  });
  sent.on('error', (error) => answer.destroy(error));
  asked.pipe(sent);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

process.once('disconnect', () => process.exit());
