/** The JSON Schema: as generated, as shipped, and as a validator that editors use reads it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { configJsonSchema, leavesOf } from '../../src/config/json-schema.ts';
import { appliesBelow, factsOf } from '../../src/config/key-facts.ts';
import { KEYS, SECTIONS } from '../../src/config/keys.ts';
import { BUILTIN_NAMES } from '../../src/messages/commands.ts';
import { VALID_FILES } from './valid-files.ts';
import { WRONG_FILES } from './wrong-files.ts';

const config = resolve(import.meta.dirname, '../../config');
const schema = configJsonSchema();
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);

/** The values of a text; undefined where it is no YAML, so that no schema is asked. */
function valuesOf(text: string): { values: unknown } | undefined {
  try {
    return { values: parseYaml(text, { schema: 'core', logLevel: 'error' }) ?? {} };
  } catch {
    return undefined;
  }
}

/**
 * Wrong files that only the loader refuses, because what is wrong with them is no matter of shape: two places of the
 * file, a language inside a text, or the YAML itself.
 */
const BEYOND_SHAPE = [
  'an agent with more turns than all may have',
  'a conversation with an agent that nobody configured',
  'an absurd drain',
  'an absurd age',
  'slow deaths within more than a day',
  'a port beyond the last',
  'a program that the sender would choose',
  'several words before the program',
  'a word that would be a program for a shell',
  'a place for an argument that is not declared',
  'a place for an argument where none is declared',
  'an alias to itself',
  'an alias chain that is too long',
  'a default against the pattern',
  'a default that matches only in part',
  'a default outside the choices',
  'a default that is never used',
  'choices against the pattern',
  'a pattern that is none',
  'a pattern that would break out of its frame',
  'words left after the rest',
  'a key written twice, once in quotes',
  'a tag',
];

describe('the JSON Schema', () => {
  test('is the one that is shipped', () => {
    const shipped = readFileSync(resolve(config, 'gateway.schema.json'), 'utf8');
    expect(JSON.parse(shipped), 'run node scripts/docs.ts').toEqual(schema);
  });

  test('is itself valid, by the rules of draft 7', () => {
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    expect(new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false }).validateSchema(schema)).toBe(
      true,
    );
  });

  test.each(['gateway.example.yaml', 'quickstart.yaml', 'examples/openai.yaml'])('takes %s', (file) => {
    validate(valuesOf(readFileSync(resolve(config, file), 'utf8'))?.values);
    expect(validate.errors).toBeNull();
  });

  test.each(VALID_FILES)('takes %s', (_, text) => {
    validate(valuesOf(text)?.values);
    expect(validate.errors).toBeNull();
  });

  const probes = WRONG_FILES.filter(([, text]) => valuesOf(text) !== undefined);

  test('is asked about most of what the loader refuses', () => {
    expect(probes.length).toBeGreaterThan(75);
  });

  test.each(probes)('refuses %s, or it is no matter of shape', (what, text) => {
    expect(validate(valuesOf(text)?.values)).toBe(BEYOND_SHAPE.includes(what));
  });

  test('names no built-in command and no second default agent', () => {
    for (const name of BUILTIN_NAMES) {
      expect(validate({ quick_commands: { [name]: { type: 'exec', command: 'ls' } } }), name).toBe(false);
    }
    expect(validate({ agents: { default: { command: 'x' } } })).toBe(false);
  });

  test('says of every key what it means, in which unit, and when a change of it counts', () => {
    const leaves = leavesOf(schema).flatMap(({ schemas }) => schemas);
    expect(leaves.length).toBeGreaterThan(50);
    for (const { description } of leaves) expect(description).toMatch(/ A change (counts|needs) /);
    const [drain] =
      leavesOf(schema).find(({ pattern }) => pattern === 'agent.restart_drain_timeout')?.schemas ?? [];
    expect(drain).toMatchObject({
      default: '60s',
      minimum: 0,
      maximum: 86_400,
      examples: [60, '5m'],
      description: expect.stringContaining('Seconds, or a text with a unit'),
    });
  });
});

describe('the table of keys', () => {
  const leaves = leavesOf(schema);

  test('has one row for each key of the schema, and no other', () => {
    expect(Object.keys(KEYS).toSorted()).toEqual(leaves.map(({ pattern }) => pattern).toSorted());
  });

  test('has a sentence for each section', () => {
    const parents = leaves.flatMap(({ pattern }) => {
      const names = pattern.split('.');
      return names.slice(1).map((_, at) => names.slice(0, at + 1).join('.'));
    });
    expect(Object.keys(SECTIONS).toSorted()).toEqual([...new Set([...parents, 'platforms'])].toSorted());
  });

  test('says what holds without a key only where the schema cannot', () => {
    for (const { pattern, schemas } of leaves) {
      const hasDefault = schemas.some(({ default: value }) => value !== undefined);
      expect(hasDefault && KEYS[pattern]?.without !== undefined, pattern).toBe(false);
    }
  });

  test('has each example taken by the schema of its key', () => {
    const examples = leaves.flatMap(({ pattern, schemas }) =>
      (KEYS[pattern]?.examples ?? []).map((example) => [pattern, example, schemas] as const),
    );
    expect(examples.length).toBeGreaterThan(25);
    for (const [pattern, example, schemas] of examples) {
      const fits = schemas.some((each) => new Ajv({ strict: false }).validate(each, example));
      expect(fits, `${pattern}: ${JSON.stringify(example)}`).toBe(true);
    }
  });

  test('has no quick command, nor any of its keys, wait for a restart or a turn', () => {
    const keys = Object.entries(KEYS).filter(([pattern]) => pattern.startsWith('quick_commands.'));
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter(([, { applies }]) => applies !== 'now')).toEqual([]);
    expect(appliesBelow(['quick_commands', 'gpu'])).toBe('now');
  });

  test('finds keys by their names, whatever those are', () => {
    expect(factsOf(['quick_commands', 'constructor', 'timeout'])?.applies).toBe('now');
    expect(factsOf(['agents', 'a', 'max_turns'])?.applies).toBe('turn');
    expect(factsOf(['listen', 'http'])?.applies).toBe('restart');
    expect(factsOf(['platforms', 'telegram', 'anything', 'below'])?.applies).toBe('restart');
    expect(factsOf(['quick_commands', 'gpu'])).toBeUndefined();
    expect(factsOf(['toString'])).toBeUndefined();
  });
});
