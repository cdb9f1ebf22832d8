/**
 * Who is shown to whom: the live actors, the viewers, and what each viewer has missed.
 *
 * Invariants: at most ACTORS_MAX actors are kept, with one snapshot each; a viewer that was behind is told anew
 * about exactly what it missed, so what it shows last is true; whatever goes wrong is reported and stays here.
 */
import { messageOf } from '../../src/errors.ts';
import type { Library } from './library.ts';
import type { ProblemReporter } from './problems.ts';
import { InspectedService } from './service.ts';
import type { Viewer } from './viewers.ts';
import {
  type ChartSnapshot,
  type EventLike,
  type InspectedActor,
  type InspectionEvent,
  isActive,
  isChartSnapshot,
} from './xstate5.ts';

/** Live actors shown at a time; further ones are counted and reported. */
const ACTORS_MAX = 256;

/** How a failure is told, by what was being done. */
const FAILED = { show: 'an actor could not be shown', message: 'a message of a viewer failed' } as const;

/** An event that a viewer wants an actor to get. Nobody has checked that the chart knows it. */
export interface ViewerEvent {
  /** The actor it is for: XState 5's `id` and `sessionId`. */
  readonly actorId: string;
  readonly sessionId: string;
  readonly event: { readonly type: string; readonly [key: string]: unknown };
}

export class Broadcast {
  /** Messages not given to viewers that were behind. */
  droppedCount = 0;
  readonly #library: Library;
  readonly #report: ProblemReporter;
  readonly #onEvent: ((sent: ViewerEvent) => void) | undefined;
  readonly #services = new Map<InspectedActor, InspectedService>();
  /**
   * Sessions are used again: the library keeps an entry for every one it has heard of, and this bounds them.
   * The longest unused comes first.
   */
  readonly #freeSessions = Array.from({ length: ACTORS_MAX }, (_, index) => `actor:${index}`);
  /** Who has asked to be shown the charts, and the sessions of which each has missed something. */
  readonly #missedBy = new Map<Viewer, Set<string>>();
  #isClosed = false;

  /** Events that viewers send go to `onEvent`; without one they are refused. */
  constructor(library: Library, report: ProblemReporter, onEvent: ((sent: ViewerEvent) => void) | undefined) {
    this.#library = library;
    this.#report = report;
    this.#onEvent = onEvent;
  }

  /** Runs `act`; whatever goes wrong inside is reported and goes no further. */
  guarded(kind: keyof typeof FAILED, act: () => void): void {
    if (this.#isClosed) return;
    try {
      act();
    } catch (thrown) {
      this.#report(kind, `${FAILED[kind]}: ${messageOf(thrown)}`);
    }
  }

  /** Takes one inspection event of XState 5. May throw: call it guarded. */
  observe({ type, actorRef, event, snapshot }: InspectionEvent): void {
    if (event === undefined) return;
    const known = this.#services.get(actorRef);
    if (type === '@xstate.event' && known !== undefined) {
      if (isActive(actorRef)) this.#tell(known, () => known.announceEvent(event));
      else this.#retire(known);
    } else if (type === '@xstate.snapshot' && isChartSnapshot(snapshot)) {
      if (known === undefined) this.#admit(actorRef, snapshot, event);
      else this.#update(known, snapshot, event);
    }
  }

  /** A message from a viewer. Only what is known is understood; the rest of the protocol is not for viewers. */
  hear(viewer: Viewer, text: string): void {
    const message: unknown = JSON.parse(text);
    const type = fieldOf(message, 'type');
    if (type === 'xstate.inspecting') {
      this.#missedBy.set(viewer, new Set([...this.#services.values()].map((service) => service.sessionId)));
      this.catchUp(viewer);
    } else if (type === 'xstate.event') {
      this.#takeEvent(fieldOf(message, 'event'));
    } else {
      this.#report('message', 'a viewer sent something other than xstate.inspecting and xstate.event');
    }
  }

  /** Tells a viewer anew about each actor of which it has missed something, as far as there is room. */
  catchUp(viewer: Viewer): void {
    const missed = this.#missedBy.get(viewer);
    if (missed === undefined || missed.size === 0) return;
    const sessions = [...missed];
    missed.clear();
    const alive = new Map([...this.#services.values()].map((service) => [service.sessionId, service]));
    for (const session of sessions) {
      const service = alive.get(session);
      this.#tellOnly([viewer], session, () => {
        if (service === undefined) this.#library.sayStopped(session);
        else this.#library.introduce(service);
      });
    }
  }

  /** The viewer has gone. */
  forget(viewer: Viewer): void {
    this.#missedBy.delete(viewer);
  }

  /** From here on nothing is shown, kept or reported. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#missedBy.clear();
    this.#services.clear();
    this.#library.close();
  }

  /** An actor is known from its first snapshot on: before it there is nothing to show. */
  #admit(actor: InspectedActor, snapshot: ChartSnapshot, event: EventLike): void {
    if (snapshot.status !== 'active') return;
    const sessionId = this.#takeSession();
    if (sessionId === undefined) {
      this.#report('actors', `more than ${ACTORS_MAX} actors are alive, the newest are not shown`);
      return;
    }
    const service = new InspectedService(actor, sessionId, snapshot, event);
    this.#services.set(actor, service);
    this.#tell(service, () => this.#library.introduce(service));
  }

  #update(service: InspectedService, snapshot: ChartSnapshot, event: EventLike): void {
    service.keep(snapshot, event);
    this.#tell(service, () => service.announceState());
    if (snapshot.status !== 'active') this.#retire(service);
  }

  /** Nothing is rendered while nobody looks: who comes later is told the newest state. */
  #tell(service: InspectedService, act: () => void): void {
    if (this.#missedBy.size > 0) this.#tellOnly(this.#missedBy.keys(), service.sessionId, act);
  }

  #tellOnly(viewers: Iterable<Viewer>, session: string, act: () => void): void {
    const listeners = Array.from(viewers, (viewer) => (text: string) => {
      if (viewer.write(text)) return;
      this.droppedCount += 1;
      this.#missedBy.get(viewer)?.add(session);
      this.#report('behind', 'a viewer does not keep up: messages to it are dropped until it does');
    });
    this.#library.speakTo(listeners, () => this.guarded('show', act));
  }

  #retire(service: InspectedService): void {
    this.#services.delete(service.actor);
    this.#freeSessions.push(service.sessionId);
    this.#tellOnly(this.#missedBy.keys(), service.sessionId, () => service.announceStop());
  }

  /** When none is free, those of actors that have failed are taken back: an error ends without a snapshot. */
  #takeSession(): string | undefined {
    if (this.#freeSessions.length === 0) {
      for (const service of this.#services.values()) if (!isActive(service.actor)) this.#retire(service);
    }
    return this.#freeSessions.shift();
  }

  #takeEvent(text: unknown): void {
    if (this.#onEvent === undefined) {
      this.#report('control', 'a viewer sent an event: not passed on, control is not allowed');
      return;
    }
    const scxml: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
    const event = fieldOf(scxml, 'data');
    const origin = fieldOf(scxml, 'origin');
    const service = [...this.#services.values()].find(({ sessionId }) => sessionId === origin);
    if (service === undefined || !isEvent(event)) {
      this.#report('message', 'a viewer sent an event without a type or for no actor that is alive');
      return;
    }
    this.#onEvent({ actorId: service.id, sessionId: service.actor.sessionId, event });
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function isEvent(value: unknown): value is ViewerEvent['event'] {
  return typeof fieldOf(value, 'type') === 'string';
}
