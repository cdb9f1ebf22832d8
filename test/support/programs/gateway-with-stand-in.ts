/**
 * The product's `main.ts` with one platform more: the stand-in chat server's. As there, nothing but the signal
 * handlers stands before the rest is loaded, and a restart in place becomes this very program again.
 */
import { signals } from '../../../src/process/signals.ts';

const IN_PLACE = 'SLUICE_IN_PLACE';
const argv = process.argv.slice(2);

signals.install();
process.getBuiltinModule('node:module').enableCompileCache?.();
const { main } = await import('../../../src/cli/main.ts');
const { standIn } = await import('../stand-in/platform.ts');
const { code, reexecute, nextEnv } = await main(argv, {
  signals,
  inPlaceName: IN_PLACE,
  leaveNow: (now) => process.exit(now),
  platformKinds: { standin: standIn },
});
if (reexecute) {
  const again = [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...argv];
  process.execve?.(process.execPath, again, nextEnv);
}
process.exit(code);
