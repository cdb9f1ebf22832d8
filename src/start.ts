/**
 * A start, step by step, while the chart is in `starting` and a stop may come at any moment: registered among
 * the lives, reachable, recovered, connected. Ends with `started`.
 */
import type { Config } from './config/schema.ts';
import type { Faces } from './control/http.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { LifeKeeper } from './life.ts';

export interface StartSteps {
  readonly gateway: Gateway;
  readonly faces: Faces;
  readonly life: LifeKeeper;
  /** Path of the control socket. */
  readonly socket: string;
  readonly config: Config;
}

/**
 * True when the gateway runs; false when `overtaken` aborted: a stop came, and what follows would only have to be
 * undone. A life is registered in any case, for how it ended is said there. Rejects when it cannot run at all.
 */
export async function start(
  { gateway, faces, life, socket, config }: StartSteps,
  overtaken: AbortSignal,
): Promise<boolean> {
  const { http } = config.listen;
  await life.begin();
  life.publish(config.source.path);
  const steps = [
    () => faces.listenSocket(socket),
    async () => {
      if (http !== 'off') gateway.http = await faces.listenHttp(http.host, http.port);
    },
    () => life.recover(),
    () => gateway.connections.start(overtaken),
  ];
  for (const step of steps) {
    if (overtaken.aborted) return false;
    await step();
  }
  if (overtaken.aborted) return false;
  gateway.lifecycle.send({ type: 'started' });
  return true;
}
