/**
 * How one seed's world is: what the gateway is configured to do, what its platform can, and what happens how often. Each
 * seed leaves some kinds of events out and has others often, so that also what needs many of one kind is met.
 */
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { BUILTIN_NAMES } from '../../src/messages/commands.ts';
import type { Rules } from './happening.ts';
import type { Random } from './random.ts';

/** `rough`: everything goes wrong at times; `calm`: nothing does. */
export type Weather = 'rough' | 'calm';

export interface Profile {
  readonly weather: Weather;
  readonly rules: Rules;
  readonly config: Config;
  /** Events before the last, quiet life. */
  readonly events: number;
  /** Times as often as usual, by the name of the event; 0: never. */
  readonly often: (event: string) => number;
  /** The store applies and tells at once, not when the world says so. */
  readonly promptStore: boolean;
  /** The longest text of one message of the chat. */
  readonly partCharsMax: number | undefined;
}

/** What every seed has. A program gets the key of its message, by which it is known. */
const COMMON = `
listen: { http: off }
access: { owners: ['chat:ann'], users: ['chat:bob'] }
agent: { command: agent, turn_timeout: 10m, failure_threshold: 3 }
shutdown: { kill_grace: 2s, exit_timeout: 10s }
quick_commands:
  job: { type: exec, command: job, timeout: 30, allow: [owner, user], args: { KEY: { required: true } } }
  duo: { type: exec, command: duo, timeout: 30, allow: [owner, user], concurrency: 2, args: { KEY: { required: true } } }
  please: { type: alias, target: answer, allow: [owner, user] }
  again: { type: alias, target: /job, allow: [owner, user] }
`;

const { config: BASE } = parseConfig(COMMON, {
  ...{ path: '/etc/sluice.yaml', origin: 'flag', env: {}, builtinNames: BUILTIN_NAMES },
});

const { default: AGENT } = BASE.agents;
if (AGENT === undefined) throw new Error('the configuration has no agent');
const AGENTS = {
  none: { ...BASE.agents, default: { ...AGENT, effects: false } },
  possible: { ...BASE.agents, default: { ...AGENT, effects: true } },
};

const SAFE_MODE = { deaths: 3, withinMs: 60_000, slowDeaths: 8, slowWithinMs: 1_800_000, quietMs: 30_000 };

export function profileOf(random: Random, weather: Weather): Profile {
  const rules: Rules = {
    resume: random.pick(['auto', 'auto', 'ask', 'always', 'never']),
    effects: random.pick(['none', 'possible']),
    // Two of three seeds never meet an old message.
    maxAgeMs: random.pick([120_000, 3_600_000, 86_400_000]),
    onExpired: random.pick(['answer', 'ask', 'expire']),
    sendsOnce: random.chance(0.25),
    canAsk: random.chance(0.25),
  };
  // Read once and then changed: to read it takes longer than most of a seed.
  const config: Config = {
    ...BASE,
    agents: AGENTS[rules.effects],
    drainTimeoutMs: random.pick([0, 10_000, 60_000]),
    maxTurns: random.pick([1, 2, 8]),
    busyInputMode: random.pick(['interrupt', 'queue']),
    turns: { resume: rules.resume, maxAgeMs: rules.maxAgeMs, onExpired: rules.onExpired },
    safeMode: random.chance(0.3) ? SAFE_MODE : null,
  };
  const times = new Map<string, number>();
  const often = (event: string): number => {
    const known = times.get(event);
    if (known !== undefined) return known;
    const drawn = random.pick([0, 0.3, 1, 1, 1, 3]);
    times.set(event, drawn);
    return drawn;
  };
  return {
    ...{ weather, rules, config, often, events: random.between(200, 240) },
    promptStore: random.chance(0.3),
    partCharsMax: random.chance(0.2) ? 400 : undefined,
  };
}
