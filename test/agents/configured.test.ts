/** The agents of a configuration by name. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { Agents, type AgentsOptions } from '../../src/daemon/agents.ts';

test('a name that every object knows is the name of no agent, unless the configuration has one', async () => {
  const given = { env: {}, environment: () => ({}), processes: {}, secrets: { add: () => {} } };
  const agents = new Agents(given as unknown as AgentsOptions);
  const configOf = (text: string) => {
    const { config } = parseConfig(text, { path: '/s.yaml', origin: 'flag', env: {}, builtinNames: [] });
    return { ...config, agents: { ...config.agents } };
  };
  // Whatever is no program would be made a model.
  await agents.load(configOf('agent: { type: openai, base_url: "http://127.0.0.1:1/v1", model: m }'));
  for (const name of ['constructor', 'toString', 'hasOwnProperty'])
    expect(agents.named(configOf('agent: { command: ./a }'), name)).toBeUndefined();
  const named = configOf('agents: { constructor: { command: ./b } }');
  expect(agents.named(named, 'constructor')).toMatchObject({ name: 'constructor', type: 'command' });
});
