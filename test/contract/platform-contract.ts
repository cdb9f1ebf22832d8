/**
 * What any platform must do, whatever it speaks to. Called by the test of each with a way to make one and somebody
 * to write on its other side.
 */
import { expect, test } from 'vitest';
import type { Inbound } from '../../src/messages/inbound.ts';
import type { Outbound } from '../../src/messages/outbound.ts';
import type { LinkState, Platform } from '../../src/platforms/platform.ts';
import { settled } from '../support/fake-clock.ts';

/** A platform and the people on its other side; disposing of it ends both. */
export interface PlatformGround extends AsyncDisposable {
  readonly platform: Platform;
  /** Keeps the first connection from coming about; absent: this platform has none to wait for. */
  readonly holdConnect?: () => void;
  /** A person writes; resolves with what became of it. Absent: people write through another face. */
  readonly write?: (text: string) => Promise<'acknowledged' | 'to be delivered again' | 'cut'>;
  /** What reached people, in order; absent: they are told where they wrote. */
  readonly reached?: () => readonly string[];
  /** The next sends fail. */
  readonly failSends?: () => void;
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
  const links: LinkState[] = [];
  const answer = { with: async (): Promise<void> => {} };
  const receive = async (inbound: Inbound): Promise<void> => {
    received.push(inbound);
    await answer.with();
  };
  return {
    received,
    links,
    answer,
    context: { receive, link: (state: LinkState) => void links.push(state) },
  };
}

const never = (): AbortSignal => new AbortController().signal;

/** Declares the tests. `prepare` gives a platform that was not started. */
export function platformContract(name: string, prepare: () => Promise<PlatformGround>): void {
  test('has the name that its conversations and senders begin with, and connects', async () => {
    await using ground = await prepare();
    const { links, context: given } = context();
    await ground.platform.start(given, never());
    expect(ground.platform.name).toBe(name);
    expect(links.at(-1)).toBe('connected');
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

  connecting(prepare);
  receiving(name, prepare);
  failing(name, prepare);
}

function connecting(prepare: () => Promise<PlatformGround>): void {
  test('a start that is aborted ends, connected or not', async () => {
    await using ground = await prepare();
    ground.holdConnect?.();
    const { context: given } = context();
    const abort = new AbortController();
    const started = ground.platform.start(given, abort.signal);
    await settled();
    abort.abort();
    await started;
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
