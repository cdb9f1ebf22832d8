/**
 * A world with a gateway in it: its people, its chat, its disk, its clock, and one life after the other. It moves only when
 * it is told to, one event at a time, and everything that follows from an event has followed when that is over.
 */
import { isSluiceError } from '../../src/errors.ts';
import type { MessageRow } from '../../src/store/records.ts';
import { settled } from '../support/fake-clock.ts';
import { ChatServer, type Post } from './chat-server.ts';
import { Checker } from './checker.ts';
import { Coverage } from './coverage.ts';
import { Disk } from './crashing-store.ts';
import type { Happening, Said } from './happening.ts';
import { type Planted, SimLife } from './life.ts';
import { People } from './people.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import { WorldClock } from './world-clock.ts';

/** Somebody of this machine who waits for an answer at a connection, or asks again after it broke. */
interface Caller {
  readonly said: Said;
  life: number | null;
}

/** Where safe mode is off: without a death for so long an incident is over. */
const QUIET_MS = 120_000;

export interface WorldOptions {
  readonly profile: Profile;
  readonly random: Random;
  readonly planted?: Planted;
}

export class World {
  readonly random: Random;
  readonly profile: Profile;
  readonly clock = new WorldClock();
  readonly disk = new Disk();
  readonly server: ChatServer;
  readonly people: People;
  readonly checker: Checker;
  readonly coverage = new Coverage();
  readonly happened: { readonly at: number; readonly happening: Happening }[] = [];
  /** Local messages that are not answered yet. */
  readonly callers: Caller[] = [];
  life: SimLife | undefined;
  crashes = 0;
  /** The last life left for this; it may be told to come back. */
  lastEnd = '';
  readonly #planted: Planted;
  #lives = 0;

  constructor({ profile, random, planted = {} }: WorldOptions) {
    this.profile = profile;
    this.random = random;
    this.#planted = planted;
    const { rules, weather } = profile;
    this.people = new People(random);
    // Also until the gateway has found that there is room again.
    const quietMs = profile.config.safeMode?.quietMs ?? QUIET_MS;
    const isOutage = () => this.disk.isFull || this.life?.store.writable === false;
    this.checker = new Checker({ rules, isCalm: weather === 'calm', isOutage, quietMs });
    this.server = new ChatServer({
      happens: (happening) => this.happens(happening),
      wallMs: () => this.clock.wallMs(),
      rules,
      arrives: () => random.chance(0.5),
    });
  }

  happens(happening: Happening): void {
    this.happened.push({ at: this.clock.monotonicMs(), happening });
    this.checker.see(happening);
  }

  get state(): string {
    return this.life?.state ?? 'nobody';
  }

  /** Something goes wrong, or is asked for at any time; counted with what it meets. */
  fault(fault: string): void {
    const { state } = this;
    const handed = this.server.posts.filter(({ handedBy }) => handedBy !== null).map(({ said }) => said.key);
    const called = this.callers.filter(({ life }) => life !== null).map(({ said }) => said.key);
    this.coverage.note(fault, state, this.checker.records, [...handed, ...called]);
    this.happens({ what: 'fault', fault, while: state });
  }

  /** Begins the next life. */
  boot(): void {
    this.#lives += 1;
    const { profile, random, clock, disk, server } = this;
    const life = new SimLife({
      ...{ number: this.#lives, profile, random, clock, disk, server, planted: this.#planted },
      happens: (happening) => this.happens(happening),
      died: (dead, where) => this.#died(dead, where),
    });
    this.life = life;
    this.happens({ what: 'begins', life: life.number, wallMs: clock.wallMs() });
    void life.live().then(({ cause }) => this.#left(life, cause));
  }

  /** Hands in what somebody of this machine wrote, who waits. */
  call(caller: Caller): void {
    const { life } = this;
    if (life === undefined) return;
    const { said } = caller;
    const { key, conversation, sender, text, queues } = said;
    caller.life = life.number;
    const receivedAt = this.clock.wallMs();
    this.happens({ what: 'handed', life: life.number, said, receivedAt });
    const inbound = { platform: 'local', platformMessageId: key, conversation, sender, text, receivedAt };
    const whenBusy = queues ? ({ whenBusy: 'queue' } as const) : {};
    const over = (isTaken: boolean, recorded: boolean) => {
      if (life.isOver) return;
      this.callers.splice(this.callers.indexOf(caller), 1);
      if (isTaken) this.happens({ what: 'acknowledged', life: life.number, key, recorded });
      else this.happens({ what: 'turned away', life: life.number, key });
    };
    life.gateway.receive({ ...inbound, ...whenBusy }).then(
      // What was refused and could not be noted is known to be so by the caller alone.
      ({ admission, recorded }) => over(recorded || admission !== 'refuse', recorded),
      () => over(false, false),
    );
  }

  /** Somebody of this machine wants that it is not answered. */
  giveUp({ id, platformMessageId: key }: MessageRow): void {
    const { life } = this;
    if (life === undefined) return;
    this.happens({ what: 'given up', life: life.number, key });
    life.gateway.interventions.discard({ is: 'message', id }, 'local:owner', null).catch((error: unknown) => {
      if (life.isOver || isSluiceError(error, 'STORE_UNAVAILABLE')) return;
      this.happens({
        what: 'defect',
        life: life.number,
        message: `${key} is not given up: ${String(error)}`,
      });
    });
  }

  deliver(post: Post): void {
    this.server.deliver(post);
  }

  /** Until everything that follows from what happened has followed. */
  async follow(): Promise<void> {
    await settled();
    while (this.profile.promptStore && this.#storeMoves()) await settled();
    if (this.life?.isIdle) this.#idle(this.life);
  }

  #idle({ number, work, state }: SimLife): void {
    if (work.length > 0) this.happens({ what: 'idle', life: number, work, state });
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.follow();
  }

  /** The store applies all that waits and tells of it; false when nothing did. */
  #storeMoves(): boolean {
    const store = this.life?.store;
    if (store === undefined || store.queued + store.untold === 0) return false;
    store.apply(store.queued);
    store.tell(store.untold);
    return true;
  }

  storeMoves(): boolean {
    return this.#storeMoves();
  }

  #died(life: SimLife, where: string): void {
    this.crashes += 1;
    this.fault('crash');
    if (where !== 'any moment') this.fault(`crash ${where}`);
    this.happens({ what: 'died', life: life.number, where });
    this.#over(life);
    this.lastEnd = 'died';
  }

  #left(life: SimLife, cause: string): void {
    this.#over(life);
    this.lastEnd = cause;
  }

  /** Nobody waits for this life any more; who was waiting asks the next one, or does not. */
  #over(life: SimLife): void {
    this.life = undefined;
    for (const caller of [...this.callers]) {
      if (caller.life !== life.number) continue;
      caller.life = null;
      if (this.random.chance(0.5)) this.callers.splice(this.callers.indexOf(caller), 1);
    }
  }
}
