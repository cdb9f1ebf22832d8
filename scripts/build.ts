/**
 * Builds what is published: `dist/main.js` with the signal handlers and nothing else in front, the rest in
 * chunks that are loaded when they are needed, and the page; and `NOTICE`, the licences of what is bundled. Run with
 * `npm run build`.
 */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { buildPage } from './build-page.ts';
import { bundledPackages, licencesText } from './licences.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = `${root}dist`;

/** Slow to import as ES modules (measured: 45 ms at start), fast through `getBuiltinModule`. */
const SLOW_BUILTINS = ['http', 'https', 'http2'];

/** Loads the slow ones the fast way: each becomes a module that re-exports what `getBuiltinModule` returns. */
const fastBuiltins: Plugin = {
  name: 'fast-builtins',
  setup(on) {
    on.onResolve({ filter: new RegExp(`^(node:)?(${SLOW_BUILTINS.join('|')})$`) }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      namespace: 'fast-builtin',
    }));
    on.onLoad({ filter: /.*/, namespace: 'fast-builtin' }, async ({ path }) => {
      const names = Object.keys(await import(`node:${path}`)).filter((name) => name !== 'default');
      const contents = [
        `const builtin = process.getBuiltinModule('node:${path}');`,
        'export default builtin;',
        ...names.map((name) => `export const ${name} = builtin.${name};`),
      ].join('\n');
      return { contents, loader: 'js' };
    });
  },
};

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [`${root}src/main.ts`],
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  treeShaking: true,
  minifySyntax: true,
  minifyWhitespace: true,
  // The licences stand in a file of their own.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  chunkNames: '[name]-[hash]',
  plugins: [fastBuiltins],
  // Bundled CommonJS libraries ask for built-in modules with `require`.
  banner: { js: "const require=process.getBuiltinModule?.('node:module').createRequire(import.meta.url);" },
});
chmodSync(`${dist}/main.js`, 0o755);
const page = await buildPage(`${dist}/inspector`);
writeFileSync(`${root}NOTICE`, licencesText(bundledPackages(process.cwd(), [metafile, page])));
