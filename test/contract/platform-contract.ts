/**
 * What any platform must do, whatever it speaks to. Called by the test of each with a way to make one and somebody
 * to write on its other side.
 */
import { expect, test } from 'vitest';
import type { Inbound } from '../../src/messages/inbound.ts';
import type { Outbound } from '../../src/messages/outbound.ts';
import {
  LinkFailure,
  type LinkTrouble,
  type Platform,
  type PlatformContext,
  type SendTrouble,
} from '../../src/platforms/platform.ts';
import { settled } from '../support/fake-clock.ts';

/** A platform and the people on its other side; disposing of it ends both. */
export interface PlatformGround extends AsyncDisposable {
  readonly platform: Platform;
  /** Keeps connections from coming about; absent: this platform has none to wait for. */
  readonly holdConnect?: () => void;
  /** Lets connections come about again. */
  readonly letConnect?: () => void;
  /** A person writes; resolves with what became of it. Absent: people write through another face. */
  readonly write?: (text: string) => Promise<'acknowledged' | 'to be delivered again' | 'cut'>;
  /** What reached people, in order; absent: they are told where they wrote. */
  readonly reached?: () => readonly string[];
  /** The next sends fail. */
  readonly failSends?: () => void;
  /** Sends stay unanswered from now on. */
  readonly holdSends?: () => void;
  /** The next send ends with this trouble; `format`: unless it is plain text. Absent: it never does. */
  readonly trouble?: (trouble: SendTrouble) => void;
  /** The other side cuts the link; absent: there is none to cut. */
  readonly cut?: () => void;
  /** Attempts fail from now on: the other side refuses us, or has no time for us. Absent: it never does. */
  readonly turnAway?: (trouble: LinkTrouble) => void;
}

const outbound = (platform: string, text: string): Outbound => ({
  id: `o_${text}`,
  platform,
  conversation: `${platform}:1`,
  text,
  kind: 'reply',
  messageId: null,
});

/** The gateway's side: what was handed in, and what was said of the link. */
function context() {
  const received: Inbound[] = [];
  const losses: Error[] = [];
  const firstLoss = Promise.withResolvers<Error>();
  const answer = { with: async (): Promise<void> => {} };
  const context: PlatformContext = {
    receive: async (inbound) => {
      received.push(inbound);
      await answer.with();
    },
    lost: (error) => {
      losses.push(error);
      firstLoss.resolve(error);
    },
  };
  return { received, losses, lost: firstLoss.promise, answer, context };
}

const never = (): AbortSignal => new AbortController().signal;

/** Declares the tests. `prepare` gives a platform that was not started. */
export function platformContract(name: string, prepare: () => Promise<PlatformGround>): void {
  test('has the name that its conversations and senders begin with, and connects', async () => {
    await using ground = await prepare();
    const { losses, context: given } = context();
    await ground.platform.start(given, never());
    expect(ground.platform.name).toBe(name);
    expect(losses).toEqual([]);
  });

  test('can send once it has started, until it stops, also while it takes nothing more in', async () => {
    await using ground = await prepare();
    const { context: given } = context();
    await ground.platform.start(given, never());
    await ground.platform.send(outbound(name, 'one'), never());
    await ground.platform.stopReceiving();
    await ground.platform.send(outbound(name, 'two'), never());
    if (ground.reached) expect(ground.reached()).toEqual(['one', 'two']);
  });

  test('may be stopped twice, and before it was ever started', async () => {
    await using ground = await prepare();
    await ground.platform.stopReceiving();
    await ground.platform.stop();
    await ground.platform.stop();
  });

  connecting(name, prepare);
  receiving(name, prepare);
  failing(name, prepare);
  troubled(name, prepare);
}

function connecting(name: string, prepare: () => Promise<PlatformGround>): void {
  test('an attempt that is aborted ends without a link, and another may be made', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.holdConnect === undefined || ground.letConnect === undefined)
      return skip('nothing to wait for');
    ground.holdConnect();
    const { losses, context: given } = context();
    const abort = new AbortController();
    const started = ground.platform.start(given, abort.signal);
    await settled();
    abort.abort();
    await expect(started).rejects.toThrow(LinkFailure);
    ground.letConnect();
    await ground.platform.start(given, never());
    await ground.platform.send(outbound(name, 'one'), never());
    expect(losses).toEqual([]);
  });

  test('to abort an attempt that has made a link takes nothing from the link', async () => {
    await using ground = await prepare();
    const abort = new AbortController();
    const { losses, context: given } = context();
    await ground.platform.start(given, abort.signal);
    abort.abort();
    await ground.platform.send(outbound(name, 'one'), never());
    expect(losses).toEqual([]);
  });

  test.for(['unreachable', 'auth'] as const)(
    'an attempt that fails says so: %s',
    async (trouble, { skip }) => {
      await using ground = await prepare();
      if (ground.turnAway === undefined) return skip('nobody turns it away');
      ground.turnAway(trouble);
      const { context: given } = context();
      await expect(ground.platform.start(given, never())).rejects.toMatchObject({
        name: 'LinkFailure',
        trouble,
      });
      await expect(ground.platform.send(outbound(name, 'one'), never())).rejects.toThrow();
    },
  );

  test('a link that is lost is said to be, sends nothing, and can be made again', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.cut === undefined || ground.reached === undefined) return skip('there is no link to lose');
    const { lost, losses, context: given } = context();
    await ground.platform.start(given, never());
    ground.cut();
    expect((await lost).message).not.toBe('');
    await expect(ground.platform.send(outbound(name, 'too late'), never())).rejects.toThrow();
    await ground.platform.start(given, never());
    await ground.platform.send(outbound(name, 'again'), never());
    expect(ground.reached()).toEqual(['again']);
    await ground.platform.stopReceiving();
    expect(losses).toHaveLength(1);
  });
}

function receiving(name: string, prepare: () => Promise<PlatformGround>): void {
  test('a message is handed in normalised, and acknowledged only once it was taken', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.write === undefined) return skip('people write through another face');
    const { received, answer, context: given } = context();
    await ground.platform.start(given, never());
    const gate = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    answer.with = () => {
      arrived.resolve();
      return gate.promise;
    };
    let became = 'nothing yet';
    const written = ground.write('hello').then((what) => (became = what));
    await arrived.promise;
    await settled();
    expect(became).toBe('nothing yet');
    gate.resolve();
    expect(await written).toBe('acknowledged');
    expect(received).toMatchObject([{ platform: name, text: 'hello' }]);
    expect(received[0]?.conversation.startsWith(`${name}:`)).toBe(true);
    expect(received[0]?.sender.startsWith(`${name}:`)).toBe(true);
  });

  test('a message that was not taken is delivered again', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.write === undefined) return skip('people write through another face');
    const { answer, context: given } = context();
    await ground.platform.start(given, never());
    answer.with = () => Promise.reject(new Error('the disk is full'));
    expect(await ground.write('hello')).toBe('to be delivered again');
  });
}

function failing(name: string, prepare: () => Promise<PlatformGround>): void {
  test('what did not leave is said to, and so is what could not: nothing was started', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.failSends === undefined) return skip('nothing leaves here');
    await expect(ground.platform.send(outbound(name, 'early'), never())).rejects.toThrow();
    const { context: given } = context();
    await ground.platform.start(given, never());
    ground.failSends();
    await expect(ground.platform.send(outbound(name, 'one'), never())).rejects.toThrow();
    expect(ground.reached?.()).toEqual([]);
  });
}

function troubled(name: string, prepare: () => Promise<PlatformGround>): void {
  test.for(['not-sent', 'unknown', 'wait', 'format', 'gone'] as const)(
    'a send that ends otherwise than well says how: %s',
    async (trouble, { skip }) => {
      await using ground = await prepare();
      if (ground.trouble === undefined) return skip('nothing leaves here');
      await ground.platform.start(context().context, never());
      ground.trouble(trouble);
      const failure = await ground.platform.send(outbound(name, 'one'), never()).catch((error) => error);
      expect(failure).toMatchObject({ name: 'SendFailure', trouble });
      expect(failure.message).not.toBe('');
      if (trouble === 'wait') expect(failure.retryAfterMs).toBeGreaterThan(0);
      if (trouble !== 'format') return;
      await ground.platform.send({ ...outbound(name, 'one'), plain: true }, never());
      expect(ground.reached?.()).toEqual(['one']);
    },
  );

  test('a send that is aborted ends, and nobody knows whether it arrived', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.holdSends === undefined) return skip('nothing leaves here');
    await ground.platform.start(context().context, never());
    ground.holdSends();
    const abort = new AbortController();
    const sent = ground.platform.send(outbound(name, 'one'), abort.signal);
    await settled();
    abort.abort();
    await expect(sent).rejects.toMatchObject({ name: 'SendFailure', trouble: 'unknown' });
  });

  test('of a send that the link was lost under nobody knows whether it arrived', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.holdSends === undefined || ground.cut === undefined) return skip('there is no link to lose');
    const { context: given, lost } = context();
    await ground.platform.start(given, never());
    ground.holdSends();
    const sent = ground.platform.send(outbound(name, 'one'), never()).catch((error) => error);
    await settled();
    ground.cut();
    await lost;
    expect(await sent).toMatchObject({ name: 'SendFailure', trouble: 'unknown' });
    // There is nothing to send it through, which is another thing.
    const failure = await ground.platform.send(outbound(name, 'two'), never()).catch((error) => error);
    expect(failure).not.toMatchObject({ trouble: 'unknown' });
  });

  test('who can be asked whether a message arrived says so', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.platform.reconcile === undefined) return skip('it cannot be asked');
    await ground.platform.start(context().context, never());
    await ground.platform.send(outbound(name, 'one'), never());
    expect(await ground.platform.reconcile(outbound(name, 'one'), never())).toBe('delivered');
    expect(await ground.platform.reconcile(outbound(name, 'two'), never())).toBe('absent');
  });

  test('who recognises a message lets it arrive once', async ({ skip }) => {
    await using ground = await prepare();
    if (ground.platform.capabilities?.sendsOnce !== true) return skip('it does not recognise messages');
    await ground.platform.start(context().context, never());
    for (const _ of [1, 2]) await ground.platform.send(outbound(name, 'one'), never());
    expect(ground.reached?.()).toEqual(['one']);
  });
}
