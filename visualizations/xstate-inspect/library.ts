/**
 * The real server of `@xstate/inspect`, held at arm's length.
 *
 * Left to itself it keeps every service it has ever seen, shares module-level sets and a global between all
 * servers of a process, throws on a message that is not JSON, repeats every registration to every viewer when
 * one more connects, and hands viewers' events to services. So it gets a registry and a set of clients of our
 * own, both narrowed for the length of one synchronous call to whom that call is meant for.
 */
import { inspect } from '@xstate/inspect/lib/server.js';
import type { InspectedService } from './service.ts';

/** Who is spoken to: takes one message of the library's protocol as JSON. */
export type Listener = (text: string) => void;

export interface Library {
  /** Runs `act`; what the library says meanwhile goes to `listeners` alone. */
  speakTo(listeners: Iterable<Listener>, act: () => void): void;
  /** Says what the service is and which state it is in; the first time, also starts to listen to it. */
  introduce(service: InspectedService): void;
  /** Says that the service of this session has ended. */
  sayStopped(sessionId: string): void;
  close(): void;
}

interface LibraryClient {
  readonly OPEN: 1;
  readonly readyState: 1;
  send(text: string): void;
}

/** Starts the library's server. Leaves nothing global behind, so several may live in one process. */
export function openLibrary(): Library {
  const clients = new Set<LibraryClient>();
  const registry = new Registry();
  let receive: (text: string, isBinary: boolean) => void = () => undefined;
  const controller = {
    on(_name: 'message', listener: typeof receive) {
      receive = listener;
    },
  };
  const server = {
    clients,
    on(name: string, listener: (client: typeof controller) => void) {
      if (name === 'connection') listener(controller);
    },
    close: () => undefined,
  };
  const inspector = withRegistry(registry, () => inspect({ server }));
  // The library forwards nothing before a first viewer has asked; from here on `clients` alone decides.
  const introduceAll = () => receive(JSON.stringify({ type: 'xstate.inspecting' }), false);
  introduceAll();

  return {
    speakTo(listeners, act) {
      for (const send of listeners) clients.add({ OPEN: 1, readyState: 1, send });
      try {
        act();
      } finally {
        clients.clear();
      }
    },
    introduce(service) {
      if (!service.isRegistered) return registry.register(service);
      registry.services.add(service);
      try {
        introduceAll();
      } finally {
        registry.services.clear();
      }
    },
    sayStopped: (sessionId) => inspector.send({ type: 'service.stop', sessionId }),
    close: () => inspector.disconnect(),
  };
}

/**
 * What the library takes for the developer tools of XState 4. `services` is what it introduces to a viewer that
 * asks, so it is empty but for the moment in which one is introduced; the bridge knows who is alive.
 */
class Registry {
  readonly services = new Set<InspectedService>();
  readonly #listeners: ((service: InspectedService) => void)[] = [];

  register(service: InspectedService): void {
    for (const listener of this.#listeners) listener(service);
  }

  onRegister(listener: (service: InspectedService) => void): { unsubscribe(): void } {
    this.#listeners.push(listener);
    return { unsubscribe: () => undefined };
  }
}

/** The library assigns a registry of its own to `globalThis.__xstate__` and reads it back: it reads ours. */
function withRegistry<T>(registry: Registry, act: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, '__xstate__');
  Object.defineProperty(globalThis, '__xstate__', {
    configurable: true,
    get: () => registry,
    set: () => undefined,
  });
  try {
    return act();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, '__xstate__');
    else Object.defineProperty(globalThis, '__xstate__', before);
  }
}
