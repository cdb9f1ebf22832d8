/** The stand-in platform with a point before and after whatever the gateway asks of it. */
import type { Platform, PlatformContext, PlatformKind } from '../../../src/platforms/platform.ts';
import type { Points } from './points.ts';
import type { Trace } from './trace.ts';

export function watchedKind(kind: PlatformKind, points: Points, trace: Trace): PlatformKind {
  return {
    schema: kind.schema,
    create: (settings, clock) => watchedPlatform(kind.create(settings, clock), points, trace),
  };
}

function watchedPlatform(platform: Platform, points: Points, trace: Trace): Platform {
  const watched: Platform = {
    name: platform.name,
    async start(context, signal) {
      points.at('before connect');
      await platform.start(watchedContext(context, points, trace), signal);
      points.at('after connect');
    },
    async send(outbound, signal) {
      points.at('before send');
      trace.note({ what: 'send', id: outbound.id });
      const sending = platform.send(outbound, signal);
      points.at('send under way');
      const receipt = await sending;
      points.at('after send');
      return receipt;
    },
    async stopReceiving() {
      points.at('before stop-receiving');
      await platform.stopReceiving();
      points.at('after stop-receiving');
    },
    async stop() {
      points.at('before platform-stop');
      await platform.stop();
    },
  };
  if (platform.capabilities !== undefined) Object.assign(watched, { capabilities: platform.capabilities });
  if (platform.typing !== undefined) watched.typing = platform.typing.bind(platform);
  const reconcile = platform.reconcile?.bind(platform);
  if (reconcile !== undefined) {
    watched.reconcile = async (outbound, signal) => {
      points.at('before reconcile');
      const found = await reconcile(outbound, signal);
      points.at('after reconcile');
      return found;
    };
  }
  return watched;
}

function watchedContext(context: PlatformContext, points: Points, trace: Trace): PlatformContext {
  return {
    ...context,
    lost: (error) => context.lost(error),
    async receive(inbound) {
      try {
        await context.receive(inbound);
      } catch (error) {
        trace.note({ what: 'not-taken', id: inbound.platformMessageId });
        throw error;
      }
      points.at('before acknowledge');
      // By then the adapter has said it to its server.
      setImmediate(() => points.at('after acknowledge'));
    },
  };
}
