/**
 * The walls of the house, held by reading its sources. It fails when it sees too few files, and each rule is
 * shown sources that break it: a rule that sees nothing passes for ever.
 */
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { charts } from './architecture/charts.ts';
import { owners } from './architecture/owners.ts';
import { HARMLESS, PLANTED } from './architecture/planted.ts';
import type { Rule } from './architecture/rule.ts';
import { isWithin } from './architecture/rule.ts';
import { WALLS, wallOf, walls } from './architecture/walls.ts';
import { type House, type ImportKind, ROOT, readHouse, sourceFile } from './support/module-graph.ts';
import { tokensOf } from './support/source-tokens.ts';

const RULES: readonly Rule[] = [...walls, ...owners, ...charts];

const house = readHouse(['machines', 'src', 'visualizations']);

/** The least number of files that each folder has had for long; raise it when a folder has grown. */
const FLOORS: Readonly<Record<string, number>> = {
  'machines/': 6,
  'src/agents/': 2,
  'src/cli/': 9,
  'src/config/': 12,
  'src/control/': 6,
  'src/gateway/': 20,
  'src/messages/': 8,
  'src/platforms/': 2,
  'src/process/': 12,
  'src/service/': 1,
  'src/store/': 9,
  'src/telemetry/': 1,
  'visualizations/': 30,
};

const show = (found: { file: string; line: number; what: string }) =>
  `${found.file}:${found.line} ${found.what}`;

const houseOf = (files: readonly { path: string; text: string }[]): House =>
  new Map(files.map(({ path, text }) => [path, sourceFile(path, text)]));

describe('the house', () => {
  it.each(RULES)('$name', (rule) => {
    expect(rule.violations(house).map(show)).toEqual([]);
  });

  it.each(Object.entries(FLOORS))('%s is seen, with at least %i files', (folder, floor) => {
    const seen = [...house.keys()].filter((path) => path.startsWith(folder));
    expect(seen.length).toBeGreaterThanOrEqual(floor);
  });

  it('has a row among the walls for every file', () => {
    expect([...house.keys()].filter((path) => wallOf(path) === undefined)).toEqual([]);
  });

  it('has a file for every row of the walls, and for everything a row sees', () => {
    const places = WALLS.flatMap(({ from, sees }) => [from, ...sees.map(({ to }) => to)]);
    const empty = places.filter((place) => ![...house.keys()].some((path) => isWithin(path, [place])));
    expect(empty).toEqual([]);
  });

  it('looks one way only: no row sees a later one, but for the words of the configuration', () => {
    const rowOf = (place: string) => WALLS.findIndex(({ from }) => isWithin(place, [from]));
    const downwards = WALLS.flatMap(({ from, sees }, row) =>
      sees.filter(({ to }) => rowOf(to) > row && !from.startsWith(to)).map(({ to }) => `${from} → ${to}`),
    );
    expect(downwards).toEqual([
      'src/messages/ → src/config/schema.ts',
      'src/messages/ → src/config/units.ts',
      'src/messages/ → src/config/patterns.ts',
      'src/messages/ → src/config/redact.ts',
    ]);
  });
});

describe('the eyes of the rules', () => {
  it.each(PLANTED.map((planted) => ({ ...planted, shown: planted.text.split('\n', 1)[0] })))(
    'a violation in $path is reported: $shown',
    ({ rule, path, text, beside }) => {
      const planted = [{ path, text }, ...(beside === undefined ? [] : [beside])];
      const reported = RULES.filter((candidate) => candidate.violations(houseOf(planted)).length > 0);
      expect(reported.map(({ name }) => name)).toContain(rule);
    },
  );

  it('are each tried with a violation', () => {
    const tried = new Set(PLANTED.map(({ rule }) => rule));
    expect(RULES.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });

  it.each(HARMLESS)('see nothing in %j', (text) => {
    const planted = houseOf([{ path: 'src/gateway/planted.ts', text }]);
    expect(RULES.flatMap((rule) => rule.violations(planted)).map(show)).toEqual([]);
  });

  it('see every import that the bundler sees', async () => {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: [...house.keys()].filter((path) => path.startsWith('src/')),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outdir: 'unwritten',
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    const pairs = Object.entries(metafile.inputs).flatMap(([path, { imports }]) =>
      imports.map((imported) => `${path} → ${imported.path}`),
    );
    const isLoaded = (kind: ImportKind) => kind === 'value' || kind === 'dynamic';
    const ours = Object.keys(metafile.inputs).flatMap((path) =>
      (house.get(path)?.imports ?? [])
        .filter(({ kind }) => isLoaded(kind))
        .map(({ target }) => `${path} → ${target}`),
    );
    expect(new Set(ours)).toEqual(new Set(pairs));
    expect(pairs.length).toBeGreaterThan(250);
  });

  it.each(["const a = 'open", 'const a = `open', '/* open', 'if (a) {'])(
    'refuse what they cannot read: %s',
    (text) => {
      expect(() => tokensOf(text)).toThrow();
    },
  );
});
