/**
 * Builds the inspector page: one script, one style sheet, one document, nothing fetched from anywhere else.
 * Part of `npm run build`; run by itself it fills `dist/inspector`.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';

const SOURCE = join(import.meta.dirname, '../visualizations/inspector');

/** Browsers from 2024 on: the style sheet needs `light-dark()`. */
const TARGET = ['chrome123', 'firefox125', 'safari17.5'];

/** Writes `index.html`, `page.css` and `page.js` into `outDir`, which is made; says of what. Throws what esbuild throws. */
export async function buildPage(outDir: string): Promise<Metafile> {
  await mkdir(outDir, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(SOURCE, 'page.ts'), join(SOURCE, 'page.css')],
    outdir: outDir,
    bundle: true,
    format: 'esm',
    minify: true,
    target: TARGET,
    logLevel: 'warning',
    metafile: true,
  });
  await copyFile(join(SOURCE, 'index.html'), join(outDir, 'index.html'));
  return metafile;
}

if (import.meta.main) await buildPage(join(import.meta.dirname, '../dist/inspector'));
