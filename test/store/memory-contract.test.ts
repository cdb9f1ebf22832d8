import { describe } from 'vitest';
import { storeContract } from '../contract/store-contract.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { MemoryTables } from '../support/memory-tables.ts';

describe('the store in memory', () => {
  storeContract(async () => {
    const tables = new MemoryTables();
    const stores: MemoryStore[] = [];
    return {
      async open() {
        const store = new MemoryStore(tables);
        stores.push(store);
        return store;
      },
      async [Symbol.asyncDispose]() {
        for (const store of stores) await store.close();
      },
    };
  });
});
