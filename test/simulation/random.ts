/** Chance from a seed that is a number. */
import { Chance } from '../support/chance.ts';

export class Random extends Chance {
  constructor(seed: number) {
    // Neighbouring seeds shall not begin alike.
    super(Math.imul(seed + 1, 0x9e3779b1));
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(items: readonly [T, ...T[]]): T;
  pick<T>(items: readonly T[]): T | undefined;
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }
}
