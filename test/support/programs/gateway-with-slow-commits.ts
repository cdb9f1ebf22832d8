/** The gateway on a disk that is slow: what writes a command down returns once there is the file that WRITTEN names. */
import { existsSync } from 'node:fs';
import { signals } from '../../../src/process/signals.ts';
import type { Store } from '../../../src/store/store.ts';

const argv = process.argv.slice(2);
const written = process.env.WRITTEN ?? '';

/** Between two looks at the file. */
const LOOK_MS = 20;

if (argv[0] === 'run') signals.install();
const { main } = await import('../../../src/cli/main.ts');
const { systemClock } = await import('../../../src/clock.ts');

const host = { signals, inPlaceName: 'SLUICE_IN_PLACE', leaveNow: (code: number) => process.exit(code) };
const { code } = await main(argv, { ...host, wrapStore: slowly });
process.exit(code);

function slowly<S extends Store>(store: S): S {
  const commit = store.commit.bind(store);
  store.commit = async (unit) => {
    const result = await commit(unit);
    const isCommand = unit.some(({ op }) => op === 'command.receive');
    while (isCommand && !existsSync(written)) await systemClock.delay(LOOK_MS);
    return result;
  };
  return store;
}
