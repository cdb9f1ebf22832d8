/**
 * Prints everything that is drawn from the charts into `visualizations/generated/`:
 *
 *     node visualizations/render.ts           writes the files
 *     node visualizations/render.ts --check   writes nothing; exits 1 and names the files that are stale
 *
 * The same machines give the same bytes. It fails when a drawing and its chart disagree (see `gateway-scene.ts`).
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalog } from '../machines/catalog.ts';
import { exitTable } from './admission-table.ts';
import { gatewayScene } from './gateway-scene.ts';
import { admissionMarkdown, flatChartMarkdown, transitionsMarkdown } from './markdown.ts';
import type { SceneFile } from './scene.ts';
import { svgOf } from './svg.ts';

export const GENERATED = join(import.meta.dirname, 'generated');

/** All files by name, with what they should hold. */
export async function renderAll(): Promise<ReadonlyMap<string, string>> {
  const gateway = await gatewayScene();
  return new Map([
    ['gateway.scene.json', sceneJson(gateway)],
    ['gateway.svg', svgOf(gateway)],
    ['admission.md', admissionMarkdown(gateway, exitTable())],
    ['transitions.md', transitionsMarkdown(gateway)],
    ['connection.md', flatChartMarkdown('connection', catalog.connection)],
  ]);
}

/** The names of files in `folder` that are missing or hold something else. */
export async function staleFiles(files: ReadonlyMap<string, string>, folder = GENERATED): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, text] of files) {
    if ((await textOf(join(folder, name))) !== text) stale.push(name);
  }
  return stale;
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** One line for each node, line, transition and row, so that a changed chart gives a diff that can be read. */
function sceneJson(file: SceneFile): string {
  const list = (items: readonly unknown[]) =>
    `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
  const object = (entries: readonly (readonly [string, string])[]) =>
    `{\n${entries.map(([key, text]) => `${JSON.stringify(key)}: ${text}`).join(',\n')}\n}`;
  const textFor = (value: unknown): string => {
    if (Array.isArray(value)) return list(value);
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return object(Object.entries(value).map(([key, inner]) => [key, textFor(inner)] as const));
  };
  return `${textFor(file)}\n`;
}

if (import.meta.main) {
  const files = await renderAll();
  const stale = await staleFiles(files);
  if (process.argv.includes('--check')) {
    for (const name of stale)
      console.error(`visualizations/generated/${name} is stale: run node visualizations/render.ts`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    await mkdir(GENERATED, { recursive: true });
    for (const [name, text] of files) await writeFile(join(GENERATED, name), text);
    console.log(stale.length > 0 ? `wrote ${stale.join(', ')}` : 'nothing changed');
  }
}
