/** Writes the status file named by its argument as often as it can, in documents of changing length, COUNT times. */
import { systemClock } from '../../../src/clock.ts';
import { StatusFile } from '../../../src/process/status-file.ts';

const [path = '', count = '0'] = process.argv.slice(2);
const onProblem = (problem: Error) => {
  throw problem;
};
const file = new StatusFile({ path, isOurs: () => true, epoch: () => 1, clock: systemClock, onProblem });
for (let number = 1; number <= Number(count); number += 1) {
  const filling = 'x'.repeat((number * 977) % 20_000);
  file.update({ state: 'running', number, filling, filled: filling.length }, { changed: true });
  if (number === 1) console.log('ready');
}
file.close({ state: 'exited', number: Number(count), filling: '', filled: 0 });
