/** What the tests of any store stand on. */
import type { OutboundRow, StoredOutbound } from '../../src/store/records.ts';
import type { Store } from '../../src/store/store.ts';

/** Fresh ground for one store; opening twice gives a second process's view of the same data. */
export interface StoreGround extends AsyncDisposable {
  open(): Promise<Store>;
}

/** An outbound row as it is before the first attempt to send it. */
export const waiting = (row: OutboundRow): StoredOutbound => ({
  ...row,
  ...{ state: 'pending', attempts: 0, nextAt: null, possibleDuplicate: false, error: null },
});
