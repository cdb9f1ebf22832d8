/**
 * This machine's own people: the control socket, HTTP on loopback, the page. Whoever sends waits at the
 * connection and gets replies there, or asks again with the same id; so sending has nothing to do.
 */
import { LOCAL_PLATFORM } from '../messages/local.ts';
import type { Platform } from './platform.ts';

export class LocalPlatform implements Platform {
  readonly name = LOCAL_PLATFORM;

  /** There is nothing to connect to, and nothing to lose. */
  async start(): Promise<void> {}

  /** The reply is on disk already, where its sender finds it. */
  async send(): Promise<void> {}

  /** The faces close last, after the other platforms: see `control/http.ts`. */
  async stopReceiving(): Promise<void> {}

  async stop(): Promise<void> {}
}
