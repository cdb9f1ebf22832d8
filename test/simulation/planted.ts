/**
 * Bugs of the kind that this is all about, planted where the gateway meets its store, its chat or its chart: what it hands in
 * is changed on the way, or what it is told. The gateway itself is the product's.
 */
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { Outbound } from '../../src/messages/outbound.ts';
import { possiblyTwice } from '../../src/messages/replies.ts';
import type { Platform } from '../../src/platforms/platform.ts';
import type { StoredMessage } from '../../src/store/records.ts';
import type { OpenWork, Store } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';
import { isCutOffToo } from '../support/cut-off-too.ts';
import type { CrashingStore } from './crashing-store.ts';
import type { Planted } from './life.ts';

type Commit = Store['commit'];

/** The same store, but for its commits. */
function committing(change: (commit: Commit, store: CrashingStore) => Commit): Planted {
  return { store: (store) => overlaid(store, { commit: change(store.commit.bind(store), store) }) };
}

/** The same store, but for what it says it finds of dead lives. */
function finding(change: (open: OpenWork, store: CrashingStore) => OpenWork): Planted {
  return {
    store: (store) =>
      overlaid(store, { openWork: async (living) => change(await store.openWork(living), store) }),
  };
}

/** `store` with some of its methods replaced. */
function overlaid(store: CrashingStore, methods: Partial<Store>): Store {
  return new Proxy<Store>(store, {
    get: (_, name) => {
      if (Object.hasOwn(methods, name)) return methods[name as keyof Store];
      const value: unknown = Reflect.get(store, name);
      return typeof value === 'function' ? value.bind(store) : value;
    },
  });
}

/** What was handed in to be held, and is given up, is never told to have left; by then a drain may not have told it. */
function keepingWork(): Planted {
  const held = new Set<string>();
  const kept = new Set<string>();
  const watched = committing((commit) => (unit) => {
    for (const write of unit) {
      if (write.op === 'phase' && write.phase === 'held') held.add(write.id);
      if (write.op === 'settle' && write.outcome === 'discarded' && held.has(write.id)) kept.add(write.id);
    }
    return commit(unit);
  });
  const gateway = ({ lifecycle }: Gateway): void => {
    const send = lifecycle.send.bind(lifecycle);
    lifecycle.send = (event) => {
      if (event.type !== 'work.settled' || !kept.has(event.id)) send(event);
    };
  };
  return { ...watched, gateway };
}

const isReply = (write: Write): boolean => write.op === 'reply' && write.outbound.kind === 'reply';

const tellsOfAnother = (write: Write): boolean => write.op === 'reply' && isCutOffToo(write.outbound.text);

const asReceived = (message: StoredMessage): StoredMessage => ({
  ...message,
  kind: 'control',
  phase: 'received',
});

/** By name; the rules that may find it first. */
export const PLANTED: Readonly<
  Record<string, { readonly bug: Planted; readonly foundBy: readonly string[] }>
> = {
  'acknowledged before the commit': {
    bug: committing((commit) => async (unit) => {
      commit(unit).catch(() => {});
      return 'committed';
    }),
    foundBy: ['acknowledged', 'start on disk'],
  },
  'settled twice': {
    bug: committing((commit) => (unit) => {
      const settles = unit.filter(({ op }) => op === 'settle');
      return commit([...unit, ...settles]);
    }),
    foundBy: ['one outcome'],
  },
  'a lost row of the outbox': {
    bug: committing((commit) => (unit) => commit(unit.filter((write) => !isReply(write)))),
    foundBy: ['at least once', 'none missing'],
  },
  'a queue in another order': {
    bug: finding((open) => ({ ...open, messages: open.messages.toReversed() })),
    foundBy: ['order in'],
  },
  'a command run again': {
    bug: finding((open) => ({
      ...open,
      messages: open.messages.map((row) =>
        row.kind === 'exec' && row.phase === 'started' ? { ...row, phase: 'received' } : row,
      ),
      commands: open.commands.map((command) => ({ ...command, startedAt: null })),
    })),
    foundBy: ['command once'],
  },
  'everything settled at boot': {
    bug: finding((open) => ({ ...open, turns: [], commands: [], messages: open.messages.map(asReceived) })),
    foundBy: ['outcome', 'recovery', 'none missing'],
  },
  'every reply marked': { bug: { platform: marking }, foundBy: ['marked'] },
  'a turn begun before its start is on disk': {
    bug: committing((commit) => (unit) => {
      const begins = unit.some(({ op }) => op === 'turn.start');
      const written = commit(unit);
      if (!begins) return written;
      written.catch(() => {});
      return Promise.resolve('committed');
    }),
    foundBy: ['start on disk', 'acknowledged'],
  },
  'a message sent though its claim could not be written': {
    bug: committing((commit) => async (unit) => {
      const claims = unit.some(({ op }) => op === 'sending');
      return await commit(unit).catch((error: unknown) => {
        if (claims) return 'committed';
        throw error;
      });
    }),
    foundBy: ['claimed'],
  },
  'a cut sending that is repeated in silence': {
    bug: finding((open) => ({
      ...open,
      outbound: open.outbound.map((row) => ({ ...row, state: 'pending', possibleDuplicate: false })),
    })),
    foundBy: ['not marked'],
  },
  'a "down" that is said at every death': {
    bug: { store: (store) => overlaid(store, { noticesOf: async () => [] }) },
    foundBy: ['incident once'],
  },
  'a second cut message that is not told': {
    bug: committing((commit) => (unit) => commit(unit.filter((write) => !tellsOfAnother(write)))),
    foundBy: ['told'],
  },
  'a message given up while a drain holds it, which goes on counting as work': {
    bug: keepingWork(),
    foundBy: ['work set'],
  },
  'a named wait that is forgotten at a restart': {
    bug: finding((open) => ({ ...open, outbound: open.outbound.map((row) => ({ ...row, nextAt: null })) })),
    foundBy: ['named wait'],
  },
};

function marking(platform: Platform): Platform {
  const marked: Platform = Object.create(platform, {
    send: {
      value: (outbound: Outbound, signal: AbortSignal) =>
        platform.send({ ...outbound, text: `${outbound.text}\n${possiblyTwice()}` }, signal),
    },
  });
  return new Proxy(marked, {
    get: (_, name) => {
      if (name === 'send') return marked.send;
      const value: unknown = Reflect.get(platform, name);
      return typeof value === 'function' ? value.bind(platform) : value;
    },
  });
}
