import { describe } from 'vitest';
import { storeContract } from '../contract/store-contract.ts';
import { StoreHome } from './store-home.ts';

describe('the SQLite store', () => {
  storeContract(async () => new StoreHome());
});
