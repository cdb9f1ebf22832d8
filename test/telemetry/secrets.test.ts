/** What is taken out of a line of the log, whatever shape it has: by value, by key, and never so that it is no JSON. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLog } from '../../src/telemetry/log.ts';
import { LogTail } from '../../src/telemetry/log-tail.ts';
import { Secrets } from '../../src/telemetry/secrets.ts';

const HIDDEN = '[redacted]';

const knowing = (...values: readonly string[]): Secrets => {
  const secrets = new Secrets();
  for (const value of values) secrets.add(value);
  return secrets;
};

/** A log whose lines are kept as a daemon keeps them. */
function logging(secrets: Secrets) {
  const tail = new LogTail('life', (message) => expect.unreachable(message));
  const written: string[] = [];
  const keep = (line: string) => tail.add(line);
  const write = (line: string) => void written.push(line);
  const log = createLog({ level: 'info', pretty: false, colour: false, write, keep }, secrets);
  return { log, tail, written, last: () => JSON.parse(tail.after(0).at(-1)?.line ?? '') };
}

describe('a known secret', () => {
  test.each([
    ['plain', 'pl4nted-token'],
    ['with a quote', 'pl4nted"token'],
    ['with a backslash', 'pl4nted\\token'],
    ['with both, and a line break', 'pl4"nt\\ed\n"token\\'],
    ['with a character outside of ASCII', 'pl4ntéd-🗝-token'],
    ['all of digits', '9081726354'],
    ['that begins another one', 'pl4nted-'],
  ])('%s is taken out of message, values and keys', (_, secret) => {
    const { log, written, last } = logging(knowing(secret, `${secret}longer`));
    log.info({ [secret]: 1, a: [{ b: secret, c: `${secret}longer` }] }, `it is ${secret}.`);
    expect(last()).toMatchObject({ [HIDDEN]: 1, a: [{ b: HIDDEN, c: HIDDEN }], msg: `it is ${HIDDEN}.` });
    const [line = ''] = written;
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), 'longer'])
      expect(line).not.toContain(form);
  });

  test('is taken out as others quote it: in JSON, in a literal, in an address', () => {
    const secret = 'pl4"nt\\ed token';
    const { log, last } = logging(knowing(secret));
    log.info({
      a: JSON.stringify({ secret }),
      b: `{ secret: 'pl4"nt\\\\ed token' }`,
      c: '?t=pl4%22nt%5Ced%20token',
    });
    expect(last()).toMatchObject({
      a: `{"secret":"${HIDDEN}"}`,
      b: `{ secret: '${HIDDEN}' }`,
      c: `?t=${HIDDEN}`,
    });
  });

  test('of digits takes a number out whole, wherever in it the digits stand, and leaves the line one of JSON', () => {
    const { log, last } = logging(knowing('12345678'));
    log.info(
      { exact: 12345678, within: -912345678.25, deep: [[{ n: 12345678 }]], other: 1234567 },
      'numbers',
    );
    expect(last()).toMatchObject({ exact: HIDDEN, within: HIDDEN, deep: [[{ n: HIDDEN }]], other: 1234567 });
    expect(last().msg).toBe('numbers');
  });

  test('is taken out of what a person is shown as well', () => {
    const shown: string[] = [];
    const secrets = knowing('pl4"nted\\');
    const log = createLog(
      { level: 'info', pretty: true, colour: false, write: (line) => void shown.push(line) },
      secrets,
    );
    log.error({ a: { b: 'pl4"nted\\' } }, 'with pl4"nted\\ in it');
    expect(shown.join('')).toContain(`with ${HIDDEN} in it`);
    expect(shown.join('')).not.toContain('pl4');
  });

  test('that is too short is left alone', () => {
    const { log, last } = logging(knowing('1234567', ''));
    log.info('1234567');
    expect(last().msg).toBe('1234567');
  });
});

test('no line has a known secret left, whatever it is made of and whatever stands around it', () => {
  const text = fc.string({ unit: 'binary' });
  const secret = fc.oneof(
    fc.string({ unit: 'binary', minLength: 8, maxLength: 20 }),
    fc.string({
      unit: fc.constantFrom('"', '\\', '\n', '7', 'ü', '/', '\u2028', ' '),
      minLength: 8,
      maxLength: 20,
    }),
    fc.integer({ min: 10_000_000, max: Number.MAX_SAFE_INTEGER }).map(String),
  );
  fc.assert(
    fc.property(secret, text, text, (known, before, after) => {
      fc.pre(!HIDDEN.includes(known));
      const said = `${before}${known}${after}`;
      const number = /^[1-9]/.test(known) ? Number(known) : null;
      const line = JSON.stringify({ said, list: [{ [said]: [said] }], number, quoted: JSON.stringify(said) });
      const redacted = JSON.parse(knowing(known).redactLine(`${line}\n`));
      const hidden = said.replaceAll(known, HIDDEN);
      expect(redacted).toMatchObject({ said: hidden, list: [{ [hidden]: [hidden] }] });
      expect(redacted.number).not.toEqual(Number(known));
      expect(redacted.quoted).not.toContain(JSON.stringify(known).slice(1, -1));
    }),
    { numRuns: 500 },
  );
});

test('what stands under the key of a secret is taken out at every depth, however it is spelt', () => {
  const { log, last } = logging(new Secrets());
  log.info({
    token: 'a',
    a: { b: { Authorization: 'b', apiKey: { c: 1 }, tokens: 7 } },
    list: [{ password: 5 }],
  });
  expect(last()).toMatchObject({
    token: HIDDEN,
    a: { b: { Authorization: HIDDEN, apiKey: HIDDEN, tokens: 7 } },
    list: [{ password: HIDDEN }],
  });
});

test('a line without a secret is left as it is', () => {
  const secrets = knowing('pl4nted-token');
  const line =
    '{"level":30,"time":"2026-11-21T08:00:00.000Z","a":[null,true,-1.5e-7,"ü\\n"],"__proto__":{"b":1}}\n';
  expect(secrets.redactLine(line)).toBe(line);
});

test('a line that is no JSON becomes one, without the secret', () => {
  const redacted = knowing('pl4nted-token').redactLine('{"a": pl4nted-token\n');
  expect(JSON.parse(redacted)).toEqual({ level: 50, msg: `{"a": ${HIDDEN}` });
});

describe('a text that comes in pieces', () => {
  const said = (secrets: Secrets, pieces: readonly string[]): string[] => {
    const redacting = secrets.pieces();
    return [...pieces.map((piece) => redacting.next(piece)), redacting.rest()];
  };

  test('loses a secret that is cut by them, and waits only for what may be the beginning of one', () => {
    const secrets = knowing('pl4nted-token');
    expect(said(secrets, ['it is pl4n', 'ted-', 'token', ', or pl4nted', ' trees'])).toEqual([
      'it is ',
      '',
      HIDDEN,
      ', or ',
      'pl4nted trees',
      '',
    ]);
    expect(said(secrets, ['ends in pl4nt'])).toEqual(['ends in ', 'pl4nt']);
  });

  test('where the end of a secret may begin another one, still loses the first', () => {
    const secrets = knowing('12345-abcdef', 'abcdef-67890');
    expect(said(secrets, ['x 12345-abcdef', '-6789', '?']).join('')).toBe(`x ${HIDDEN}-6789?`);
    expect(said(secrets, ['x 12345-', 'abcdef-67890']).join('')).toBe(`x ${HIDDEN}-67890`);
    expect(said(secrets, ['x abcdef', '-67890']).join('')).toBe(`x ${HIDDEN}`);
  });

  test('however it is cut, has no secret in it, and loses nothing else', () => {
    const letters = fc.constantFrom('a', 'b');
    const secret = fc.string({ unit: letters, minLength: 8, maxLength: 10 });
    const text = fc.array(fc.oneof(fc.string({ unit: letters, maxLength: 4 }), fc.constant('-')), {
      maxLength: 12,
    });
    const property = fc.property(secret, text, text, (one, before, after) => {
      const pieces = [...before, ...one, ...after];
      const shown = said(knowing(one), pieces).join('');
      expect(shown).not.toContain(one);
      // One secret at a time is taken out from the left, as of the whole.
      expect(shown).toBe(knowing(one).redact(pieces.join('')));
    });
    fc.assert(property, { numRuns: 2000 });
  });
});
