/** Runs after each test file of the layers that spawn gateways. */
import { afterAll } from 'vitest';
import { endLeftGateways } from './gateway.ts';

afterAll(endLeftGateways);
