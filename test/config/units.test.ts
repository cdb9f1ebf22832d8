import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLoopback, parseAddress, parseDurationMs, resolveFrom } from '../../src/config/units.ts';

describe('a duration', () => {
  test.each<[string | number, number | undefined]>([
    [30, 30_000],
    ['30', 30_000],
    [0.5, 500],
    ['1.5s', 1_500],
    ['10ms', 10],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    [' 30s ', 30_000],
    ['-5s', -5_000],
    [0, 0],
    ['', undefined],
    ['s', undefined],
    ['5 m', undefined],
    ['5M', undefined],
    ['5min', undefined],
    ['1h30m', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['.5s', undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
  ])('%j is %j ms', (value, expected) => {
    expect(parseDurationMs(value)).toBe(expected);
  });

  test('of whole seconds is the same as number and as text', () => {
    fc.assert(
      fc.property(fc.nat(86_400), (seconds) => {
        expect(parseDurationMs(seconds)).toBe(seconds * 1_000);
        expect(parseDurationMs(`${seconds}s`)).toBe(seconds * 1_000);
      }),
    );
  });
});

describe('an address', () => {
  test.each([
    ['127.0.0.1:7171', { host: '127.0.0.1', port: 7171 }],
    ['LOCALHOST:0', { host: 'localhost', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['a.example.org:80', { host: 'a.example.org', port: 80 }],
    ['127.0.0.1', undefined],
    [':80', undefined],
    ['::1:80', undefined],
    ['127.0.0.1:65536', undefined],
    ['127.0.0.1:-1', undefined],
    ['http://127.0.0.1:80', undefined],
    ['127.0.0.1:80/x', undefined],
  ])('%s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });

  test.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.8.9.255', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['127.0.0.256', false],
    ['127.0.0.1.example.org', false],
    ['127.1', false],
    ['localhost.example.org', false],
  ])('%s is on this machine only: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});

describe('a path of a configuration', () => {
  test.each([
    ['bin/x', '/home/ada', '/etc/sluice/bin/x'],
    ['../x', '/home/ada', '/etc/x'],
    ['/bin/x', '/home/ada', '/bin/x'],
    ['~/x', '/home/ada', '/home/ada/x'],
    ['~', '/home/ada', '/home/ada'],
    ['~x/y', '/home/ada', '/etc/sluice/~x/y'],
    ['~/x', undefined, '/etc/sluice/~/x'],
  ])('%s', (path, userHome, expected) => {
    expect(resolveFrom('/etc/sluice', path, userHome)).toBe(expected);
  });
});
