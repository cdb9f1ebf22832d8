/** A text whose gateway dies before it has answered, and nobody starts another one; time is given. */
import { expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { followText } from '../../src/cli/follow-text.ts';
import { OWNERLESS_MS_MAX } from '../../src/cli/ownerless.ts';
import { homePaths } from '../../src/config/paths.ts';
import type { StreamOptions } from '../../src/control/client.ts';
import { SluiceError } from '../../src/errors.ts';
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
