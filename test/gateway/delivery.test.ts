/** Replies that a dead life left behind: sent once their platform can send, not before. */
import { expect, test } from 'vitest';
import { Delivery, type DeliveryOptions } from '../../src/gateway/delivery.ts';
import type { Platform, PlatformContext } from '../../src/platforms/platform.ts';
import { outboundRow } from '../store/sample-rows.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { bootCore } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';

/** A platform that connects when it is told to. What was asked of it stands in `asked`, in order. */
class SlowPlatform implements Platform {
  readonly name = 'chat';
  readonly asked: string[] = [];
  readonly connected = Promise.withResolvers<void>();

  async start({ link }: PlatformContext, signal: AbortSignal): Promise<void> {
    this.asked.push('start');
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await Promise.race([this.connected.promise.then(() => link('connected')), aborted]);
  }

  async send({ text }: { text: string }): Promise<void> {
    this.asked.push(text);
  }

  async stopReceiving(): Promise<void> {}
  async stop(): Promise<void> {}
}

const left = outboundRow('o1', 'm1', { platform: 'chat', conversation: 'chat:1', text: 'left behind' });

function boot() {
  const platform = new SlowPlatform();
  const core = bootCore('', { platforms: [platform] });
  core.gateway.resume({ held: [], commands: [], outbound: [left] }, null);
  return { core, platform };
}

test('a recovered reply waits until its platform is connected', async () => {
  const { core, platform } = boot();
  await settled();
  expect(platform.asked).toEqual([]);
  const started = core.gateway.connections.start(new AbortController().signal);
  await settled();
  expect(platform.asked).toEqual(['start']);
  platform.connected.resolve();
  await started;
  await settled();
  expect(platform.asked).toEqual(['start', 'left behind']);
});

test('a start that ends before its platforms connect leaves the reply to the next one, and waits for nothing', async () => {
  const { core, platform } = boot();
  core.gateway.requests.ask({ intent: 'stop', cause: 'stop', actor: 'local:owner' });
  expect(await core.gateway.exited).toMatchObject({ code: 0 });
  expect(platform.asked).toEqual([]);
  expect(core.store.units.flat().map(({ op }) => op)).not.toContain('sending');
});

test('a defect at one reply is logged, and the next of its conversation leaves', async () => {
  const logged: unknown[] = [];
  const sent: string[] = [];
  let defects = 1;
  const chat = { send: async ({ text }: { text: string }) => void sent.push(text) };
  const delivery = new Delivery({
    store: new MemoryStore(),
    clock: new FakeClock(),
    log: { error: (about: { error: string }) => logged.push(about.error), warn: () => {} },
    life: () => 1,
    platform: () => {
      defects -= 1;
      if (defects >= 0) throw new Error('a defect of the test');
      return chat;
    },
    canSend: async () => true,
  } as unknown as DeliveryOptions);
  for (const text of ['one', 'two']) delivery.say({ platform: 'chat', conversation: 'chat:1' }, text);
  await delivery.idle();
  expect([sent, logged]).toEqual([['two'], ['a defect of the test']]);
});
