/**
 * The sources as a graph of modules: every file's tokens and everything it imports, types included (the usual
 * import linters drop them, or see no modules at all under this version of TypeScript).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Token, tokensOf } from './source-tokens.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** `builtin`: by `process.getBuiltinModule`. */
export type ImportKind = 'value' | 'type' | 'dynamic' | 'builtin';

export interface Import {
  /** A path from the project's root, a package (`hono/cookie`), `node:…`, or '' for an expression. */
  readonly target: string;
  readonly kind: ImportKind;
  /** It names a file of this project. */
  readonly isLocal: boolean;
  /** `export … from`. */
  readonly isReexport: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Comments included. */
  readonly tokens: readonly Token[];
  /** Without comments. */
  readonly code: readonly Token[];
  readonly imports: readonly Import[];
}

/** Files by path. */
export type House = ReadonlyMap<string, SourceFile>;

const SKIPPED = new Set(['node_modules', 'generated', 'dist']);

/** Reads every `.ts` file below these folders of the project. */
export function readHouse(folders: readonly string[]): House {
  return new Map(
    folders
      .flatMap((folder) => filesBelow(join(ROOT, folder), '.ts'))
      .map((path) => [path, sourceFile(path, readFileSync(join(ROOT, path), 'utf8'))]),
  );
}

/** Paths, from the project's root, of files with this ending; what is generated or installed is left out. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name) || (entry.name.startsWith('.') && entry.isDirectory())) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path, ending);
    return entry.name.endsWith(ending) ? [relative(ROOT, path).split(sep).join('/')] : [];
  });
}

export function sourceFile(path: string, text: string): SourceFile {
  const tokens = tokensOf(text, path);
  const code = tokens.filter((token) => token.kind !== 'comment');
  return { path, text, tokens, code, imports: importsOf(path, code) };
}

function importsOf(path: string, code: readonly Token[]): Import[] {
  return code.flatMap((token, index): Import[] => {
    if (token.kind !== 'word') return [];
    const found =
      token.text === 'import'
        ? importAt(code, index)
        : token.text === 'export'
          ? reexportAt(code, index)
          : token.text === 'getBuiltinModule'
            ? called(code, index, 'builtin')
            : undefined;
    if (found === undefined) return [];
    const isLocal = found.target.startsWith('.');
    const target = isLocal ? posix.join(posix.dirname(path), found.target) : found.target;
    return [{ ...found, target, isLocal, line: token.line }];
  });
}

type Found = Omit<Import, 'line' | 'isLocal'>;

function importAt(code: readonly Token[], index: number): Found | undefined {
  const next = code[index + 1];
  // A member or a key of that name, or `import.meta`.
  if (code[index - 1]?.text === '.' || next === undefined || [':', '.'].includes(next.text)) return undefined;
  if (next.text === '(') return called(code, index, 'dynamic');
  if (next.kind === 'string') return { target: next.text, kind: 'value', isReexport: false };
  const isType = next.text === 'type' && !['from', ','].includes(code[index + 2]?.text ?? '');
  return { target: sourceAfter(code, index), kind: isType ? 'type' : 'value', isReexport: false };
}

function reexportAt(code: readonly Token[], index: number): Found | undefined {
  const isType = code[index + 1]?.text === 'type' && ['{', '*'].includes(code[index + 2]?.text ?? '');
  const open = index + (isType ? 2 : 1);
  const first = code[open]?.text;
  if (first !== '{' && first !== '*') return undefined;
  const close = first === '*' ? open : open + code.slice(open).findIndex((token) => token.text === '}');
  // `export * as name from`
  const from = code[close + 1]?.text === 'as' ? close + 3 : close + 1;
  if (code[from]?.text !== 'from') return undefined;
  return { target: code[from + 1]?.text ?? '', kind: isType ? 'type' : 'value', isReexport: true };
}

function called(code: readonly Token[], index: number, kind: ImportKind): Found | undefined {
  if (code[index + 1]?.text !== '(') return undefined;
  const argument = code[index + 2];
  const isLiteral = argument?.kind === 'string' && [')', ','].includes(code[index + 3]?.text ?? '');
  return { target: isLiteral ? argument.text : '', kind, isReexport: false };
}

function sourceAfter(code: readonly Token[], index: number): string {
  for (let at = index + 1; at < code.length; at += 1) {
    if (code[at]?.text === 'from' && code[at + 1]?.kind === 'string') return code[at + 1]?.text ?? '';
  }
  return '';
}

/**
 * Cycles, each as the paths on its way; type imports count, and so does `import()`. At least one for each group
 * of files that reach one another.
 */
export function cyclesOf(house: House): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) {
      cycles.push([...way.slice(start)]);
      return;
    }
    if (done.has(path)) return;
    for (const { target } of house.get(path)?.imports ?? [])
      if (house.has(target)) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of [...house.keys()].sort()) visit(path, []);
  return cycles;
}
