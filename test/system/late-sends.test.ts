/**
 * A sender that gave up on a gateway which does not answer: that gateway, when it goes on, does not take the message any
 * more, so that whoever sends it again is answered once.
 */
import { expect, test } from 'vitest';
import { TestGateway } from '../support/gateway.ts';

/** The texts of the messages that the gateway has, the newest first. */
const taken = async (gateway: TestGateway): Promise<string[]> => {
  const { json } = await gateway.cli('messages', 'list', '--json');
  return json.messages.map(({ text }: { text: string }) => text);
};

test('over HTTP a turn past its deadline is 409, and nothing of it is kept', async () => {
  await using gateway = await TestGateway.start();
  const late = await gateway.post('late', { id: 'late', deadlineAt: 1 });
  expect(late).toMatchObject({ status: 409, json: { error: { code: 'SENDER_GAVE_UP' } } });
  expect(await taken(gateway)).toEqual([]);
  const again = await gateway.send('late', { id: 'late' });
  expect(again.json).toMatchObject({ outcome: 'answered', duplicate: false });
});

test.each([
  ['waits for the answer', []],
  ['waits for the decision only', ['--no-wait']],
])(
  'a send that %s from a stopped gateway says what is so, and sent again it is answered once',
  async (_, flags) => {
    await using gateway = await TestGateway.start();
    gateway.signal('SIGSTOP');
    const words = ['send', 'hello', '--id', 'mine', ...flags, '--timeout', '1'];
    const given = await gateway.cli(...words, '--json');
    expect(given).toMatchObject({ code: 1, json: { error: { code: 'NO_ANSWER' } } });
    expect(given.stderr).toContain('it was not taken, unless that had begun by then');
    expect(given.stderr).toMatch(/messages show mine/);
    expect(given.stderr).toContain('--id mine');
    gateway.signal('SIGCONT');
    // Whatever came before this has been looked at by then.
    expect((await gateway.send('another')).json.outcome).toBe('answered');
    await gateway.log(({ msg }) => msg.startsWith('a message came past its deadline'));
    expect(await taken(gateway)).toEqual(['another']);
    expect(await gateway.cli('send', 'hello', '--id', 'mine')).toMatchObject({
      code: 0,
      stdout: 'echo: hello\n',
    });
    expect(await taken(gateway)).toEqual(['hello', 'another']);
  },
);

test('a message that was taken in time is answered, however long that takes', async () => {
  await using gateway = await TestGateway.start();
  gateway.folder.fifo('busy');
  const given = await gateway.cli('send', 'wait busy', '--id', 'mine', '--timeout', '1');
  expect(given.code).toBe(1);
  expect(given.stderr).toContain('still working after 1 s');
  await gateway.folder.release('busy');
  expect(await gateway.outcome('mine')).toMatchObject({ outcome: 'answered' });
});
