/** The page: where it lies built, in the package beside the bundle or in a checkout where the build put it, and its files. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { failure } from './api-reply.ts';
import { answer, type Exchange } from './exchange.ts';

const CANDIDATES = ['./inspector/', '../../dist/inspector/'];

/** The page loads nothing but its own files and talks to nobody but us. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE_FILES: Readonly<Record<string, { file: string; type: string }>> = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
};

/** The paths at which the page stands. */
export const PAGE_PATHS: readonly string[] = Object.keys(PAGE_FILES);

/** The folder of the page; undefined where it was not built. */
export function builtPageFolder(): string | undefined {
  const folders = CANDIDATES.map((candidate) => fileURLToPath(new URL(candidate, import.meta.url)));
  return folders.find((folder) => existsSync(`${folder}index.html`));
}

/** Answers with the file of the page that stands at the path; `folder`: where it lies built, if anywhere. */
export function answerPage(exchange: Exchange, folder: string | undefined): void {
  const found = PAGE_FILES[exchange.path];
  const file = found && folder && join(folder, found.file);
  if (!file || !existsSync(file)) {
    answer(exchange, failure(404, 'NOT_FOUND', 'the page was not built'));
    return;
  }
  const bytes = readFileSync(file);
  exchange.response.writeHead(200, {
    'content-type': found.type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'content-security-policy': PAGE_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  exchange.response.end(bytes);
}
