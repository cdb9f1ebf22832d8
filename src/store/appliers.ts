/** How the statements that apply writes are handed round: one function for each kind of write. */
import type { Write } from './write.ts';

type WriteOf<Op extends Write['op']> = Extract<Write, { op: Op }>;

/** How each write is applied, with the message that its unit has just received; what a statement answers is not looked at. */
export type Appliers<Op extends Write['op']> = {
  readonly [O in Op]: (write: WriteOf<O>, received: string | undefined) => unknown;
};
