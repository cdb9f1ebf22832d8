/** The checker is tried on gateways that have a bug: each must be seen, by the promise that it breaks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundledGateway } from '../support/stand-in/gateway.ts';
import { playChapter } from './chapter.ts';
import { check } from './checker.ts';
import type { Findings } from './findings.ts';
import { PLANTED_BUGS, type PlantedBug } from './inside/planted-bugs.ts';
import { plantedChapter, ruleAgainst } from './planted.ts';
import { bundledGateway, inLanes } from './run.ts';

const SEED = 'planted';

let gateway: BundledGateway;
const found = new Map<PlantedBug, Findings>();

beforeAll(async () => {
  gateway = await bundledGateway();
  await inLanes(PLANTED_BUGS, async (planted) => {
    const record = await playChapter(plantedChapter(planted, SEED), { entry: gateway.entry, planted });
    found.set(planted, check(record));
  });
});

afterAll(() => gateway[Symbol.dispose]());

describe('the checker', () => {
  test.for(PLANTED_BUGS)('sees the planted bug: %s', (planted) => {
    const rules = new Set(found.get(planted)?.problems.map(({ rule }) => rule));
    expect([...rules]).toContain(ruleAgainst(planted));
  });
});
