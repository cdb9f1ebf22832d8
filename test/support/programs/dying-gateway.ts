/**
 * Starts the commands named on its command line (a JSON list) as a gateway of a home does, says their pids when all
 * have printed "ready", and waits to be killed.
 */
import { systemClock } from '../../../src/clock.ts';
import { createProcesses } from '../../../src/process/exec.ts';

const [home = '', commands = '[]'] = process.argv.slice(2);
const processes = createProcesses(systemClock, home);
const list: [workId: string, command: string][] = JSON.parse(commands);

await Promise.all(
  list.map(([workId, command]) => {
    const ready = Promise.withResolvers<void>();
    const running = processes.start({
      ...{ command, cwd: '/', env: { PATH: process.env.PATH ?? '' }, workId },
      ...{ graceMs: 1_000, outputBytesMax: 10_000 },
      onStdout: (text) => {
        if (text.includes('ready')) ready.resolve();
      },
    });
    // One that ends by itself has settled before its gateway dies.
    return command.endsWith('exit') ? running.result : ready.promise;
  }),
);
process.stdout.write('standing\n');
setInterval(() => {}, 1_000_000);
