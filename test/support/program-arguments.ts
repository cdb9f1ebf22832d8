/** What a program of the tests is started with by hand: a mistake ends it with 2 and its usage, before it does anything. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What a program leaves with that was not started as it wants to be. */
const USAGE_EXIT = 2;

type Options = NonNullable<ParseArgsConfig['options']>;

export class ProgramArguments<const T extends Options> {
  readonly values: ReturnType<typeof parseArgs<{ options: T }>>['values'];
  readonly #usage: string;

  constructor(options: T, usage: string) {
    this.#usage = usage;
    try {
      this.values = parseArgs({ options }).values;
    } catch (error) {
      this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  /** A whole number, `least` at least; `usual` where the option is not there. */
  count(name: keyof T & string, usual: number, least: number): number {
    const given: unknown = this.values[name as keyof typeof this.values];
    if (given === undefined) return usual;
    const count = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (Number.isSafeInteger(count) && count >= least) return count;
    return this.#refuse(`--${name} takes a whole number from ${least} on, not ${JSON.stringify(given)}`);
  }

  #refuse(problem: string): never {
    console.error(`${problem}\nUsage: ${this.#usage}`);
    process.exit(USAGE_EXIT);
  }
}
