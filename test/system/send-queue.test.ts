/** `sluice send --queue`: what a leaving gateway would refuse is kept, and answered by the next life. */
import { expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';

test('a message is kept through a restart only when that is asked for', async () => {
  await using gateway = await TestGateway.start();
  gateway.folder.fifo('one');
  await gateway.post('wait one');
  await gateway.inFlight('turns', 1);
  await gateway.request('POST', '/v1/lifecycle', { intent: 'restart' });
  const refused = await gateway.cli('send', 'hello');
  expect(refused).toMatchObject({ code: 3, stdout: expect.stringContaining('`sluice send --queue`') });
  const kept = gateway.cli('send', '--queue', 'hello');
  await gateway.statusWhere(({ held }) => held === 1);
  await gateway.folder.release('one');
  expect(await kept).toMatchObject({ code: 0, stdout: 'echo: hello\n' });
});
