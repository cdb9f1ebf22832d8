/**
 * The licences of the libraries that are bundled into what is published: read from the packages that esbuild says the
 * output holds something of, so that nothing can be bundled without its licence.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';

/** Under which names packages keep what has to be passed on. */
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[-.].*)?$/i;

export interface Bundled {
  readonly name: string;
  readonly version: string;
  /** As the package itself says: an SPDX expression. */
  readonly licence: string;
  readonly texts: readonly string[];
}

/** The packages of which something is in an output, by name and version. Paths of the metafiles count from `root`. */
export function bundledPackages(root: string, metafiles: readonly Metafile[]): Bundled[] {
  const inputs = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
    ),
  );
  const folders = new Set(inputs.flatMap((path) => packageFolder(path) ?? []));
  const found = new Map<string, Bundled>();
  for (const folder of folders) {
    const bundled = packageIn(resolve(root, folder));
    found.set(`${bundled.name}@${bundled.version}`, bundled);
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, bundled]) => bundled);
}

/** One text for all of them. */
export function licencesText(packages: readonly Bundled[]): string {
  const parts = packages.map(
    ({ name, version, licence, texts }) => `${name} ${version}\nLicence: ${licence}\n\n${texts.join('\n\n')}`,
  );
  const head = 'Sluice contains parts of the following libraries, each under its own licence.';
  return `${[head, ...parts].join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}

/** `…/node_modules/@scope/name` of a path inside of it; undefined for our own sources. */
function packageFolder(path: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

/** Throws when the package has neither a licence file nor says what its licence is. */
function packageIn(folder: string): Bundled {
  const { name, version, license, author, repository } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && LICENCE_FILE.test(entry.name),
  );
  const texts = files.map((file) => readFileSync(join(folder, file.name), 'utf8').trim());
  if (texts.length === 0) texts.push(`No licence file; by ${nameOf(author)}, ${nameOf(repository)}`);
  if (typeof license !== 'string') throw new Error(`${name} ${version} is bundled and names no licence`);
  return { name, version, licence: license, texts };
}

/** `author` and `repository` are a text, or a mapping with one. */
function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value ?? 'its authors');
  const { name, url } = value as { name?: unknown; url?: unknown };
  return String(name ?? url);
}
