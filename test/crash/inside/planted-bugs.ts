/**
 * Bugs to be planted, by name: each is one that a gateway could have, made of wrappers around its store or its platform.
 * They are here to show that the checker sees them.
 */
import { possiblyTwice } from '../../../src/messages/replies.ts';
import type { PlatformKind } from '../../../src/platforms/platform.ts';
import type { StoredMessage } from '../../../src/store/records.ts';
import type { SqliteStore } from '../../../src/store/sqlite.ts';
import type { OpenWork } from '../../../src/store/store.ts';
import type { Write } from '../../../src/store/write.ts';
import { isCutOffToo } from '../../support/cut-off-too.ts';
import { withMethods } from './watched-store.ts';

export const PLANTED_BUGS = [
  'acknowledge before commit',
  'settle twice',
  'lost outbox row',
  'reordered queue',
  'command run again',
  'recovery touches a living life',
  'everything settled at boot',
  'every reply marked',
  'the down notice is repeated at every death',
  'the second cut message is not told',
  "a platform's named wait forgotten at a restart",
] as const;

export type PlantedBug = (typeof PLANTED_BUGS)[number];

/** How late what was acknowledged too early comes to the disk. */
const LATE_MS = 300;

type Changed = (unit: readonly Write[]) => Write[];

const commits = (store: SqliteStore, changed: Changed): SqliteStore =>
  withMethods(store, { commit: (unit) => store.commit(changed(unit)) });

const finds = (store: SqliteStore, changed: (found: OpenWork) => OpenWork): SqliteStore =>
  withMethods(store, { openWork: async (living) => changed(await store.openWork(living)) });

const STORES: Readonly<Partial<Record<PlantedBug, (store: SqliteStore) => SqliteStore>>> = {
  'acknowledge before commit': (store) =>
    withMethods(store, {
      async commit(unit) {
        if (!unit.some(({ op }) => op === 'receive')) return store.commit(unit);
        setTimeout(() => void store.commit(unit).catch(() => {}), LATE_MS);
        return 'committed';
      },
    }),

  'settle twice': (store) =>
    withMethods(store, {
      async commit(unit) {
        const result = await store.commit(unit);
        const again = unit.flatMap((write) => (write.op === 'reply' ? [answeredAgain(write)] : []));
        if (unit.some(({ op }) => op === 'turn.end') && again.length > 0) await store.commit(again);
        return result;
      },
    }),

  'lost outbox row': (store) =>
    commits(store, (unit) =>
      unit.some(({ op }) => op === 'turn.end') ? unit.filter(({ op }) => op !== 'reply') : [...unit],
    ),

  'reordered queue': (store) =>
    finds(store, (found) => ({ ...found, messages: found.messages.toReversed() })),

  'command run again': (store) =>
    finds(store, (found) => ({
      ...found,
      messages: found.messages.map(
        (message): StoredMessage => (message.kind === 'exec' ? { ...message, phase: 'received' } : message),
      ),
      commands: found.commands.map((command) => ({ ...command, startedAt: null })),
    })),

  // What is last in the list is the life that asks.
  'recovery touches a living life': (store) =>
    withMethods(store, { openWork: (living) => store.openWork(living.slice(-1)) }),

  'everything settled at boot': (store) =>
    commits(store, (unit) =>
      unit.map((write): Write => {
        if (write.op !== 'adopt' || (write.phase !== 'held' && write.phase !== 'awaiting-resume'))
          return write;
        return { op: 'settle', id: write.id, outcome: 'interrupted', reason: 'gateway-died', at: Date.now() };
      }),
    ),

  'the down notice is repeated at every death': (store) => withMethods(store, { noticesOf: async () => [] }),

  'the second cut message is not told': (store) =>
    commits(store, (unit) =>
      unit.filter((write) => write.op !== 'reply' || !isCutOffToo(write.outbound.text)),
    ),

  "a platform's named wait forgotten at a restart": (store) =>
    finds(store, (found) => ({
      ...found,
      outbound: found.outbound.map((row) => ({ ...row, nextAt: null })),
    })),
};

const answeredAgain = (write: Extract<Write, { op: 'reply' }>): Write => ({
  ...write,
  outbound: { ...write.outbound, id: `${write.outbound.id}b` },
});

/** The store with the bug in it, below whatever watches it. */
export function buggyStore(store: SqliteStore, bug: PlantedBug | undefined): SqliteStore {
  return (bug === undefined ? undefined : STORES[bug])?.(store) ?? store;
}

export function buggyKind(kind: PlatformKind, bug: PlantedBug | undefined): PlatformKind {
  if (bug !== 'every reply marked') return kind;
  return {
    schema: kind.schema,
    create(settings, clock) {
      const platform = kind.create(settings, clock);
      const send = platform.send.bind(platform);
      platform.send = (outbound, signal) =>
        send({ ...outbound, text: `${outbound.text}\n${possiblyTwice()}` }, signal);
      return platform;
    },
  };
}
