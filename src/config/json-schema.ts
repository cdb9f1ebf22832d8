/**
 * The schema of a configuration file in the words of JSON Schema, for editors and other checkers: generated from the
 * Zod schema that judges the file, with the meanings of `keys.ts`. Draft 7, because that is what editors read.
 *
 * It knows keys, kinds, names and limits. What needs two places of a file (an alias that goes in a circle) or is said
 * in a language of its own (25h is more than a day) only the loader knows.
 */
import { z } from 'zod';
import { BUILTIN_NAMES } from '../messages/commands.ts';
import { VARIABLE_PATTERN } from './expand.ts';
import { factsOf } from './key-facts.ts';
import { type KeyFacts, SECTIONS } from './keys.ts';
import { configFileSchema } from './schema.ts';

/** The parts of a JSON Schema that are looked at here. */
export interface JsonSchema {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

/** The schema of a file that this version takes. A new object at each call. */
export function configJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(configFileSchema({ builtinNames: BUILTIN_NAMES }), {
    io: 'input',
    target: 'draft-7',
  });
  return { $schema, title: 'Configuration of a Sluice gateway', ...described(schema as JsonSchema, []) };
}

/** A key that has a value of its own: its pattern (`agents.*.env`) and its schema in each form of what it is in. */
export interface Leaf {
  readonly pattern: string;
  readonly schemas: readonly JsonSchema[];
}

/** Every leaf, in the order of the schema. A key that several forms have (`type`) stands once. */
export function leavesOf(schema: JsonSchema, path: readonly string[] = []): Leaf[] {
  const options = formsOf(schema) ?? [schema];
  const found = new Map<string, JsonSchema[]>();
  for (const option of options) {
    for (const [name, value] of childrenOf(option)) {
      const inner = [...path, name];
      const leaves = isSection(value)
        ? leavesOf(value, inner)
        : [{ pattern: inner.join('.'), schemas: [value] }];
      for (const { pattern, schemas } of leaves) {
        found.set(pattern, [...(found.get(pattern) ?? []), ...schemas]);
      }
    }
  }
  return [...found].map(([pattern, schemas]) => ({ pattern, schemas }));
}

/** The named children of a mapping, and what stands under any name, as `*`. */
function childrenOf({ properties = {}, additionalProperties }: JsonSchema): [string, JsonSchema][] {
  const named = Object.entries(properties);
  return typeof additionalProperties === 'object' ? [...named, ['*', additionalProperties]] : named;
}

function isSection(schema: JsonSchema): boolean {
  return schema.type === 'object' || (formsOf(schema) ?? []).some(isSection);
}

/** The forms that a value may have: one of several mappings, or a mapping and a word. */
function formsOf({ oneOf, anyOf }: JsonSchema): readonly JsonSchema[] | undefined {
  return oneOf ?? anyOf;
}

/** The schema with descriptions and examples, and without the defaults of sections, which say nothing. */
function described(schema: JsonSchema, path: readonly string[]): JsonSchema {
  const facts = factsOf(path);
  const {
    default: value,
    properties,
    additionalProperties,
    oneOf,
    ...rest
  } = facts?.expands === true ? withVariables(schema) : schema;
  const section = SECTIONS[path.join('.')];
  const description = facts === undefined ? section && `${section}.` : keyDescription(facts);
  const inside = (name: string, child: JsonSchema) => described(child, [...path, name]);
  return {
    ...(description === undefined ? {} : { description }),
    ...(value === undefined || isSection(schema) ? {} : { default: value }),
    ...(facts?.examples === undefined ? {} : { examples: facts.examples }),
    ...rest,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, child]) => [name, inside(name, child)]),
          ),
        }),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === 'object'
              ? inside('*', additionalProperties)
              : additionalProperties,
        }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map((option) => bare(described(option, path))) }),
    ...(rest.anyOf === undefined || !isSection(schema)
      ? {}
      : { anyOf: rest.anyOf.map((option) => bare(described(option, path))) }),
  };
}

/** A text with a variable in it passes: what it will be is not known here. */
function withVariables({ pattern, items, ...rest }: JsonSchema): JsonSchema {
  return {
    ...rest,
    ...(pattern === undefined ? {} : { pattern: `${pattern}|${VARIABLE_PATTERN}` }),
    ...(items === undefined ? {} : { items: withVariables(items as JsonSchema) }),
  };
}

/** A form of what is described already. */
function bare({ description: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** When a changed value counts, as a sentence. */
const APPLIES: Readonly<Record<KeyFacts['applies'], string>> = {
  now: 'A change counts at once.',
  turn: 'A change counts from the next turn on.',
  restart: 'A change needs a restart.',
};

function keyDescription({ meaning, unit, without, expands, applies }: KeyFacts): string {
  const lines = [
    `${meaning}.`,
    ...(expands === true ? [`\${NAME} is the value of an environment variable.`] : []),
    ...(unit === 'time' ? ['Seconds, or a text with a unit: 10ms, 30s, 5m, 2h.'] : []),
    ...(without === undefined ? [] : [`Without it: ${without}.`]),
    APPLIES[applies],
  ];
  return lines.join(' ');
}
