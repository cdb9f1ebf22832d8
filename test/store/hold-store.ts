/** A process that holds the write lock of the database named by its argument. Says `held`, and lets go when told. */
import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';

const db = new DatabaseSync(process.argv[2] ?? '', { timeout: 5000 });
db.exec('BEGIN IMMEDIATE');
console.log('held');
await once(process.stdin, 'data');
db.exec('ROLLBACK');
db.close();
console.log('free');
process.stdin.destroy();
