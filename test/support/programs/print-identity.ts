/**
 * Prints its identity as JSON, then ends with stdin. With `again` as its argument it re-executes itself in place first and
 * prints the new life's, too; with `odd` it carries a name that looks like the fields of a stat file.
 */
import { processIdentity } from '../../../src/process/identity.ts';

if (process.argv[2] === 'odd') process.title = 'a) Z 1 (b';
console.log(JSON.stringify(processIdentity()));
if (process.argv[2] === 'again') {
  process.execve?.(process.execPath, [process.execPath, process.argv[1] ?? ''], process.env);
}
process.stdin.resume();
