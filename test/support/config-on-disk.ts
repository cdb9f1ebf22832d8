/** A configuration on disk and what runs of it, in this process: for gateways whose core runs on stand-ins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Configuration } from '../../src/config/configuration.ts';

export class ConfigOnDisk implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  readonly path = join(this.folder, 'sluice.yaml');
  readonly lastGoodPath = join(this.folder, 'last-good.yaml');
  readonly configuration: Configuration;

  /** Without HTTP, with an agent; `text` is what stands below these, `files` lie beside it by their names. */
  constructor(text: string, env: NodeJS.ProcessEnv = {}, files: Readonly<Record<string, string>> = {}) {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(this.folder, name), content);
    this.write(text);
    const { path, lastGoodPath } = this;
    this.configuration = new Configuration(
      { path, origin: 'flag', env, lastGoodPath, platformSchemas: {} },
      false,
    );
  }

  write(text: string): void {
    const agent = /^agent:/m.test(text) ? '' : 'agent: { command: cat }\n';
    writeFileSync(this.path, `listen: { http: off }\n${agent}${text}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
