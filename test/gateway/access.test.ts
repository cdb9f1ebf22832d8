import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { Access } from '../../src/gateway/access.ts';
import { classify } from '../../src/messages/classify.ts';
import { exampleCommands } from '../support/example-commands.ts';
import { FakeClock } from '../support/fake-clock.ts';

const clock = new FakeClock();
const access = new Access(
  () => ({ access: { owners: ['telegram:1'], users: ['telegram:2'] } }) as unknown as Config,
  clock,
);

describe('a role', () => {
  test.each([
    ['local:anybody', 'owner'],
    ['telegram:1', 'owner'],
    ['telegram:2', 'user'],
    ['telegram:3', undefined],
    ['slack:1', undefined],
    ['localhost:1', undefined],
    ['', undefined],
  ])('of %j is %s', (sender, role) => {
    expect(access.roleOf(sender)).toBe(role);
  });

  test.each([
    ['hello', true],
    ['/status', true],
    ['/interrupt', true],
    ['/nothing', true],
    ['/stop', false],
    ['/restart now', false],
    ['/cancel c_1', false],
    ['/up', false],
    ['/shared', true],
    ['/short', false],
  ])('of a user may use %j: %s; an owner always may', (text, may) => {
    const classified = classify(text, exampleCommands);
    expect(access.allows('user', classified)).toBe(may);
    expect(access.allows('owner', classified)).toBe(true);
  });
});

test('a stranger is told once an hour, each on their own', async () => {
  expect([access.tellsStranger('a:1'), access.tellsStranger('a:1'), access.tellsStranger('a:2')]).toEqual([
    true,
    false,
    true,
  ]);
  await clock.advance(60 * 60 * 1000 - 1);
  expect(access.tellsStranger('a:1')).toBe(false);
  await clock.advance(1);
  expect(access.tellsStranger('a:1')).toBe(true);
});
