/**
 * What a machine can hold of a tidy house: sizes, comments, words, links, and documents that say what the code
 * says. Each check is tried on something untidy, for a check that sees nothing passes for ever.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { limitsOf, staleDocs } from '../scripts/docs.ts';
import { brokenLinks } from './support/links.ts';
import { filesBelow, ROOT, readHouse, type SourceFile, sourceFile } from './support/module-graph.ts';
import type { Token } from './support/source-tokens.ts';

const house = [...readHouse(['machines', 'src']).values()];

const FILE_LINES_MAX = 360;

/** Longer files, each with the reason that lets it be. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'src/gateway/gateway.ts':
    'puts the parts of the core together: what is wired to what reads best on one page',
};

const FUNCTION_LINES_MAX = 70;

/** Longer functions, `FILE NAME`, each with the reason that lets it be. */
const LONG_FUNCTIONS: Readonly<Record<string, string>> = {
  'src/gateway/gateway.ts constructor': 'the wiring itself: a list of parts, no decision in it',
  'src/cli/program.ts runProgram': 'the list of commands and their options, one after the other',
};

describe('sizes', () => {
  it(`no file has more than ${FILE_LINES_MAX} lines, unless it is named here`, () => {
    const long = house.filter(({ path, text }) => linesOf(text) > FILE_LINES_MAX && !LONG_FILES[path]);
    expect(long.map(({ path, text }) => `${path}: ${linesOf(text)} lines`)).toEqual([]);
  });

  it(`no function has more than ${FUNCTION_LINES_MAX} lines, unless it is named here`, () => {
    const long = house.flatMap((file) =>
      functionsIn(file)
        .filter(({ name, lines }) => lines > FUNCTION_LINES_MAX && !LONG_FUNCTIONS[`${file.path} ${name}`])
        .map(({ name, line, lines }) => `${file.path}:${line} ${name}: ${lines} lines`),
    );
    expect(long).toEqual([]);
  });

  it('finds functions however they are written', () => {
    const file = sourceFile(
      'src/planted.ts',
      [
        'export async function first<T>({ a }: { a: T },\n): Promise<void> {\n  if (a) {\n  }\n}',
        'const second = (a: number): { b: 1 } => {\n\n  return { b: 1 };\n};',
        'class Third {\n  constructor() {\n  }\n  get fourth(): string {\n    return "}";\n  }\n}',
        'const table = {\n  fifth(a) {\n\n\n\n  },\n};',
      ].join('\n'),
    );
    expect(functionsIn(file).map(({ name, lines }) => `${name} ${lines}`)).toEqual([
      'first 5',
      'second 4',
      'constructor 2',
      'fourth 3',
      'fifth 5',
    ]);
  });
});

describe('comments', () => {
  it('every file begins with one that says what it is for', () => {
    const bare = house.filter(({ tokens }) => !headOf(tokens)?.text.startsWith('/**'));
    expect(bare.map(({ path }) => path)).toEqual([]);
  });

  it('every exported class and function has one, or a reader needs none', () => {
    expect(house.flatMap(undocumented)).toEqual([]);
  });

  it('is missed where it is missing', () => {
    const text = '/** Head. */\nexport class A {}\nexport class B {}\nexport async function c() {\n//\n//\n}';
    expect(undocumented(sourceFile('src/planted.ts', text))).toEqual([
      'src/planted.ts:3 B',
      'src/planted.ts:4 c',
    ]);
    const told = '/** Head. */\nexport class A {}\n/** B. */\nexport class B {}\nexport function c() {\n}';
    expect(undocumented(sourceFile('src/planted.ts', told))).toEqual([]);
  });
});

describe('words', () => {
  const UNWANTED: Readonly<Record<string, RegExp>> = {
    'unfinished work': /\b(TODO|FIXME|XXX)\b/,
    'a tracker': /\bissue #?\d|\(#\d+\)/i,
    'a workplace': /(^|[\s'"`(])\/work\/|\/tmp\/n24|\b(DESIGN|INTERFACE|FACTS|SCENARIOS)\.md/,
  };
  // This file speaks of all of it.
  const texts = ['machines', 'src', 'scripts', 'config', 'docs', 'test', 'visualizations']
    .flatMap((folder) =>
      ['.ts', '.md', '.yaml', '.mjs', '.sh'].flatMap((ending) => filesBelow(join(ROOT, folder), ending)),
    )
    .filter((path) => path !== 'test/tidy.test.ts')
    .concat(rootDocuments());

  it.each(Object.entries(UNWANTED))('nowhere speak of %s', (_, pattern) => {
    const found = texts.flatMap((path) =>
      readFileSync(join(ROOT, path), 'utf8')
        .split('\n')
        .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1} ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });

  it.each([
    ['unfinished work', '// TODO: later'],
    ['a tracker', 'see issue #12'],
    ['a workplace', 'as in /work/main'],
  ])('are found where they speak of %s', (what, line) => {
    expect(UNWANTED[what]?.test(line)).toBe(true);
  });

  it('are looked for in enough files', () => {
    expect(texts.length).toBeGreaterThan(150);
  });
});

describe('documents', () => {
  const documents = [
    ...filesBelow(join(ROOT, 'docs'), '.md'),
    ...filesBelow(join(ROOT, 'visualizations'), '.md'),
  ].concat(rootDocuments());

  it('printed from code say what the code says', () => {
    expect(staleDocs(), 'run node scripts/docs.ts').toEqual([]);
  });

  it('list every named limit with its value and what it bounds', () => {
    const limits = limitsOf();
    const operating = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
    expect(limits.length).toBeGreaterThan(50);
    expect(limits.filter(({ name }) => !operating.includes(`\`${name}\``)).map(({ name }) => name)).toEqual(
      [],
    );
    expect(operating.slice(operating.indexOf('The others bound'))).not.toMatch(/\| *\|/);
    // An expression that is not a number any more would stand there as it is written.
    expect(limits.filter(({ value }) => !/^\d[\d,]*( |$)/.test(value)).map(({ name }) => name)).toEqual([]);
  });

  it('link to what is there', () => {
    expect(documents.length).toBeGreaterThan(12);
    expect(
      documents.flatMap((path) => brokenLinks(ROOT, path, readFileSync(join(ROOT, path), 'utf8'))),
    ).toEqual([]);
  });

  it('are caught with links to nowhere', () => {
    const text =
      '# A b\n[x](STYLE.md) [y](#a-b) [z](https://example.org/x) [gone](gone.md) [no](STYLE.md#gone)';
    expect(brokenLinks(ROOT, 'docs/planted.md', text)).toEqual([
      'docs/planted.md → gone.md',
      'docs/planted.md → STYLE.md#gone',
    ]);
  });

  it('give the exit codes by the table that is printed from the chart', () => {
    const operating = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
    expect(operating).toContain('(../visualizations/generated/admission.md#what-each-cause-leaves-with)');
  });

  it('hold every decision under a number of its own', () => {
    const pages = readdirSync(join(ROOT, 'docs/decisions')).filter((name) => name !== 'README.md');
    const numbers = pages.map((name) => /^(\d{4})-[a-z0-9-]+\.md$/.exec(name)?.[1]);
    const expected = numbers.map((_, at) => String(at + 1).padStart(4, '0'));
    expect(numbers.toSorted()).toEqual(expected);
  });
});

function rootDocuments(): string[] {
  return readdirSync(ROOT).filter((name) => name.endsWith('.md'));
}

function linesOf(text: string): number {
  return text.split('\n').length - 1;
}

/** The first comment; the `#!` line of a program is none. */
function headOf(tokens: readonly Token[]): Token | undefined {
  const first = tokens.find(({ text }) => !text.startsWith('#!'));
  return first?.kind === 'comment' ? first : undefined;
}

/** Words before the parentheses of a statement that is no function. */
const NO_FUNCTION = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'super', 'import']);

/** Functions with a body in braces, in the order of their bodies' beginnings; lines from the parameters on. */
function functionsIn({ code }: SourceFile): { name: string; line: number; lines: number }[] {
  return code.flatMap((token, open) => {
    if (token.text !== '{' || token.kind !== 'punctuation') return [];
    const parameters = parametersBefore(code, open);
    if (parameters === undefined) return [];
    const name = nameBefore(code, parameters);
    const end = code[closing(code, open)]?.line ?? token.line;
    const line = code[parameters]?.line ?? token.line;
    return NO_FUNCTION.has(name) ? [] : [{ name, line, lines: end - line + 1 }];
  });
}

/** Where the parameter list begins whose function's body begins at `open`; undefined when it is another brace. */
function parametersBefore(code: readonly Token[], open: number): number | undefined {
  let at = open - 1;
  // The brace of a type, not of a body.
  if ([':', '|', '&', '<'].includes(code[at]?.text ?? '')) return undefined;
  if (code[at]?.text === '=>') at -= 1;
  // Over a return type: back to a `)` that closes the parameters, with only parts of a type between.
  for (; at >= 0; at -= 1) {
    const { text = '' } = code[at] ?? {};
    if (text === ')') break;
    if (text === '}' || text === ']') at = opening(code, at);
    else if (
      /^([;{(,=]|=>|return|class|interface|else|try|do|finally|extends|implements|export|import)$/.test(text)
    )
      return undefined;
  }
  if (at < 0) return undefined;
  const between = code[at + 1]?.text;
  return between === '{' || between === ':' || between === '=>' ? opening(code, at) : undefined;
}

function nameBefore(code: readonly Token[], parameters: number): string {
  let at = parameters - 1;
  if (code[at]?.text === '>') {
    for (let depth = 0; at >= 0; at -= 1) {
      if (code[at]?.text === '>') depth += 1;
      if (code[at]?.text === '<') depth -= 1;
      if (depth === 0) break;
    }
    at -= 1;
  }
  while (['async', '=', 'function'].includes(code[at]?.text ?? '')) at -= 1;
  return code[at]?.kind === 'word' ? (code[at]?.text ?? '') : '(unnamed)';
}

const OPEN = ['{', '(', '['];
const CLOSE = ['}', ')', ']'];

function closing(code: readonly Token[], open: number): number {
  return matching(code, open, 1, OPEN, CLOSE);
}

function opening(code: readonly Token[], close: number): number {
  return matching(code, close, -1, CLOSE, OPEN);
}

function matching(
  code: readonly Token[],
  from: number,
  step: 1 | -1,
  deeper: string[],
  back: string[],
): number {
  let depth = 0;
  for (let at = from; at >= 0 && at < code.length; at += step) {
    const { kind, text = '' } = code[at] ?? {};
    if (kind !== 'punctuation') continue;
    if (deeper.includes(text)) depth += 1;
    if (back.includes(text)) depth -= 1;
    if (depth === 0) return at;
  }
  return from;
}

/** What is as short as this is seen at once, and needs no sentence. */
const SEEN_AT_ONCE_LINES = 3;

/** Those that the head of their file speaks for by name, `FILE NAME`. */
const TOLD_BY_THE_HEAD = [
  'src/cli/lifecycle.ts drain',
  'src/gateway/requests.ts Requests',
  'src/store/sqlite.ts SqliteStore',
];

/**
 * Exported classes and functions without a comment of their own that need one, as `FILE:LINE NAME`. A file's head
 * is the comment of the first one that it exports.
 */
function undocumented(file: SourceFile): string[] {
  const { path, tokens } = file;
  const functions = functionsIn(file);
  return exportedIn(file)
    .slice(1)
    .filter(({ name, at }) => {
      const before = tokens[at - 1];
      const isTold = before?.kind === 'comment' && before.text.startsWith('/**');
      const lines = functions.find((each) => each.name === name)?.lines ?? Number.POSITIVE_INFINITY;
      return !isTold && lines > SEEN_AT_ONCE_LINES && !TOLD_BY_THE_HEAD.includes(`${path} ${name}`);
    })
    .map(({ name, line }) => `${path}:${line} ${name}`);
}

/** Classes and functions that are exported where they stand. */
function exportedIn({ tokens }: SourceFile): { name: string; at: number; line: number }[] {
  return tokens.flatMap((token, at) => {
    if (token.text !== 'export' || token.kind !== 'word') return [];
    const words = tokens.slice(at + 1, at + 4).map(({ text }) => text);
    if (words[0] === 'async' || words[0] === 'abstract') words.shift();
    const [kind, name] = words;
    return (kind === 'class' || kind === 'function') && name !== undefined
      ? [{ name, at, line: token.line }]
      : [];
  });
}
