/**
 * A process that commits messages into the store named by its argument until it is killed, several at a time, and
 * says the id of each once it was acknowledged. The second argument tells its ids from those of other rounds.
 */
import { systemClock } from '../../src/clock.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { messageRow, outboundRow } from './sample-rows.ts';

const [path = '', round = ''] = process.argv.slice(2);
const WRITERS = 8;

const store = await openSqliteStore({
  path,
  reservePath: `${path}.reserve`,
  migrate: true,
  clock: systemClock,
  onProblem: (error) => console.error(error.message),
});

async function write(writer: number): Promise<never> {
  for (let number = 0; ; number += 1) {
    const id = `${round}-${writer}-${number}`;
    await store.commit([
      { op: 'receive', message: messageRow(id) },
      { op: 'reply', outbound: outboundRow(id, id) },
    ]);
    console.log(id);
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
