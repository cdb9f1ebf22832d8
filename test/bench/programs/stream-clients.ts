/**
 * Clients that read the answers of so many turns as they stream, in a process of their own. Arguments: the port and the
 * token of the gateway, how many turns, and of how many tokens each. Says over IPC `streaming` once each has its first
 * token, and ends when all are over.
 */
import { EventReader } from '../event-reader.ts';

const [port = '', token = '', turns = '', tokens = ''] = process.argv.slice(2);
const headers = `host: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n`;

const readers = Array.from({ length: Number(turns) }, (_, n) => {
  const body = { text: `tokens ${tokens}`, conversation: `stream-${n}` };
  return new EventReader({
    where: { host: '127.0.0.1', port: Number(port) },
    headers,
    path: '/v1/messages',
    body,
  });
});
const over = Promise.all(readers.map((reader) => reader.until('event: settled')));
await Promise.all(readers.map((reader) => reader.until('event: delta')));
process.send?.('streaming');
await over;
process.exit();
