/** A reload of a large configuration: of 500 quick commands each is changed. Beside it, the YAML library alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { Configuration } from '../../src/config/configuration.ts';
import { Reloads } from '../../src/gateway/reloads.ts';
import { type Bench, median, timed } from './measure.ts';
import { quietLog } from './quiet.ts';

const COMMANDS = 500;
const RUNS = 6;

const fileOf = (timeout: number): string =>
  [
    'listen: { http: off }',
    'agent: { command: cat }',
    'quick_commands:',
    ...Array.from(
      { length: COMMANDS },
      (_, n) =>
        `  c${n}:\n    type: exec\n    command: "echo ${n}"\n    timeout: ${timeout}\n    description: "says ${n}"`,
    ),
    '',
  ].join('\n');

/** As the gateway reads it. */
const yamlAlone = (text: string): Promise<number> =>
  timed(() =>
    parseDocument(text, { schema: 'core', uniqueKeys: false, prettyErrors: false, logLevel: 'error' }),
  );

let timeout = 1;

export const reload: Bench = {
  title: 'Reload',
  about: `A file with ${COMMANDS} quick commands (2,500 lines), each of which has another timeout than before: read, judged, planned, applied and kept as the last good one. The baseline is the YAML library on the same text, which is most of it. The same text again is read and not judged.`,
  rows: {
    'reload of 500 changed commands': { unit: 'ms', digits: 1, limit: { atMost: 50 } },
    'the YAML library alone': { unit: 'ms', digits: 1 },
    'reload to YAML library': { unit: '×', digits: 2 },
    'reload of the same text': { unit: 'ms', digits: 2 },
  },
  async round() {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const path = join(folder, 'sluice.yaml');
    writeFileSync(path, fileOf(timeout));
    const lastGoodPath = join(folder, 'last-good.yaml');
    const options = { path, origin: 'flag', env: {}, lastGoodPath, platformSchemas: {} } as const;
    const configuration = new Configuration(options, false);
    configuration.keepAsLastGood();
    const reloads = new Reloads({
      configuration,
      log: quietLog,
      view: () => ({ state: 'running.healthy', deadlineAt: null }),
      parked: () => [],
      prepare: async () => {},
      applied: () => {},
      failed: () => {},
    });
    const ask = () => timed(() => reloads.ask({ cause: 'reload', actor: 'local:owner' }));
    const [changed, same, yaml]: [number[], number[], number[]] = [[], [], []];
    for (let run = 0; run < RUNS; run += 1) {
      timeout += 1;
      const text = fileOf(timeout);
      writeFileSync(path, text);
      changed.push(await ask());
      yaml.push(await yamlAlone(text));
      same.push(await ask());
    }
    rmSync(folder, { recursive: true });
    return {
      'reload of 500 changed commands': median(changed),
      'the YAML library alone': median(yaml),
      'reload to YAML library': median(changed) / median(yaml),
      'reload of the same text': median(same),
    };
  },
};
