import { describe, expect, test } from 'vitest';
import { logLevel } from '../../src/telemetry/log.ts';

describe('the level of the log', () => {
  test.each([
    [undefined, 'info'],
    ['', 'info'],
    ['debug', 'debug'],
    ['WARN', 'warn'],
    ['silent', 'silent'],
  ])('%s is %s', (name, level) => expect(logLevel(name)).toEqual({ level }));

  test('that does not exist is info, with the known ones named', () => {
    expect(logLevel('verbose')).toEqual({
      level: 'info',
      problem:
        'SLUICE_LOG_LEVEL=verbose is no level, so it is info; known are fatal, error, warn, info, debug, trace, silent',
    });
  });
});
