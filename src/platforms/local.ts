/**
 * This machine's own people: the control socket, HTTP on loopback, the page. Whoever sends waits at the
 * connection and gets replies there, or asks again with the same id; so sending has nothing to do.
 */
import { LOCAL_PLATFORM } from '../messages/local.ts';
import type { Platform, PlatformContext } from './platform.ts';

export class LocalPlatform implements Platform {
  readonly name = LOCAL_PLATFORM;

  async start(context: PlatformContext): Promise<void> {
    context.link('connected');
  }

  /** The reply is on disk already, where its sender finds it. */
  async send(): Promise<void> {}

  /** The faces close last, after the other platforms: see `control/http.ts`. */
  async stopReceiving(): Promise<void> {}

  async stop(): Promise<void> {}
}
