/** A built gateway for benchmarks: `dist/main.js`, as it is published, in a home of its own. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestFolder, TestGateway, testConfig } from '../support/gateway.ts';

const BUILT = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export const EXEC_CONFIG = [
  'quick_commands:',
  '  nothing: { type: exec, command: "true", concurrency: 8 }',
].join('\n');

export async function builtGateway(folder?: TestFolder): Promise<TestGateway> {
  if (!existsSync(BUILT)) throw new Error('run `npm run build` first');
  return TestGateway.start({
    entry: BUILT,
    configText: testConfig(EXEC_CONFIG),
    ...(folder ? { folder } : {}),
  });
}

export { BUILT, TestFolder };
