/**
 * Runs the benchmarks and prints `docs/benchmarks.md`: `npm run bench`, or `npm run bench NAME` for one, which
 * prints and writes nothing. Exit 1 when a median is past its limit.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Bench, measure, passes, ROUNDS, type Row, rowText } from './measure.ts';

const NAMES = [
  'admission',
  'intake',
  'rows',
  'http',
  'exec',
  'first-byte',
  'soak',
  'tree-end',
  'leaving',
  'start',
  'reload',
  'streams',
  'first-reply',
] as const;

const wanted = process.argv.slice(2);
const sections: string[] = [];
let failed = 0;

for (const name of NAMES) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const loaded: Record<string, Bench> = await import(`./${name}.ts`);
  const exported = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const bench = loaded[exported];
  if (bench === undefined) throw new Error(`test/bench/${name}.ts exports no ${exported}`);
  const rows: Row[] = await measure(bench);
  failed += rows.filter((row) => !passes(row)).length;
  const text = [
    `## ${bench.title}`,
    '',
    bench.about,
    '',
    '| what | median | min–max | limit | within |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(rowText),
  ].join('\n');
  console.log(`${text}\n`);
  sections.push(text);
}

const head = [
  '# Benchmarks',
  '',
  `Printed by \`npm run bench\`: the median of ${ROUNDS} rounds, or only the range where a measurement says it has two, product and baseline interleaved in each, on ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, ${process.platform}. Read the ratios; absolute times are this machine's. The command exits with 1 when a median is past its limit.`,
].join('\n');

if (wanted.length === 0) {
  const file = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
  writeFileSync(file, `${[head, ...sections].join('\n\n')}\n`);
}
process.exit(failed === 0 ? 0 : 1);
