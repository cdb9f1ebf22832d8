/** What the store makes of an id that a person typed: whole or its beginning, ours or a platform's, of whatever kind. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SqliteStore } from '../../src/store/sqlite.ts';
import { commandRow, messageRow, outboundRow, turnRow } from './sample-rows.ts';
import { StoreHome } from './store-home.ts';

let home: StoreHome;
let store: SqliteStore;

beforeEach(async () => {
  home = new StoreHome();
  store = await home.open();
  await store.commit([
    { op: 'receive', message: messageRow('m_aaa1', { platform: 'telegram', platformMessageId: '77' }) },
    { op: 'turn.start', turn: turnRow('t_aaa1'), messages: ['m_aaa1'] },
    { op: 'command.receive', command: commandRow('c_aaa1', 'm_aaa1') },
    { op: 'reply', outbound: outboundRow('o_aaa1', 'm_aaa1') },
    { op: 'reply', outbound: outboundRow('o_note', null) },
  ]);
  await store.commit([
    { op: 'receive', message: messageRow('m_aaa2', { platform: 'local', platformMessageId: 'm_aaa2x' }) },
  ]);
  await store.commit([
    { op: 'receive', message: messageRow('m_b%_1', { platform: 'local', platformMessageId: '771' }) },
  ]);
});

afterEach(() => home[Symbol.asyncDispose]());

describe('an id', () => {
  test.each(['m_aaa1', '77', 't_aaa1', 'c_aaa1', 't_', 'c_a'])('%s stands for its message', async (id) => {
    expect(await store.lookup(id)).toEqual({ is: 'message', id: 'm_aaa1' });
  });

  test('of a text that went out stands for that, and tells which message it answers', async () => {
    expect(await store.lookup('o_aaa1')).toEqual({ is: 'outbound', id: 'o_aaa1', message: 'm_aaa1' });
    expect(await store.lookup('o_n')).toEqual({ is: 'outbound', id: 'o_note', message: null });
  });

  test('that is whole counts before those that it begins', async () => {
    expect(await store.lookup('77')).toEqual({ is: 'message', id: 'm_aaa1' });
    expect(await store.lookup('771')).toEqual({ is: 'message', id: 'm_b%_1' });
    expect(await store.lookup('7')).toEqual({ is: 'several', ids: ['771', '77'] });
  });

  test('is one where our id and the platform’s of one message begin alike', async () => {
    expect(await store.lookup('m_aaa2')).toEqual({ is: 'message', id: 'm_aaa2' });
    expect(await store.lookup('m_aa')).toEqual({ is: 'several', ids: ['m_aaa1', 'm_aaa2'] });
  });

  test('is taken by its letters: no pattern is in it', async () => {
    expect(await store.lookup('m_b%')).toEqual({ is: 'message', id: 'm_b%_1' });
    expect(await store.lookup('m%')).toEqual({ is: 'none', near: [] });
    expect(await store.lookup('m_b__1')).toMatchObject({ is: 'none' });
  });

  test('of none names what was probably meant', async () => {
    expect(await store.lookup('m_aaa9')).toEqual({ is: 'none', near: ['m_aaa1', 'm_aaa2', 'm_aaa2x'] });
    expect(await store.lookup('zzz')).toEqual({ is: 'none', near: [] });
  });
});
