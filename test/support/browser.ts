/**
 * A headless Chromium for tests, on a machine that has neither a browser nor its libraries: the package
 * `@sparticuz/chromium` carries both, and fonts. Everything is unpacked into a folder of its own and removed
 * when the browser is disposed of.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

/** Chromium, its libraries (built for Amazon Linux 2023, at home elsewhere too) and a font. */
const PACKED = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br'];

export interface TestBrowser extends AsyncDisposable {
  readonly browser: Browser;
}

/** Starts it, in about two seconds. Dispose of it: it holds 200 MB of temporary files. */
export async function launchBrowser(): Promise<TestBrowser> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'sluice-browser-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  await unpack(dir);
  const browser = await chromium.launch({
    executablePath: join(dir, 'chromium'),
    // Not the package's own arguments: they switch web security off, and with it what these tests look for.
    args: [],
    chromiumSandbox: false,
    env: {
      ...process.env,
      HOME: dir,
      TMPDIR: dir,
      LD_LIBRARY_PATH: join(dir, 'al2023/lib'),
      FONTCONFIG_FILE: await writeFontConfiguration(dir),
    },
  });
  undo.defer(() => browser.close());
  const acquired = undo.move();
  return { browser, [Symbol.asyncDispose]: () => acquired.disposeAsync() };
}

/** `inflate` writes beside `os.tmpdir()`, which reads the environment at every call. */
async function unpack(dir: string): Promise<void> {
  const packed = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '../../bin');
  const before = process.env.TMPDIR;
  process.env.TMPDIR = dir;
  try {
    await Promise.all(PACKED.map((name) => inflate(join(packed, name))));
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** The package's font and those of the machine; without any, Chromium draws no text. */
async function writeFontConfiguration(dir: string): Promise<string> {
  const fonts = join(dir, 'fonts');
  if ((await readdir(fonts)).length === 0) throw new Error(`no fonts were unpacked into ${fonts}`);
  const file = join(dir, 'fonts.conf');
  const dirs = [fonts, '/usr/share/fonts', '/usr/local/share/fonts']
    .map((each) => `<dir>${each}</dir>`)
    .join('');
  const cache = `<cachedir>${join(dir, 'fonts-cache')}</cachedir>`;
  await writeFile(file, `<?xml version="1.0"?><fontconfig>${dirs}${cache}<config></config></fontconfig>\n`);
  return file;
}
