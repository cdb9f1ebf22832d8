/** Where the built page lies: in the package beside the bundle, in a checkout where the build put it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CANDIDATES = ['./inspector/', '../../dist/inspector/'];

/** The folder of the page; undefined where it was not built. */
export function builtPageFolder(): string | undefined {
  const folders = CANDIDATES.map((candidate) => fileURLToPath(new URL(candidate, import.meta.url)));
  return folders.find((folder) => existsSync(`${folder}index.html`));
}
