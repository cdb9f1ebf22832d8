/**
 * What the body of a refused request says, whichever server wrote it. Its text is for telling failures apart and is
 * never shown: servers repeat keys and questions in it.
 *
 * Shapes read here: OpenAI, OpenRouter, llama.cpp, newer vLLM and Ollama `{ error: { message, type, code, param } }`;
 * Ollama's own `{ error: "…" }`; older vLLM and sglang `{ object: "error", message, type, code }`; FastAPI
 * `{ detail }`; Google `[{ error }]`.
 */

/** Longest text that is looked through. */
const TEXT_CHARS_MAX = 4000;

export interface ErrorBody {
  readonly isHtml: boolean;
  /** As a text, also where the server sends a number; empty where it sends none. */
  readonly code: string;
  readonly type: string;
  /** The field of the request that it is about. */
  readonly param: string;
  /** Lower-case. */
  readonly message: string;
}

export const NO_BODY: ErrorBody = { isHtml: false, code: '', type: '', param: '', message: '' };

/** Never throws: a body of no known shape is only a text. */
export function readErrorBody(text: string, contentType = ''): ErrorBody {
  if (/^text\/html/i.test(contentType) || /^\s*<(!doctype|html)/i.test(text)) {
    return { ...NO_BODY, isHtml: true };
  }
  try {
    return errorBodyOf(JSON.parse(text));
  } catch {
    return { ...NO_BODY, message: text.slice(0, TEXT_CHARS_MAX).toLowerCase() };
  }
}

/** The same for a body, or an error in the middle of a stream, that is parsed already. */
export function errorBodyOf(parsed: unknown): ErrorBody {
  const outer = Array.isArray(parsed) ? parsed[0] : parsed;
  const inner = fieldOf(outer, 'error') ?? outer;
  if (typeof inner === 'string') return { ...NO_BODY, message: textOf(inner).toLowerCase() };
  const metadata = fieldOf(inner, 'metadata');
  const message = [fieldOf(inner, 'message') ?? fieldOf(inner, 'detail'), fieldOf(metadata, 'raw')];
  return {
    isHtml: false,
    code: textOf(fieldOf(inner, 'code')),
    type: textOf(fieldOf(inner, 'type')),
    param: textOf(fieldOf(inner, 'param')),
    message: message.map(textOf).join(' ').trim().toLowerCase(),
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.slice(0, TEXT_CHARS_MAX);
}
