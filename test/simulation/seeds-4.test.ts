/** Share 4 of the simulated worlds. */
import { simulate } from './simulate.ts';

simulate(3);
