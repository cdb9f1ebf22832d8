/** Makes the troubles of a chapter, and counts them. */
import { systemClock } from '../../src/clock.ts';
import type { TestGateway } from '../support/gateway.ts';
import { StoreLock } from '../support/store-lock.ts';
import type { ChapterRecord } from './record.ts';
import type { Request, Trouble } from './round.ts';
import type { World } from './world.ts';

export class Troubles {
  /** How often each was made. */
  readonly counts: Record<string, number> = {};
  readonly #world: World;
  readonly #outages: { round: number }[] = [];
  /** What goes on over the end of a life: a disk that stays full. */
  readonly #lasting: Promise<void>[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** When the store could not be written by what was made here. */
  get outages(): ChapterRecord['outages'] {
    return this.#outages;
  }

  /** `over`: the life is. */
  async make(trouble: Trouble, round: number, life: TestGateway, over: AbortSignal): Promise<void> {
    const { server, disk, folder } = this.#world;
    if (trouble.what === 'disk full' && disk === undefined) {
      // The plan is the same where no small disk can be mounted.
      this.count('disk full, left out: it takes a disk of its own');
      return;
    }
    this.count(trouble.what === 'behaviour' ? `server: ${trouble.behaviour.how}` : trouble.what);
    switch (trouble.what) {
      case 'behaviour': {
        const { behaviour, conversation, times } = trouble;
        server.behave(behaviour, { times, ...(conversation === undefined ? {} : { conversation }) });
        return;
      }
      case 'link cut':
        return server.cut();
      case 'SIGSTOP and SIGCONT':
        life.signal('SIGSTOP');
        await systemClock.delay(trouble.forMs, over);
        life.signal('SIGCONT');
        return;
      case 'database locked': {
        this.#outages.push({ round });
        using _ = new StoreLock(folder.home);
        return await systemClock.delay(trouble.forMs);
      }
      case 'disk full':
        this.#outages.push({ round });
        disk?.fill();
        this.#lasting.push(systemClock.delay(trouble.forMs).then(() => disk?.empty()));
    }
  }

  async request(request: Request, life: TestGateway): Promise<void> {
    this.count(request);
    if (request === 'SIGTERM' || request === 'SIGUSR1') return life.signal(request);
    const body = request === 'drain' ? { intent: 'drain' } : { intent: 'stop', hurry: true };
    // It may be gone before it answers.
    await life.request('POST', '/v1/lifecycle', body).catch(() => {});
  }

  count(trouble: string): void {
    this.counts[trouble] = (this.counts[trouble] ?? 0) + 1;
  }

  /** Resolves when nothing of it goes on; the chat server takes everything well again then. */
  async over(conversations: Iterable<string>): Promise<void> {
    await Promise.all(this.#lasting);
    const { server } = this.#world;
    for (const conversation of conversations) server.behave(undefined, { conversation });
    server.behave(undefined);
  }
}
