/**
 * What `package.json` says in the package that is published: what installs and starts it. The scripts, workspaces and
 * development packages of a checkout stay out: they would be run, or warned of, where nothing of them can work.
 *
 *     node scripts/published-manifest.ts             `prepack`: package.json becomes that, the checkout's is set aside
 *     node scripts/published-manifest.ts --restore   `postpack`: the checkout's again; also after a pack that was killed
 *
 * npm packs what stands on disk, so there is no way around the exchange; each step of it is one rename.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MANIFEST = join(import.meta.dirname, '../package.json');
const ASIDE = join(import.meta.dirname, '../package.json.checkout');

/** Every other field is the checkout's. */
const PUBLISHED = [
  'name',
  'version',
  'description',
  'license',
  'type',
  'engines',
  'os',
  'bin',
  'exports',
  'files',
] as const;

function publish(): void {
  const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8'));
  const published = Object.fromEntries(PUBLISHED.map((field) => [field, manifest[field]]));
  const next = `${MANIFEST}.next`;
  writeFileSync(next, `${JSON.stringify(published, null, 2)}\n`);
  copyFileSync(MANIFEST, ASIDE);
  renameSync(next, MANIFEST);
}

if (!process.argv.includes('--restore')) publish();
else if (existsSync(ASIDE)) renameSync(ASIDE, MANIFEST);
