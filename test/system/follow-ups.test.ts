/** Messages that stand behind a turn when the gateway begins to leave: none interrupts it, and none is lost. */
import { expect, onTestFinished, test } from 'vitest';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';
import { storeRows } from '../support/home-files.ts';

/** A gateway with a turn in conversation `busy` that runs until `one` is released, and the lives after it. */
async function busy() {
  const folder = new TestFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  folder.writeConfig(testConfig(''));
  folder.fifo('one');
  const live = async () => {
    const gateway = await TestGateway.start({ folder });
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    return gateway;
  };
  const gateway = await live();
  const turn = gateway.send('wait one', { conversation: 'busy', id: 'turn' });
  await gateway.inFlight('turns', 1);
  const inbox = (id: string) =>
    storeRows(
      folder.home,
      `SELECT phase, admission, outcome FROM inbox WHERE platform_message_id = '${id}'`,
    )[0];
  return { folder, gateway, turn, live, inbox };
}

const ANSWERED = { outcome: 'answered', replies: ['started one\nfinished one\n'] };

test('a follow-up for a busy conversation in a drain does not interrupt its turn: with busy mode queue it is kept on disk, else refused', async () => {
  const { folder, gateway, turn, live, inbox } = await busy();
  await gateway.request('POST', '/v1/lifecycle', { intent: 'stop' });
  await gateway.statusWhere(({ state }) => state === 'draining.waiting');
  for (const [id, whenBusy] of [
    ['plain', undefined],
    ['interrupts', 'interrupt'],
    ['steers', 'steer'],
  ] as const) {
    const reply = await gateway.send('and then?', { conversation: 'busy', id, whenBusy });
    expect(reply.json).toMatchObject({ admission: 'refuse', reason: 'state', outcome: 'refused' });
  }
  for (const id of ['kept 1', 'kept 2']) {
    const reply = await gateway.send(`say ${id}`, { conversation: 'busy', id, whenBusy: 'queue' });
    expect(reply).toMatchObject({ status: 202, json: { admission: 'hold', recorded: true } });
    expect(inbox(id)).toEqual({ phase: 'held', admission: 'hold', outcome: null });
  }
  expect((await gateway.status()).inFlight.turns).toHaveLength(1);
  await folder.release('one');
  expect((await turn).json).toMatchObject(ANSWERED);
  expect(await gateway.exited).toMatchObject({ code: 0 });

  const next = await live();
  for (const id of ['kept 1', 'kept 2']) {
    expect(await next.outcome(id)).toMatchObject({ outcome: 'answered', replies: [`echo: say ${id}\n`] });
  }
  const order = storeRows(
    folder.home,
    `SELECT platform_message_id AS id FROM inbox WHERE outcome = 'answered' ORDER BY settled_at, seq`,
  );
  expect(order.map(({ id }) => id)).toEqual(['turn', 'kept 1', 'kept 2']);
  await next.stop();
});

test.each([
  ['a stop that somebody asks for', (gateway: TestGateway) => gateway.post('/stop'), 'waits'],
  ['a SIGTERM', async (gateway: TestGateway) => gateway.signal('SIGTERM'), 'waits'],
  ['a stop at once', (gateway: TestGateway) => gateway.post('/stop now'), 'cuts'],
] as const)(
  '%s between a message being accepted and its turn being started keeps it for the next start',
  async (_, stop, how) => {
    const { folder, gateway, turn, live, inbox } = await busy();
    // Who waits hears how it goes on.
    const waits = gateway.send('behind it', { conversation: 'busy', id: 'behind' });
    await gateway.statusWhere(() => inbox('behind')?.phase === 'waiting');
    await stop(gateway);
    expect(await waits).toMatchObject({ status: 202, json: { admission: 'hold' } });
    expect(inbox('behind')).toMatchObject({ phase: 'held', outcome: null });
    if (how === 'waits') await folder.release('one');
    expect((await turn).json).toMatchObject(how === 'waits' ? ANSWERED : { admission: 'hold' });
    expect(await gateway.exited).toMatchObject({ code: 0 });

    const next = await live();
    expect(await next.outcome('behind')).toMatchObject({
      ...{ outcome: 'answered', duplicate: true, replies: ['echo: behind it\n'] },
    });
    await next.stop();
  },
);
