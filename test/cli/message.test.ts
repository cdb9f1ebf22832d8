/** How long a message that was decided is waited for when its gateway is away; time is given. */
import { expect, test } from 'vitest';
import { type FollowOptions, followMessage } from '../../src/cli/message.ts';
import { OWNERLESS_MS_MAX } from '../../src/cli/ownerless.ts';
import type { ControlClient, StreamOptions } from '../../src/control/client.ts';
import { SluiceError } from '../../src/errors.ts';
import { FakeClock } from '../support/fake-clock.ts';

const DECIDED = { messageId: 'm_1', admission: 'dispatch', recorded: true };

/** A gateway that decides and then dies; `isBack` once another one is there, which has the outcome. */
function dying() {
  const gateway = { isBack: false, isOwned: false, asked: 0 };
  const stream = async (_: string, __: unknown, { onEvent }: StreamOptions): Promise<undefined> => {
    gateway.asked += 1;
    if (gateway.asked > 1 && !gateway.isBack)
      throw new SluiceError('NO_GATEWAY', 'no gateway is running here');
    onEvent({ event: 'admission', id: undefined, data: DECIDED });
    if (gateway.isBack) onEvent({ event: 'settled', id: undefined, data: { outcome: 'answered' } });
  };
  return { gateway, control: { stream } as unknown as ControlClient };
}

function following(more: Partial<FollowOptions> = {}) {
  const clock = new FakeClock();
  const { gateway, control } = dying();
  const heard: unknown[] = [];
  followMessage(
    { text: 'hello', id: 'mine' },
    {
      ...{ control, clock, admissionOnly: false, admissionMs: 1000, timeoutMs: 3_600_000 },
      ...{ onAdmission: () => {}, onDelta: () => {}, onReply: () => {} },
      isOwned: () => gateway.isOwned,
      ...more,
    },
  ).then(
    (followed) => heard.push(followed.settled),
    (error: SluiceError) => heard.push(error.code),
  );
  return { clock, gateway, heard };
}

test('nobody is waited for who does not own the home for ten seconds', async () => {
  const { clock, heard } = following();
  await clock.advance(OWNERLESS_MS_MAX);
  expect(heard).toEqual([]);
  await clock.advance(1000);
  expect(heard).toEqual(['GATEWAY_DIED']);
  expect(clock.pending).toBe(0);
});

test('a gateway that follows in time tells the outcome', async () => {
  const { clock, gateway, heard } = following();
  await clock.advance(OWNERLESS_MS_MAX - 1000);
  gateway.isBack = true;
  await clock.advance(1000);
  expect(heard).toEqual([{ outcome: 'answered' }]);
});

test('an owner that is away starts the ten seconds anew, and is waited for two minutes', async () => {
  const { clock, gateway, heard } = following();
  await clock.advance(OWNERLESS_MS_MAX - 1000);
  gateway.isOwned = true;
  await clock.advance(1000);
  gateway.isOwned = false;
  await clock.advance(OWNERLESS_MS_MAX - 1000);
  expect(heard).toEqual([]);
  gateway.isOwned = true;
  await clock.advance(120_000);
  expect(heard).toEqual(['NO_GATEWAY']);
});

test('whoever leaves is not kept by the wait', async () => {
  const leave = new AbortController();
  const { clock, heard } = following({ signal: leave.signal });
  await clock.advance(1000);
  leave.abort();
  await clock.advance(0);
  expect(heard).toEqual([undefined]);
});
