/**
 * Any value as plain JSON of bounded size. The viewer parses JSON, in which a Map and a Set would be `{}`;
 * and a context may hold anything: cycles, other actors, errors, a megabyte of text. What is cut says so.
 */
import { messageOf } from '../../src/errors.ts';

const DEPTH_MAX = 10;
const NODES_MAX = 5_000;
const TEXT_CHARS_MAX = 2_000;
const CUT = '[cut: too many values]';

type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

interface Walk {
  readonly above: Set<object>;
  nodesLeft: number;
}

/**
 * Maps with text keys become objects, other Maps arrays of pairs, Sets arrays; actors, errors, dates, bytes and
 * functions a short word for themselves. Never throws: what cannot be read (a getter that throws) says why.
 */
export function plain(value: unknown): Plain {
  return walk(value, { above: new Set(), nodesLeft: NODES_MAX });
}

function walk(value: unknown, at: Walk): Plain {
  at.nodesLeft -= 1;
  switch (typeof value) {
    case 'string':
      return shortened(value);
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      return value === null ? null : walkObject(value, at);
    case 'undefined':
      return null;
    case 'function':
      return `[function ${value.name}]`;
    default:
      return String(value);
  }
}

function walkObject(value: object, at: Walk): Plain {
  if (at.above.has(value)) return '[circular]';
  if (at.above.size >= DEPTH_MAX) return '[cut: too deep]';
  at.above.add(value);
  try {
    if (value instanceof Error) return walk({ name: value.name, message: value.message }, at);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) return list(value, at);
    if (value instanceof Set) return list(value, at);
    if (value instanceof Map) return map(value, at);
    if ('sessionId' in value && 'getSnapshot' in value) return `[actor ${String(value.sessionId)}]`;
    if ('toJSON' in value && typeof value.toJSON === 'function') return walk(value.toJSON(), at);
    return record(Object.entries(value), at);
  } catch (thrown) {
    return `[unreadable: ${messageOf(thrown)}]`;
  } finally {
    at.above.delete(value);
  }
}

/** Stops at the first value that no longer fits, and says so once. */
function list(values: Iterable<unknown>, at: Walk): Plain[] {
  const out: Plain[] = [];
  for (const value of values) {
    if (at.nodesLeft <= 0) {
      out.push(CUT);
      break;
    }
    out.push(walk(value, at));
  }
  return out;
}

function map(values: ReadonlyMap<unknown, unknown>, at: Walk): Plain {
  const named = [...values.keys()].every((key) => typeof key === 'string');
  return named ? record(values as ReadonlyMap<string, unknown>, at) : list(values, at);
}

/** Entries without a value are left out, as JSON does. */
function record(entries: Iterable<readonly [string, unknown]>, at: Walk): Plain {
  const out: [string, Plain][] = [];
  for (const [key, value] of entries) {
    if (value === undefined) continue;
    if (at.nodesLeft <= 0) {
      out.push(['…', CUT]);
      break;
    }
    out.push([shortened(key), walk(value, at)]);
  }
  return Object.fromEntries(out);
}

function shortened(text: string): string {
  if (text.length <= TEXT_CHARS_MAX) return text;
  return `${text.slice(0, TEXT_CHARS_MAX)}… (${text.length - TEXT_CHARS_MAX} characters more)`;
}
