// An agent that says what its test says: told over the unix socket that its argument names, one JSON a line.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const question = await text(process.stdin);
const socket = connect(process.argv[2]);
socket.write(`${JSON.stringify(question)}\n`);
for await (const line of createInterface({ input: socket })) {
  const { say, exit } = JSON.parse(line);
  if (say !== undefined) process.stdout.write(say);
  if (exit !== undefined) process.exit(exit);
}
