/** Share 3 of the simulated worlds. */
import { simulate } from './simulate.ts';

simulate(2);
