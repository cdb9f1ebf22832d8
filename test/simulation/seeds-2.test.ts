/** Share 2 of the simulated worlds. */
import { simulate } from './simulate.ts';

simulate(1);
