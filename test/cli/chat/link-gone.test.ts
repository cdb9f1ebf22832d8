/** A chat whose gateway is gone and nobody starts another: told after ten seconds, as every other command tells it. */
import { expect, test } from 'vitest';
import { Link, type LinkOptions } from '../../../src/cli/chat/link.ts';
import { OWNERLESS_MS_MAX } from '../../../src/cli/ownerless.ts';
import { SluiceError } from '../../../src/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A chat that is connected to a gateway, which goes when the test says. */
async function connected() {
  const clock = new FakeClock();
  const gateway = { isThere: true, isOwned: true };
  const away = () => new SluiceError('NO_GATEWAY', 'no gateway is running here');
  const heard: string[] = [];
  const cuts: (() => void)[] = [];
  const control: LinkOptions['control'] = {
    request: async () => {
      if (!gateway.isThere) throw away();
      return { status: 202, json: { admission: 'dispatch' } };
    },
    stream: (_path, _body, { onEvent, signal }) => {
      if (!gateway.isThere) return Promise.reject(away());
      onEvent({ event: 'connected', id: '1', data: {} });
      return new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve(undefined));
        cuts.push(() => resolve(undefined));
      });
    },
  };
  const link = new Link({
    ...{ control, clock, conversation: 'a' },
    onEvent: ({ event }) => heard.push(event),
    onAway: () => heard.push('(away)'),
    onGone: () => heard.push('(gone)'),
    comesBack: () => gateway.isOwned,
    isOwned: () => gateway.isOwned,
  });
  const followed = link.follow();
  /** `owned`: it lives all the same, and only cannot be reached. */
  const goes = async (owned: boolean) => {
    Object.assign(gateway, { isThere: false, isOwned: owned });
    for (const cut of cuts.splice(0)) cut();
    await clock.advance(0);
  };
  const comes = () => Object.assign(gateway, { isThere: true, isOwned: true });
  const sent: string[] = [];
  const send = (text: string) => {
    const outcome = link.send(text, () => {});
    outcome.then(
      () => sent.push(`${text}: sent`),
      (error: SluiceError) => sent.push(`${text}: ${error.code}`),
    );
  };
  const leave = async () => {
    link[Symbol.dispose]();
    await followed;
  };
  return { clock, heard, sent, send, goes, comes, leave };
}

test('it is told once, and what waits to be sent comes back to whoever wrote it', async () => {
  const { clock, heard, sent, send, goes, leave } = await connected();
  await goes(false);
  await clock.advance(4000);
  send('written meanwhile');
  await clock.advance(OWNERLESS_MS_MAX - 4000);
  expect({ heard, sent }).toEqual({ heard: ['connected', '(away)'], sent: [] });
  await clock.advance(1000);
  expect({ heard, sent }).toEqual({
    heard: ['connected', '(away)', '(gone)'],
    sent: ['written meanwhile: GATEWAY_DIED'],
  });

  // Whoever writes later has waited long enough already.
  send('written later');
  await clock.advance(0);
  expect(sent).toContain('written later: GATEWAY_DIED');
  await clock.advance(600_000);
  expect(heard).toEqual(['connected', '(away)', '(gone)']);
  await leave();
});

test('the next one is met whenever it comes, and has ten seconds of its own', async () => {
  const { clock, heard, sent, send, goes, comes, leave } = await connected();
  await goes(false);
  await clock.advance(600_000);
  comes();
  await clock.advance(1000);
  send('again');
  await clock.advance(0);
  expect({ heard, sent }).toEqual({
    heard: ['connected', '(away)', '(gone)', 'connected'],
    sent: ['again: sent'],
  });
  await goes(false);
  await clock.advance(OWNERLESS_MS_MAX - 1000);
  expect(heard.slice(4)).toEqual(['(away)']);
  await clock.advance(2000);
  expect(heard.slice(4)).toEqual(['(away)', '(gone)']);
  await leave();
});

test('one that lives, or is between two lives, is waited for two minutes', async () => {
  const { clock, heard, sent, send, goes, leave } = await connected();
  await goes(true);
  send('written meanwhile');
  await clock.advance(119_000);
  expect({ heard, sent }).toEqual({ heard: ['connected', '(away)'], sent: [] });
  await clock.advance(2000);
  expect({ heard, sent }).toEqual({
    heard: ['connected', '(away)'],
    sent: ['written meanwhile: NO_ANSWER'],
  });
  await leave();
});
