/**
 * What the benchmarks share: interleaved rounds, quantiles, and rows that stand beside their limit. A number
 * is only ever compared with a baseline of the same round, because these machines' speed drifts.
 */

/** Rounds of each measurement; the median of them is what counts. */
export const ROUNDS = 5;

export interface Row {
  readonly what: string;
  /** What was measured, per round. */
  readonly values: readonly number[];
  readonly unit: string;
  readonly limit?: { readonly atMost: number } | { readonly atLeast: number };
  /** Ratios have no unit and more digits. */
  readonly digits?: number;
}

export interface Bench {
  readonly title: string;
  /** What is compared with what, in a sentence or two. */
  readonly about: string;
  /** One round: product and baseline, interleaved; keys are the rows' names. */
  round(): Promise<Readonly<Record<string, number>>>;
  /** The rows to print, in order. */
  readonly rows: Readonly<Record<string, Omit<Row, 'values' | 'what'>>>;
  /** Instead of the usual number, where a round takes long. */
  readonly rounds?: number;
  dispose?(): Promise<void>;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Fewer rounds have a range and no median. */
const MEDIAN_ROUNDS_MIN = 3;

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Runs `work` and returns milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

export async function measure(bench: Bench): Promise<Row[]> {
  const rounds: Readonly<Record<string, number>>[] = [];
  try {
    for (let round = 0; round < (bench.rounds ?? ROUNDS); round += 1) rounds.push(await bench.round());
  } finally {
    await bench.dispose?.();
  }
  return Object.entries(bench.rows).map(([what, row]) => ({
    ...row,
    what,
    values: rounds.map((values) => values[what] ?? Number.NaN),
  }));
}

export function passes({ values, limit }: Row): boolean {
  if (limit === undefined) return true;
  const value = median(values);
  return 'atMost' in limit ? value <= limit.atMost : value >= limit.atLeast;
}

export function rowText(row: Row): string {
  const digits = row.digits ?? 0;
  const shown = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: digits });
  const { limit } = row;
  const bound =
    limit === undefined ? '' : 'atMost' in limit ? `≤ ${shown(limit.atMost)}` : `≥ ${shown(limit.atLeast)}`;
  // The middle of two is neither.
  const middle = row.values.length < MEDIAN_ROUNDS_MIN ? '–' : `${shown(median(row.values))} ${row.unit}`;
  const spread = `${shown(Math.min(...row.values))}–${shown(Math.max(...row.values))}`;
  const verdict = limit === undefined ? '' : passes(row) ? 'yes' : 'NO';
  return `| ${row.what} | ${middle} | ${spread} ${row.unit} | ${bound} | ${verdict} |`;
}
