import { expect, test } from 'vitest';
import { isLocalOwner, LOCAL_OWNER, localConversation, waitsAtConnection } from '../../src/messages/local.ts';

test.each([
  ['default', 'local:default'],
  ['local:default', 'local:default'],
  ['telegram:12', 'local:telegram%3A12'],
  ['a:b:c', 'local:a%3Ab%3Ac'],
  ['100%', 'local:100%25'],
])('the local conversation %j has the key %j', (named, key) => {
  expect(localConversation(named)).toBe(key);
});

test('everybody of this machine is an owner, and nobody whose platform only begins like it', () => {
  expect(
    [LOCAL_OWNER, 'local:anybody', 'local', 'localhost:1', 'telegram:local:1'].map(isLocalOwner),
  ).toEqual([true, true, false, false, false]);
});

test('whoever writes from this machine waits at the connection, people on platforms do not', () => {
  expect(waitsAtConnection({ platform: 'local' })).toBe(true);
  expect(waitsAtConnection({ platform: 'telegram' })).toBe(false);
});
