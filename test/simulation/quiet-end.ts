/** The end of a simulated world: nothing goes wrong any more, and a last life finishes all that it can. */
import type { World } from './world.ts';

/** Rounds until nothing moves any more; a world that needs more has something in it that never ends. */
const ROUNDS_MAX = 400;

/** What passes in a round in which nothing else happens: the longest wait of the gateway's own is a minute. */
const REST_MS = 20_000;

/** Rounds of rest after which nothing is to come; fewer where nothing is open. */
const RESTS = 8;
const RESTS_OF_QUIET = 2;

export async function finishQuietly(world: World): Promise<void> {
  world.happens({ what: 'world', does: 'becomes quiet' });
  world.disk.isFull = false;
  world.clock.putRight();
  await settleDown(world);
  for (let asked = 0; asked < 3; asked += 1) {
    const waiting = conversationsThatWait(world);
    if (waiting.length === 0) return;
    for (const conversation of waiting) resume(world, conversation);
    await settleDown(world);
  }
}

/** Every conversation in which a person is asked. */
function conversationsThatWait({ checker }: World): string[] {
  return [...new Set(checker.records.openMessages.map(({ row }) => row.conversation))];
}

function resume({ people, server, callers }: World, conversation: string): void {
  const said = people.resume(conversation);
  if (said.platform === 'chat') server.post(said);
  else callers.push({ said, life: null });
}

/** Everything goes well, until nothing is left to happen. */
async function settleDown(world: World): Promise<void> {
  let rests = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (await goesOn(world)) {
      rests = 0;
      continue;
    }
    if (rests >= (isQuiet(world) ? RESTS_OF_QUIET : RESTS)) return;
    rests += 1;
    await world.pass(REST_MS);
  }
}

/** Nothing is open, nothing waits to be handed in or sent. */
function isQuiet({ checker, server, callers }: World): boolean {
  const { records } = checker;
  if (records.openMessages.length > 0 || callers.length > 0) return false;
  if (server.posts.some(({ acknowledged }) => !acknowledged)) return false;
  return [...records.outbound.values()].every(({ state }) => state === 'delivered' || state === 'dead');
}

/** Lets go on what can; false when nothing could. */
async function goesOn(world: World): Promise<boolean> {
  if (world.life === undefined) world.boot();
  else if (!moves(world)) return false;
  await world.pass(5);
  return true;
}

function moves(world: World): boolean {
  const { life, server, callers } = world;
  if (life === undefined) return false;
  const { agent, programs, gateway } = life;
  agent.isThere = true;
  let moved = world.storeMoves();
  const done = (): void => {
    moved = true;
  };
  if (life.state.startsWith('draining')) {
    const ask = { intent: 'cancel-drain', cause: 'drain', actor: 'local:owner' } as const;
    if (gateway.requests.ask(ask).verdict === 'cancelled') done();
  }
  if (server.connecting !== undefined) {
    server.connected();
    done();
  }
  for (const attempt of [...server.attempts]) {
    server.end(attempt, 'well', true);
    done();
  }
  for (const turn of [...agent.turns]) {
    if (turn.said === 0) agent.says(turn, `at last, to ${turn.key}`);
    else agent.end(turn, turn.isToldToStop ? 'told to stop' : 'well');
    done();
  }
  for (const program of [...programs.running]) {
    program.exit(0);
    done();
  }
  for (const post of server.deliverable) {
    server.deliver(post);
    done();
  }
  for (const caller of callers.filter(({ life: heardBy }) => heardBy === null)) {
    world.call(caller);
    done();
  }
  return moved;
}
