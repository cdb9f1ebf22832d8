/**
 * A start whose store cannot be written finds what earlier lives left only once it can be. Until then nothing new that has
 * a row leaves, for it would go before what was said earlier in its conversation.
 */
import type { Store } from '../store/store.ts';
import type { DeliveryOptions } from './delivery.ts';

/** The store as delivery has it: of no use for a claim while `awaitsRecovery`. */
export const storeBehindRecovery = (
  store: Store,
  awaitsRecovery: () => boolean,
): DeliveryOptions['store'] => ({
  commit: (unit) => store.commit(unit),
  openLives: () => store.openLives(),
  openWork: (living) => store.openWork(living),
  get writable() {
    return store.writable && !awaitsRecovery();
  },
  get obstacle() {
    return store.obstacle;
  },
});
