/**
 * A store with a point before and after each of its commits, which notes what is on disk. Everything else is the
 * store's own.
 */

import type { JournalRow } from '../../../src/store/records.ts';
import type { SqliteStore } from '../../../src/store/sqlite.ts';
import type { Life, LifeStart } from '../../../src/store/store.ts';
import type { Write } from '../../../src/store/write.ts';
import { nameOf } from './commit-names.ts';
import type { Points } from './points.ts';
import type { Trace } from './trace.ts';

/** `store` with some of its methods replaced; the others work on it as they did. */
export function withMethods(store: SqliteStore, methods: Partial<SqliteStore>): SqliteStore {
  return new Proxy(store, {
    get(target, name) {
      if (name in methods) return methods[name as keyof SqliteStore];
      const own: unknown = Reflect.get(target, name, target);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

export function watchedStore(store: SqliteStore, points: Points, trace: Trace): SqliteStore {
  const commit = async (unit: readonly Write[]) => {
    const name = nameOf(unit);
    if (name === undefined) trace.note({ what: 'unnamed', ops: unit.map(({ op }) => op).join(' ') });
    else points.at(`before commit ${name}`);
    noteBefore(unit, trace);
    try {
      const result = await store.commit(unit);
      if (result === 'committed') noteAfter(unit, trace);
      if (name !== undefined) points.at(`after commit ${name}`);
      return result;
    } catch (error) {
      trace.note({ what: 'unwritable' });
      for (const write of unit) {
        if (write.op === 'sending') trace.note({ what: 'unclaimed', id: write.id });
        if (write.op === 'command.start') trace.note({ what: 'start-unwritten', id: write.id });
      }
      throw error;
    }
  };
  const begin = async (start: LifeStart): Promise<Life> => {
    points.at('before life-begin');
    const life = await store.begin(start);
    trace.note({ what: 'life', life: life.id, epoch: life.epoch, pid: life.pid });
    points.at('after life-begin');
    return life;
  };
  const openWork = async (living: readonly number[]) => {
    points.at('before recovery');
    const found = await store.openWork(living);
    points.at('recovery found');
    return found;
  };
  const journal = (row: JournalRow) => {
    store.journal(row);
    points.at(`entering ${row.state}`);
  };
  const close = async () => {
    points.at('before store-close');
    await store.close();
    points.at('after store-close');
  };
  return withMethods(store, { commit, begin, openWork, journal, close });
}

function noteBefore(unit: readonly Write[], trace: Trace): void {
  for (const write of unit) {
    if (write.op === 'sending') trace.note({ what: 'claim', id: write.id, life: write.life });
  }
}

function noteAfter(unit: readonly Write[], trace: Trace): void {
  for (const write of unit) {
    switch (write.op) {
      case 'sent':
      case 'unsent':
        trace.note({ what: 'mark', id: write.id, as: write.op });
        break;
      case 'outbound.end':
        trace.note({ what: 'mark', id: write.id, as: write.state });
        break;
      case 'settle':
        trace.note({ what: 'settled', id: write.id, outcome: write.outcome });
        break;
      case 'phase':
      case 'adopt':
        if (write.phase === 'awaiting-resume') trace.note({ what: 'awaits', id: write.id });
        break;
      case 'turn.start':
        trace.note({ what: 'turn', id: write.turn.id });
        break;
      case 'reply':
        trace.note({ what: 'said', id: write.outbound.id, life: write.outbound.life });
        break;
      case 'life.end':
        trace.note({ what: 'life-over', life: write.id });
        break;
      case 'session.quarantine':
        trace.note({ what: 'quarantine', conversation: write.conversation });
    }
  }
}
