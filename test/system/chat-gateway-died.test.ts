/** `sluice chat` in a real terminal, whose gateway is killed and followed by none for a while. */
import { expect, onTestFinished, test } from 'vitest';
import { ChatTerminal } from '../support/chat-terminal.ts';
import { TestFolder, TestGateway } from '../support/gateway.ts';

test('it says after ten seconds that the gateway is gone and what becomes of what was written, and meets the next one', async () => {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.fifo('one');
  const live = async () => {
    const gateway = await TestGateway.start({ folder, config: '' });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const first = await live();
  await using chat = await ChatTerminal.open({ home: folder.home, columns: 200 });
  chat.send('wait one');
  await first.inFlight('turns', 1);
  await chat.sees(/^started one$/);
  await first.kill9();
  const diedMs = performance.now();
  await chat.sees(/the gateway is away, reconnecting/);
  chat.send('and this?');

  await chat.sees(
    /^the gateway is gone, and none follows it for 10 s; `.*sluice run --home .*` goes on with what waits for its answer, on disk$/,
  );
  await chat.sees(/^not sent: the gateway is gone, and none follows it for 10 s$/);
  expect(performance.now() - diedMs).toBeGreaterThan(10_000);
  await chat.sees(/^no gateway/);
  // Who writes now is told at once.
  chat.send('still there?');
  await chat.until(
    (lines) => lines.filter((line) => line.startsWith('not sent: ')).length === 2,
    'another word',
  );

  const second = await live();
  await chat.sees(/^connected again, epoch 2$/);
  await chat.sees(/went down while this was being answered/);
  chat.send('hello again');
  await chat.sees(/^echo: hello again$/);
  chat.press('ctrl-d');
  expect(await chat.exited).toBe(0);
  await second.stop();
});
