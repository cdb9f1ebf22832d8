/** What a rule about the sources is, and the two ways of writing one that the rules beside this file share. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type House, type Import, ROOT, type SourceFile } from '../support/module-graph.ts';

export interface Violation {
  readonly file: string;
  readonly line: number;
  /** What is there and what would be right. */
  readonly what: string;
}

export interface Rule {
  /** A sentence that holds. */
  readonly name: string;
  violations(house: House): Violation[];
}

/** A rule about each file by itself. */
export const fileRule = (
  name: string,
  within: readonly string[],
  judge: (file: SourceFile, house: House) => Omit<Violation, 'file'>[],
): Rule => ({
  name,
  violations: (house) =>
    [...house.values()]
      .filter(({ path }) => isWithin(path, within))
      .flatMap((file) => judge(file, house).map((found) => ({ file: file.path, ...found }))),
});

/** A rule about each import by itself; `judge` says what is wrong with it, or undefined. */
export const importRule = (
  name: string,
  within: readonly string[],
  judge: (imported: Import, file: SourceFile, house: House) => string | undefined,
): Rule =>
  fileRule(name, within, (file, house) =>
    file.imports.flatMap((imported) => {
      const what = judge(imported, file, house);
      return what === undefined ? [] : [{ line: imported.line, what }];
    }),
  );

/** True when `path` is one of `places`, or lies in one that ends in a slash. */
export const isWithin = (path: string, places: readonly string[]): boolean =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));

/** Whether this path of the project exists, in the house that is judged or on disk (a `.json`, for one). */
export const exists = (house: House, path: string): boolean =>
  house.has(path) || existsSync(join(ROOT, path));
