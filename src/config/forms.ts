/**
 * Mappings that are judged whole: a wrong key, a wrong name or a wrong type must not hide what else is wrong beside it,
 * or a file is corrected one mistake a run. Zod by itself stops at the first that it cannot work with.
 */
import { z } from 'zod';
import { unknownKey, wants } from './fields.ts';

/**
 * For a refinement of a mapping: it runs although values in it are wrong, which it then finds as they were written. So it
 * takes nothing of their kinds for granted.
 */
export const DESPITE_ERRORS = { when: ({ value }: { value: unknown }) => isMapping(value) } as const;

/** True for what YAML calls a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One form of a mapping that has several. */
type Form = z.ZodObject<{ type: z.ZodType } & Record<string, z.ZodType>>;

/**
 * A mapping whose `type` says which keys it has. Where that type is none, each other key is judged by the form that
 * knows it, and nothing is called missing: nobody can tell what should be there.
 */
export function byType<const Forms extends readonly [Form, ...Form[]]>(
  forms: Forms,
  error: (refusal: { code?: string | undefined; input?: unknown }) => string,
) {
  const known = [...new Set(forms.flatMap(({ shape }) => Object.keys(shape)))];
  const schemaOf = (key: string) => forms.find(({ shape }) => Object.hasOwn(shape, key))?.shape[key];
  return z.discriminatedUnion('type', forms, { error }).superRefine(
    ({ type: _, ...mapping }: Record<string, unknown>, context) => {
      for (const [key, value] of Object.entries(mapping)) {
        const schema = schemaOf(key);
        if (schema === undefined) {
          context.addIssue({ code: 'custom', path: [key], params: AT_KEY, message: unknownKey(key, known) });
        } else if (value !== undefined) {
          for (const issue of schema.safeParse(value).error?.issues ?? []) {
            context.addIssue({ ...issue, path: [key, ...issue.path] });
          }
        }
      }
    },
    { when: ({ issues }) => issues.some(isOfType) },
  );
}

/**
 * A mapping, or `off` for all of it. YAML 1.1 writers mean `false` by `off`, so it is taken for the same. What is wrong
 * inside the mapping is said there: a union by itself would only say that it is none of the two.
 */
export function orOff<Shape extends z.core.$ZodLooseShape>(
  mapping: z.ZodObject<Shape, z.core.$strict>,
  error: (refusal: { input?: unknown }) => string,
) {
  const off = z.literal(['off', false]).transform(() => 'off' as const);
  return z.union([mapping, off], { error }).superRefine(
    (value, context) => {
      context.issues.length = 0;
      for (const issue of mapping.safeParse(value).error?.issues ?? []) context.addIssue({ ...issue });
    },
    { when: ({ value, issues }) => isMapping(value) && issues.some(isOfNeither) },
  );
}

/** It is none of the two, as a whole. */
const isOfNeither = ({ code, path }: RawIssue): boolean =>
  code === 'invalid_union' && (path === undefined || path.length === 0);

/** What Zod notes while it judges: paths begin at what is judged. */
interface RawIssue {
  readonly code?: string | undefined;
  readonly path?: readonly PropertyKey[] | undefined;
}

/** No form has this type; what stands inside a form may be a union as well. */
function isOfType({ code, path }: RawIssue): boolean {
  return code === 'invalid_union' && path?.length === 1 && path[0] === 'type';
}

/** Of an issue about the name of a key, not about what stands there. */
const AT_KEY = { at: 'key' } as const;

/**
 * A mapping from names that pass `nameProblem` (undefined: fine) to values of one kind. `shape` says the same of the
 * names in the words of JSON Schema, as far as those go.
 */
export function named<Value extends z.ZodType>(
  value: Value,
  nameProblem: (name: string) => string | undefined,
  shape: Readonly<Record<string, unknown>>,
) {
  return z
    .record(z.string().meta(shape), value, {
      error: wants('a mapping', 'write NAME: { … } below it, one a line'),
    })
    .superRefine((values, context) => {
      for (const name of Object.keys(values)) {
        const message = nameProblem(name);
        if (message !== undefined)
          context.addIssue({ code: 'custom', path: [name], params: AT_KEY, message });
      }
    }, DESPITE_ERRORS);
}
