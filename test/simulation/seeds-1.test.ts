/** Share 1 of the simulated worlds. */
import { simulate } from './simulate.ts';

simulate(0);
