/**
 * The admission table on a running gateway: in every leaf state, every kind of message, by each of the faces
 * through which this machine's own people come: the control socket, HTTP, and `sluice send` as a process.
 */
import { expect, test } from 'vitest';
import { httpRequest, type Reply, standInAgent, type TestGateway } from '../support/gateway.ts';
import {
  ADMISSION,
  type AdmissionRow,
  COLUMNS,
  type Column,
  LEAF_STATES,
} from '../support/lifecycle-oracle.ts';
import { startWithStandIn } from '../support/stand-in/gateway.ts';
import { StandInServer } from '../support/stand-in/server.ts';
import { StoreLock } from '../support/store-lock.ts';

const CONFIG = `
agents: { other: { type: command, command: ["${standInAgent}"] } }
quick_commands:
  up: { type: exec, command: "echo up", concurrency: 8 }
  hold: { type: exec, command: "trap '' TERM; cat command; true", timeout: 1h, grace: 1h }
  s: { type: alias, target: "/status" }
access: { owners: ["standin:ann"] }
shutdown: { kill_grace: 1h, exit_timeout: 1h }`;

/** A gateway with what can hold it in each of its states. */
interface World {
  readonly gateway: TestGateway;
  readonly server: StandInServer;
  readonly stack: AsyncDisposableStack;
}

/** A gateway that is let go in the end, whatever holds it: nothing of it is left behind. */
async function worldOf(state: string): Promise<World> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await StandInServer.start());
  if (state === 'starting') server.hold('connect');
  const gateway = await startWithStandIn(server, {
    config: CONFIG,
    env: { SLUICE_RESTART_DRAIN_TIMEOUT: '3600' },
    early: true,
  });
  stack.use(gateway);
  gateway.folder.fifo('command');
  stack.defer(async () => {
    // First the stop, so that no restart begins another life.
    gateway.signal('SIGINT');
    await gateway.log((line) => line.cause === 'SIGINT', 'the stop to be heard');
    server.release('connect', 'send', 'stop-receiving');
    await gateway.exited;
  });
  await server.linked(1);
  if (state !== 'starting') await gateway.ready();
  return { gateway, server, stack };
}

const ask = (gateway: TestGateway, intent: string, hurry = false): Promise<Reply> =>
  gateway.request('POST', '/v1/lifecycle', { intent, hurry });

/** A command that runs until the test is over. */
async function holdCommand({ gateway, stack }: World): Promise<void> {
  await gateway.post('/hold');
  stack.defer(() => gateway.folder.release('command'));
  // A TERM that came before its trap would end it.
  await gateway.commandsBegun(1);
}

async function flushing(world: World, intent: 'restart' | 'stop'): Promise<void> {
  world.server.hold('send');
  await world.server.deliver({ id: 'stalled', from: 'ann', text: '/status' });
  await ask(world.gateway, intent);
}

async function closing({ gateway, server }: World, intent: 'restart' | 'stop'): Promise<void> {
  server.hold('stop-receiving');
  await ask(gateway, intent);
}

/** The way into each state from `running.healthy`, but for `starting`. */
const WAYS: Readonly<Record<AdmissionRow['state'], (world: World) => Promise<unknown>>> = {
  starting: async () => {},
  'running.healthy': async () => {},
  'running.degraded': async ({ gateway, stack }) => {
    stack.use(new StoreLock(gateway.folder.home));
    await gateway.send('/status');
  },
  'draining.waiting': async (world) => {
    await holdCommand(world);
    await ask(world.gateway, 'restart');
  },
  'draining.drained': ({ gateway }) => ask(gateway, 'drain'),
  'draining.interrupting': async (world) => {
    await holdCommand(world);
    await ask(world.gateway, 'restart', true);
  },
  'restarting.flushing': (world) => flushing(world, 'restart'),
  'restarting.closing': (world) => closing(world, 'restart'),
  'stopped.flushing': (world) => flushing(world, 'stop'),
  'stopped.closing': (world) => closing(world, 'stop'),
};

const TEXTS: Readonly<Record<Column, string>> = {
  control: '/status',
  exec: '/up',
  alias: '/s',
  turn: 'hello',
  queued: 'hello',
};

/** What a dispatched message of each kind comes to. */
const OUTCOMES: Readonly<Record<Column, string>> = {
  control: 'done',
  exec: 'ran',
  alias: 'done',
  turn: 'answered',
  queued: 'answered',
};

/** A message as a face takes it. */
interface Sending {
  readonly column: Column;
  readonly agent: string;
  readonly conversation: string;
  /** Returns with the decision: what is held has no outcome yet. */
  readonly decisionOnly: boolean;
}

/** What a face showed of a message: the decision, and what became of it. */
type Shown = readonly [admission: string, outcome: string | undefined, code?: number | null];

type Face = (gateway: TestGateway, sending: Sending) => Promise<Shown>;

const bodyOf = ({ column, agent, conversation }: Sending) => ({
  text: TEXTS[column],
  agent,
  conversation,
  ...(column === 'queued' ? { whenBusy: 'queue' } : {}),
});

/** A store that takes nothing refuses as an error of the interface: the same id may be sent again. */
const shownOf = ({ json }: Pick<Reply, 'json'>): Shown =>
  json.error?.code === 'STORE_UNAVAILABLE' ? ['refuse', 'refused'] : [json.admission, json.outcome];

const bySocket: Face = async (gateway, sending) =>
  shownOf(await gateway.request('POST', '/v1/messages?wait=1', bodyOf(sending)));

const byHttp: Face = async (gateway, sending) => {
  const { url, token } = await gateway.http();
  const { hostname: host, port } = new URL(url);
  const headers = { authorization: `Bearer ${token}` };
  const where = { host, port: Number(port), headers };
  return shownOf(await httpRequest(where, 'POST', '/v1/messages?wait=1', bodyOf(sending)));
};

const byCli: Face = async (gateway, { column, agent, conversation, decisionOnly }) => {
  const { json, code } = await gateway.cli(
    ...['send', TEXTS[column], '--json', '--agent', agent, '--conversation', conversation],
    ...(decisionOnly ? ['--no-wait'] : []),
  );
  const [admission, outcome] = shownOf({ json });
  return [admission, outcome, code];
};

/** Every cell of one row by one face; `sluice send` leaves the busy mode to the configuration. */
async function cellsOf(gateway: TestGateway, row: AdmissionRow, face: Face): Promise<Record<string, Shown>> {
  const columns = COLUMNS.filter((column) => face !== byCli || column !== 'queued');
  const cells = columns.map(async (column) => {
    const agent = row.agent ?? 'default';
    const conversation = `${face.name} ${column} ${agent}`;
    const decisionOnly = row[column] === 'hold';
    return [column, await face(gateway, { column, agent, conversation, decisionOnly })] as const;
  });
  return Object.fromEntries(await Promise.all(cells));
}

/** The same cells by the table. */
function expectedOf(row: AdmissionRow, face: Face): Record<string, Shown> {
  const columns = COLUMNS.filter((column) => face !== byCli || column !== 'queued');
  return Object.fromEntries(
    columns.map((column): [string, Shown] => {
      const admission = row[column];
      const outcome = { dispatch: OUTCOMES[column], hold: undefined, refuse: 'refused' }[admission];
      const code = admission === 'refuse' ? 3 : 0;
      return [column, face === byCli ? [admission, outcome, code] : [admission, outcome]];
    }),
  );
}

/** A circuit or safe mode is raised by nothing that a test could do from outside; a lost store is. */
const ROWS = ADMISSION.filter(({ degraded }) => degraded === null || degraded.join() === 'store');

test('every state of the table can be reached on a running gateway', () => {
  expect([...new Set(ROWS.map(({ state }) => state))].sort()).toEqual([...LEAF_STATES].sort());
});

test.each(LEAF_STATES)(
  'in %s each kind of message meets what the table says, by every face',
  async (state) => {
    const world = await worldOf(state);
    await using _ = world.stack;
    await WAYS[state](world);
    const { gateway } = world;
    await gateway.statusWhere((status) => status.state === state);
    for (const row of ROWS.filter((one) => one.state === state)) {
      for (const face of [bySocket, byHttp, byCli]) {
        expect(await cellsOf(gateway, row, face), face.name).toEqual(expectedOf(row, face));
      }
    }
    const up = await gateway.cli('exec', 'up');
    expect(up).toMatchObject({ code: 0, stdout: expect.stringMatching(/^up\n/) });
    expect((await gateway.status()).state).toBe(state);
  },
);
