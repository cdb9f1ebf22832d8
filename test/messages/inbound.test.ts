import { expect, test } from 'vitest';
import {
  conversationKey,
  fitsMessage,
  MESSAGE_BYTES_MAX,
  parseConversationKey,
} from '../../src/messages/inbound.ts';

test.each([
  ['local', 'default'],
  ['slack', 'C1:1700000000.5'],
  ['odd:name', '100%'],
  ['x', '%3A'],
  ['x', '%253A:%25'],
  ['x', 'ü ber'],
])('the key of %j and %j is parsed to the same', (platform, id) => {
  const key = conversationKey(platform, id);
  expect(key.split(':')).toHaveLength(2);
  expect(parseConversationKey(key)).toEqual({ platform, id });
});

test('different ids never share a key', () => {
  const ids = [':', '%3A', '%253A', 'a:b', 'a%3Ab', '%'];
  expect(new Set(ids.map((id) => conversationKey('x', id))).size).toBe(ids.length);
});

test.each(['', 'local', ':x', 'x:', 'a:b:c'])('%j is no key', (key) => {
  expect(parseConversationKey(key)).toBeUndefined();
});

test('the limit of a message counts bytes', () => {
  expect(fitsMessage('x'.repeat(MESSAGE_BYTES_MAX))).toBe(true);
  expect(fitsMessage('x'.repeat(MESSAGE_BYTES_MAX + 1))).toBe(false);
  expect(fitsMessage('€'.repeat(MESSAGE_BYTES_MAX / 3))).toBe(true);
  expect(fitsMessage(`${'€'.repeat(Math.floor(MESSAGE_BYTES_MAX / 3))}xx`)).toBe(false);
});
