/**
 * The gateway with the stand-in platform, as its own test entry makes it, and with what the crash suite needs: points at
 * which it kills itself, a wall clock that is off, a trace of what it put on disk, and a bug to be found. What of this
 * it shall have stands in its environment; without that it is the other entry's gateway.
 */
import { signals } from '../../../src/process/signals.ts';

const IN_PLACE = 'SLUICE_IN_PLACE';
const argv = process.argv.slice(2);

if (argv[0] === 'run') signals.install();
process.getBuiltinModule('node:module').enableCompileCache?.();
const { main } = await import('../../../src/cli/main.ts');
const { standIn } = await import('../stand-in/platform.ts');
const { ordersIn } = await import('../../crash/inside/orders.ts');
const { Points } = await import('../../crash/inside/points.ts');
const { Trace } = await import('../../crash/inside/trace.ts');
const { buggyKind, buggyStore } = await import('../../crash/inside/planted-bugs.ts');
const { watchedKind } = await import('../../crash/inside/watched-platform.ts');
const { watchedStore } = await import('../../crash/inside/watched-store.ts');

const host = { signals, inPlaceName: IN_PLACE, leaveNow: (code: number) => process.exit(code) };
const { code, reexecute, nextEnv } = await main(argv, { ...host, ...instrumented() });
if (reexecute) {
  const again = [process.execPath, ...process.execArgv, process.argv[1] ?? '', ...argv];
  process.execve?.(process.execPath, again, nextEnv);
}
process.exit(code);

function instrumented() {
  const orders = ordersIn(process.env);
  if (orders === undefined) return { platformKinds: { standin: standIn } };
  const { clock, planted } = orders;
  if (clock !== undefined) setClockOff(clock);
  const trace = new Trace(orders.trace);
  const points = new Points(orders.die, trace);
  const kind = watchedKind(buggyKind(standIn, planted), points, trace);
  return {
    platformKinds: { standin: kind },
    wrapStore: (store: Parameters<typeof watchedStore>[0]) =>
      watchedStore(buggyStore(store, planted), points, trace),
  };
}

/** The one thing that a wall clock is read through. */
function setClockOff({
  offByMs,
  jumpsAfterMs,
  jumpMs,
}: {
  offByMs: number;
  jumpsAfterMs: number;
  jumpMs: number;
}) {
  const now = Date.now.bind(Date);
  Date.now = () => now() + offByMs + (performance.now() >= jumpsAfterMs ? jumpMs : 0);
}
