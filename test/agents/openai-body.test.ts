/** The body of an answer on a real socket: all of it in order, whenever it is taken, and then its end or its error. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BodyText } from '../../src/agents/openai-body.ts';

let server: Server;
let sender: ServerResponse;
let answer: IncomingMessage;
let body: BodyText;

beforeEach(async () => {
  server = createServer((_, response) => {
    sender = response;
    response.flushHeaders();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false });
  asked.end();
  [answer] = await once(asked, 'response');
  body = new BodyText(answer);
});
afterEach(async () => {
  answer.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const whole = async (): Promise<string> => {
  let text = '';
  for await (const piece of body) text += piece;
  return text;
};

test('a piece is given as it comes to whoever waits, a character that two packets share with the second', async () => {
  const first = body.next();
  sender.write('one ');
  expect(await first).toEqual({ done: false, value: 'one ' });
  const [head, tail] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
  const second = body.next();
  sender.write(head);
  sender.end(tail);
  expect(await second).toEqual({ done: false, value: 'é' });
  expect(await body.next()).toEqual({ done: true, value: undefined });
});

test('what came while nobody waited is given as one piece, and then the end, each time it is asked', async () => {
  sender.write('one ');
  sender.end('two');
  await once(answer, 'end');
  expect(await body.next()).toEqual({ done: false, value: 'one two' });
  expect((await body.next()).done).toBe(true);
  expect((await body.next()).done).toBe(true);
});

test('all that came before the connection broke is given before that is thrown', async () => {
  sender.write('half');
  await once(answer, 'data');
  const broken = new Promise((resolve) => answer.once('close', resolve));
  sender.destroy();
  await broken;
  expect(await body.next()).toEqual({ done: false, value: 'half' });
  await expect(body.next()).rejects.toThrow('aborted');
});

test('whoever waits while the connection breaks is told', async () => {
  const waiting = body.next();
  sender.destroy();
  await expect(waiting).rejects.toThrow('aborted');
});

test('a sender that is faster than its reader is made to wait, and nothing is lost', async () => {
  const text = 'x'.repeat(20 * 1024 * 1024);
  const sent = new Promise((resolve) => sender.end(text, () => resolve(true)));
  await expect.poll(() => answer.isPaused()).toBe(true);
  expect(answer.complete).toBe(false);
  expect(await whole()).toHaveLength(text.length);
  expect(await sent).toBe(true);
});

test('whoever leaves in the middle ends the connection', async () => {
  const gone = once(sender, 'close');
  sender.write('one');
  for await (const _ of body) break;
  await gone;
});
