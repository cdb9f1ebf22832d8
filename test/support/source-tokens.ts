/**
 * TypeScript text as tokens: enough of the grammar to tell code from comments, strings, templates and regular
 * expressions, so that a rule about code is never fooled by a sentence about it. Types stay in, which every tool
 * that strips them first cannot offer. Code inside `${…}` of a template is code.
 */

export type TokenKind = 'word' | 'string' | 'template' | 'number' | 'regex' | 'punctuation' | 'comment';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a string what stands between its quotes. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
  readonly endLine: number;
}

/** Longest first, where one begins with another. `>>` is left as two: it also closes two type arguments. */
const OPERATORS = ['===', '!==', '...', '=>', '?.', '??', '&&', '||', '==', '!='];

/** After these a `/` begins a regular expression, after any other word it divides. */
const WORDS_BEFORE_VALUE = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'await',
  'yield',
  'void',
  'throw',
]);

const WORD = /[#$\w\u00a1-\uffff]+/y;
const NUMBER = /\d[\w.]*/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y;
/** The first line of a program counts as one. */
const COMMENT = /^#![^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
/** From the backtick, or from the brace that ends a `${…}`, to the end or to the next `${`. */
const TEMPLATE = /[`}](?:\\.|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y;

/** Throws where the text is not TypeScript that it can read: better loud than blind. */
export function tokensOf(text: string, name = 'text'): Token[] {
  const tokens: Token[] = [];
  /** One entry an open brace; true where it is the `${` of a template. */
  const braces: boolean[] = [];
  let at = 0;
  let line = 1;
  const take = (kind: TokenKind, taken: string, shown = taken) => {
    const endLine = line + (taken.match(/\n/g)?.length ?? 0);
    tokens.push({ kind, text: shown, line, endLine });
    line = endLine;
    at += taken.length;
  };
  const matched = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const fail = (what: string) => new Error(`${name}:${line}: ${what}`);
  while (at < text.length) {
    const char = text[at] ?? '';
    if (/\s/.test(char)) {
      if (char === '\n') line += 1;
      at += 1;
    } else if (
      text.startsWith('//', at) ||
      text.startsWith('/*', at) ||
      (at === 0 && text.startsWith('#!'))
    ) {
      take('comment', matched(COMMENT) ?? unreadable(fail('a comment without an end')));
    } else if (char === '`' || (char === '}' && braces.at(-1) === true)) {
      const chunk = matched(TEMPLATE) ?? unreadable(fail('a template without an end'));
      if (char === '}') braces.pop();
      if (chunk.endsWith('${')) braces.push(true);
      take('template', chunk);
    } else if (char === "'" || char === '"') {
      const quoted = matched(STRING) ?? unreadable(fail('a string without an end'));
      take('string', quoted, quoted.slice(1, -1));
    } else if (char === '/' && valueMayFollow(tokens)) {
      take('regex', matched(REGEX) ?? unreadable(fail('a regular expression without an end')));
    } else if (/\d/.test(char)) {
      take('number', matched(NUMBER) ?? char);
    } else if (/[#$\w\u00a1-\uffff]/.test(char)) {
      take('word', matched(WORD) ?? char);
    } else {
      if (char === '{') braces.push(false);
      if (char === '}') braces.pop();
      take('punctuation', OPERATORS.find((operator) => text.startsWith(operator, at)) ?? char);
    }
  }
  if (braces.length > 0) throw fail(`${braces.length} braces are not closed`);
  return tokens;
}

function valueMayFollow(tokens: readonly Token[]): boolean {
  const before = tokens.findLast((token) => token.kind !== 'comment');
  if (before === undefined) return true;
  if (before.kind === 'word') return WORDS_BEFORE_VALUE.has(before.text);
  return before.kind === 'punctuation' && ![')', ']', '}'].includes(before.text);
}

function unreadable(error: Error): never {
  throw error;
}
