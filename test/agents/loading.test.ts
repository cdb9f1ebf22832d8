/** What only a model needs is loaded only where the configuration names one. */
import { expect, test } from 'vitest';
import { readHouse } from '../support/module-graph.ts';

const house = [...readHouse(['machines', 'src']).values()];

/** Files that load this one, each with how; types load nothing. */
const loaders = (target: string): string[] =>
  house.flatMap(({ path, imports }) =>
    imports
      .filter((each) => each.target === target && each.kind !== 'type')
      .map(({ kind }) => `${path} ${kind}`),
  );

test('the agent that is a model, and its parser, are reached by import() alone', () => {
  expect(loaders('src/agents/openai.ts')).toEqual([expect.stringMatching(/^src\/\S+ dynamic$/)]);
  const behind = ['src/agents/openai-http.ts', 'src/agents/openai-answer.ts', 'src/agents/http-hints.ts'];
  for (const file of behind) {
    const from = loaders(file).map((loader) => loader.split(' ')[0]);
    expect(from.length).toBeGreaterThan(0);
    expect(from.filter((path) => !/^src\/(agents\/openai|setup\/)/.test(path ?? ''))).toEqual([]);
  }
  // The other one that asks model servers is a command of its own.
  expect(loaders('src/setup/model-servers.ts')).toEqual(['src/cli/init.ts value']);
  expect(loaders('src/cli/init.ts')).toEqual(['src/cli/program.ts dynamic']);
  expect(loaders('eventsource-parser')).toEqual(['src/agents/openai-answer.ts value']);
});
