/**
 * The gateway with the stand-in platform, ready to be started: from its source, or bundled as the product is
 * when a test starts so many that half a second each is too long.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type StartOptions, TestGateway } from '../gateway.ts';
import type { StandInServer } from './server.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ENTRY = join(ROOT, 'test/support/programs/gateway-with-stand-in.ts');

/** The same program as `dist` is to `src`, in a package folder of its own. Disposing removes it. */
export class BundledGateway implements Disposable {
  readonly entry: string;
  readonly #folder: string;

  private constructor(folder: string, source: string) {
    this.#folder = folder;
    this.entry = join(folder, 'dist', `${basename(source, '.ts')}.js`);
  }

  /** `source`: another entry than the one with nothing but the stand-in platform. */
  static async build(source = ENTRY): Promise<BundledGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    for (const part of ['package.json', 'config'])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    await build({
      entryPoints: [source],
      outdir: join(folder, 'dist'),
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      logLevel: 'warning',
      // Bundled CommonJS libraries ask for built-in modules with `require`.
      banner: { js: "const require=process.getBuiltinModule('node:module').createRequire(import.meta.url);" },
    });
    return new BundledGateway(folder, source);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Starts a gateway that is connected to `server`; `config` as for any test gateway. */
export function startWithStandIn(server: StandInServer, options: StartOptions = {}): Promise<TestGateway> {
  const { config = '', ...rest } = options;
  return TestGateway.start({ entry: ENTRY, ...rest, config: `${server.config}\n${config}` });
}
