/** Replies that a dead life left behind: sent once their platform can send, not before. */
import { expect, test } from 'vitest';
import type { Platform, PlatformContext } from '../../src/platforms/platform.ts';
import { outboundRow } from '../store/sample-rows.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { bootCore, NOTHING_RECOVERED } from '../support/gateway-core.ts';

/** A platform that connects when it is told to. What was asked of it stands in `asked`, in order. */
class SlowPlatform implements Platform {
  readonly name = 'chat';
  readonly asked: string[] = [];
  readonly connected = Promise.withResolvers<void>();

  async start(_context: PlatformContext, signal: AbortSignal): Promise<void> {
    this.asked.push('start');
    const aborted = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('given up')), { once: true }),
    );
    await Promise.race([this.connected.promise, aborted]);
  }

  async send({ text }: { text: string }): Promise<void> {
    this.asked.push(text);
  }

  async stopReceiving(): Promise<void> {}
  async stop(): Promise<void> {}
}

function boot() {
  const platform = new SlowPlatform();
  const core = bootCore('', { platforms: [platform] });
  const createdAt = new FakeClock().wallMs();
  const more = { platform: 'chat', conversation: 'chat:1', text: 'left behind', createdAt };
  core.gateway.resume({ ...NOTHING_RECOVERED, outbound: [outboundRow('o1', 'm1', more)] }, null);
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
