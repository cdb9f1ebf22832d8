/** A text whose gateway dies before it has answered, and nobody starts another one; time is given. */
import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { followText } from '../../src/cli/follow-text.ts';
import { OWNERLESS_MS_MAX } from '../../src/cli/ownerless.ts';
import { homePaths } from '../../src/config/paths.ts';
import type { StreamOptions } from '../../src/control/client.ts';
import { SluiceError } from '../../src/errors.ts';
import * as endingReplies from '../../src/messages/ending-replies.ts';
import { held } from '../../src/messages/replies.ts';
import { cutOffNow } from '../../src/messages/resume-replies.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** What the sender is told in the end. `recorded`: the dead gateway had written the message down. */
async function toldAfterDeath(recorded: boolean): Promise<unknown> {
  const clock = new FakeClock();
  let asked = 0;
  const stream = async (_: string, __: unknown, { onEvent }: StreamOptions): Promise<undefined> => {
    asked += 1;
    if (asked > 1) throw new SluiceError('NO_GATEWAY', 'no gateway is running here');
    onEvent({ event: 'admission', id: undefined, data: { admission: 'dispatch', recorded } });
  };
  const home = '/nowhere';
  const context = {
    ...{ control: { stream }, output: { write: () => {}, note: () => {} }, json: false },
    ...{ home, paths: homePaths(home, {}), env: {}, cwd: '/' },
  } as unknown as Context;
  const body = { text: 'hello', id: 'mine' };
  const told = followText(context, body, { clock, wait: true, timeoutMs: 3_600_000 }).catch(
    (error: unknown) => error,
  );
  await clock.advance(OWNERLESS_MS_MAX + 1000);
  return told;
}

test('what is on disk is said to be, with who goes on with it', async () => {
  expect(await toldAfterDeath(true)).toMatchObject({
    code: 'GATEWAY_DIED',
    message: 'the gateway is gone, and none follows it for 10 s. The message is on disk.',
    hint: expect.stringMatching(
      /^`(npx )?sluice run --home \/nowhere` goes on with it; `(npx )?sluice messages show mine --home \/nowhere` tells what came of it\.$/,
    ),
  });
});

test('what is not on disk is said to be lost', async () => {
  expect(await toldAfterDeath(false)).toMatchObject({
    code: 'GATEWAY_DIED',
    message: 'the gateway is gone, and none follows it for 10 s. Nothing of the message was recorded.',
    hint: 'See what came of it before you send it again.',
  });
});

/** What is noted where the gateway tells this, one after the other. */
async function notesOf(...events: [event: string, data: object][]): Promise<string[]> {
  const notes: string[] = [];
  const stream = async (_: string, __: unknown, { onEvent }: StreamOptions): Promise<undefined> => {
    for (const [event, data] of events) onEvent({ event, id: undefined, data: { recorded: true, ...data } });
    onEvent({ event: 'settled', id: undefined, data: { outcome: 'answered' } });
  };
  const home = '/nowhere';
  const context = {
    ...{ control: { stream }, output: { write: () => {}, note: (line: string) => notes.push(line) } },
    ...{ json: false, home, paths: homePaths(home, {}), env: {}, cwd: '/' },
  } as unknown as Context;
  await followText(
    context,
    { text: 'hello', id: 'mine' },
    { clock: new FakeClock(), wait: true, timeoutMs: 1 },
  );
  return notes;
}

test.each([
  ['a held message is said to be, in the words of the gateway', held('restarting'), held('restarting')],
  ['or in a word where that says nothing', null, 'kept'],
])('%s', async (_, text, note) => {
  expect(await notesOf(['admission', { admission: 'hold', text }])).toEqual([note]);
});

test('of one whose turn was cut off the reply alone says so, of one that waited for its place the note', async () => {
  const begins: [string, object] = ['admission', { admission: 'dispatch', text: null }];
  const text = cutOffNow('by-itself', endingReplies.timeIsOver('restarting'));
  expect(await notesOf(begins, ['reply', { text }], ['admission', { admission: 'hold', text }])).toEqual([]);
  const kept = held('restarting');
  expect(await notesOf(begins, ['admission', { admission: 'hold', text: kept }])).toEqual([kept]);
});

/** What the sender of a message that no gateway decided is told, and what the gateway was asked. */
async function undecided(timeoutMs: number, stream: (options: StreamOptions) => Promise<undefined>) {
  const clock = new FakeClock();
  const bodies: { deadlineAt?: number }[] = [];
  const home = '/nowhere';
  const control = {
    stream: (_: string, body: { deadlineAt?: number }, options: StreamOptions) => {
      bodies.push(body);
      return stream(options);
    },
  };
  const context = {
    ...{ control, output: { write: () => {}, note: () => {} }, json: false },
    ...{ home, paths: homePaths(home, {}), env: {}, cwd: '/' },
  } as unknown as Context;
  const startedMs = clock.wallMs();
  const told = followText(context, { text: 'hello', id: 'mine' }, { clock, wait: true, timeoutMs }).catch(
    (error: unknown) => error,
  );
  await clock.advance(31_000);
  const [first] = bodies;
  return { error: await told, asked: bodies.length, takenWithinMs: (first?.deadlineAt ?? 0) - startedMs };
}

const never = ({ signal }: StreamOptions): Promise<undefined> =>
  new Promise((resolve) => signal?.addEventListener('abort', () => resolve(undefined)));

test.each([
  ['an hour', 3_600_000, 29_500],
  ['two seconds', 2000, 1500],
  ['a tenth of a second', 100, 75],
])(
  'who waits %s for an answer lets a gateway take the message for a little less',
  async (_, timeoutMs, within) => {
    const { error, asked, takenWithinMs } = await undecided(timeoutMs, never);
    expect({ asked, takenWithinMs }).toEqual({ asked: 1, takenWithinMs: within });
    expect(error).toMatchObject({
      code: 'NO_ANSWER',
      message: 'the gateway did not answer in time: it was not taken, unless that had begun by then',
      hint: expect.stringMatching(/messages show mine --home \/nowhere\n.* --id mine /),
    });
  },
);

test('what a gateway came to too late was not taken, which is said', async () => {
  const { error } = await undecided(2000, () =>
    Promise.reject(new SluiceError('SENDER_GAVE_UP', 'the gateway was too late')),
  );
  expect(error).toMatchObject({
    code: 'SENDER_GAVE_UP',
    message: 'the gateway came to it too late: it was not taken, and nothing of it was done',
    hint: 'Send it again.',
  });
});

test('where there is no gateway nothing was taken either, and that is what is said', async () => {
  const { error } = await undecided(2000, () =>
    Promise.reject(new SluiceError('NO_GATEWAY', 'no gateway is running here')),
  );
  expect(error).toMatchObject({ code: 'NO_GATEWAY', message: 'no gateway is running here' });
});
