/** What can happen in a simulated world, how often, and when. Each event is one step of it. */
import type { Ask } from '../../src/gateway/requests.ts';
import type { Told } from './happening.ts';
import type { World } from './world.ts';

export interface WorldEvent {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  /** Nothing goes wrong by it. */
  readonly isFair: boolean;
  readonly canHappen: (world: World) => boolean;
  readonly happen: (world: World) => void | Promise<void>;
}

const isUp = (world: World) => world.life !== undefined;

const fair = (
  name: string,
  weight: number,
  canHappen: WorldEvent['canHappen'],
  happen: WorldEvent['happen'],
): WorldEvent => ({ name, weight, isFair: true, canHappen, happen });

const foul = (
  name: string,
  weight: number,
  canHappen: WorldEvent['canHappen'],
  happen: WorldEvent['happen'],
): WorldEvent => ({
  ...{ name, weight, isFair: false, canHappen },
  happen: (world) => {
    world.fault(name);
    return happen(world);
  },
});

/** A request to the gateway, as a signal or a person at this machine makes it. */
const asks = (name: string, weight: number, ask: Ask): WorldEvent =>
  foul(name, weight, isUp, ({ life }) => void life?.gateway.requests.ask(ask));

/** How a sending ends, and whether it arrives. */
const sendEnds = (
  name: string,
  weight: number,
  told: Told,
  arrives: (world: World) => boolean,
): WorldEvent => {
  const canHappen = ({ server }: World) => server.attempts.length > 0;
  const happen = (world: World) => {
    const attempt = world.random.pick(world.server.attempts);
    if (attempt !== undefined) world.server.end(attempt, told, arrives(world));
  };
  return told === 'well' ? fair(name, weight, canHappen, happen) : foul(name, weight, canHappen, happen);
};

const PEOPLE: readonly WorldEvent[] = [
  fair(
    'a person writes',
    10,
    () => true,
    ({ server, people }) => server.post(people.text('chat')),
  ),
  fair(
    'a person sends a command',
    5,
    () => true,
    ({ server, people }) => server.post(people.command('chat')),
  ),
  fair(
    'a person asks the gateway',
    1,
    () => true,
    ({ server, people }) => server.post(people.control('chat')),
  ),
  fair('somebody here writes', 4, isUp, ({ callers, people }) => {
    callers.push({ said: people.text('local'), life: null });
  }),
  fair('somebody here sends a command', 3, isUp, ({ callers, people }) => {
    callers.push({ said: people.command('local'), life: null });
  }),
  fair(
    'a caller is heard',
    20,
    (world) => isUp(world) && world.callers.some(({ life }) => life === null),
    (world) => {
      const caller = world.random.pick(world.callers.filter(({ life }) => life === null));
      if (caller !== undefined) world.call(caller);
    },
  ),
  fair(
    'the chat delivers',
    30,
    ({ server }) => server.deliverable.length > 0,
    (world) => {
      const post = world.random.pick(world.server.deliverable);
      if (post !== undefined) world.deliver(post);
    },
  ),
  foul(
    'a message comes again',
    1.5,
    ({ server }) => server.isLinked && server.posts.some((post) => post.wasHanded),
    (world) => {
      const known = world.server.posts.filter(({ handedBy, wasHanded }) => wasHanded && handedBy === null);
      const post = world.random.pick(known);
      if (post !== undefined) world.deliver(post);
    },
  ),
  foul('a person interrupts', 1, isUp, ({ server, people }) => server.post(people.interrupt())),
  foul('a person resumes', 2, isUp, ({ server, people }) => server.post(people.resume())),
];

const ORDERS: readonly WorldEvent[] = ['/restart', '/stop', '/drain', '/drain cancel', '/restart now'].map(
  (text) =>
    foul(`a person sends ${text}`, 0.4, isUp, ({ server, people }) => server.post(people.order(text))),
);

const local = { actor: 'local:owner' };
const signal = { actor: 'signal' };

const REQUESTS: readonly WorldEvent[] = [
  asks('a drain', 0.6, { intent: 'drain', cause: 'drain', ...local }),
  asks('the end of a drain', 1.5, { intent: 'cancel-drain', cause: 'drain', ...local }),
  asks('a restart', 0.5, { intent: 'restart', cause: 'restart', ...local }),
  asks('a stop', 0.3, { intent: 'stop', cause: 'stop', ...local }),
  asks('a hurried stop', 0.3, { intent: 'stop', cause: 'stop', hurry: true, ...local }),
  asks('SIGTERM', 0.3, { intent: 'stop', cause: 'SIGTERM', ...signal }),
  asks('SIGINT', 0.3, { intent: 'stop', cause: 'SIGINT', ...signal }),
  asks('SIGUSR1', 0.3, { intent: 'restart', cause: 'SIGUSR1', ...signal }),
];

/** Messages that nothing works on, as far as the disk tells: in the gateway one may be in hand by now. */
const idleMessages = ({ checker }: World) =>
  checker.records.openMessages.filter(({ phase }) => phase === 'held' || phase === 'waiting');

const OWNER: readonly WorldEvent[] = [
  foul(
    'a message is given up',
    3,
    (world) => isUp(world) && idleMessages(world).length > 0,
    (world) => {
      const message = world.random.pick(idleMessages(world));
      if (message !== undefined) world.giveUp(message.row);
    },
  ),
];

const STORE: readonly WorldEvent[] = [
  fair(
    'the store writes',
    40,
    ({ life }) => (life?.store.queued ?? 0) > 0,
    (world) => {
      const store = world.life?.store;
      store?.apply(world.random.between(1, store.queued));
    },
  ),
  fair(
    'the store tells',
    40,
    ({ life }) => (life?.store.untold ?? 0) > 0,
    (world) => {
      const store = world.life?.store;
      store?.tell(world.random.between(1, store.untold));
    },
  ),
  foul(
    'the disk is full',
    0.6,
    ({ disk }) => !disk.isFull,
    ({ disk }) => {
      disk.isFull = true;
    },
  ),
  fair(
    'the disk has room',
    4,
    ({ disk }) => disk.isFull,
    ({ disk }) => {
      disk.isFull = false;
    },
  ),
];

const hasTurn = ({ life }: World) => (life?.agent.turns.length ?? 0) > 0;
const hasProgram = ({ life }: World) => (life?.programs.running.length ?? 0) > 0;

const WORK: readonly WorldEvent[] = [
  fair('the agent says something', 12, hasTurn, (world) => {
    const { life, random } = world;
    const turn = random.pick(life?.agent.turns ?? []);
    const rest = random.chance(0.1) ? ` ${'and so on '.repeat(60)}` : '';
    if (turn !== undefined) life?.agent.says(turn, `answer ${turn.said + 1} to ${turn.key}.${rest}`);
  }),
  fair(
    'the agent answers',
    14,
    ({ life }) => life?.agent.turns.some(({ said }) => said > 0) ?? false,
    (world) => {
      const { life, random } = world;
      const turn = random.pick((life?.agent.turns ?? []).filter(({ said }) => said > 0));
      if (turn !== undefined) life?.agent.end(turn, turn.isToldToStop ? 'told to stop' : 'well');
    },
  ),
  fair(
    'the agent obeys',
    6,
    ({ life }) => life?.agent.turns.some((turn) => turn.isToldToStop) ?? false,
    (world) => {
      const turn = world.life?.agent.turns.find(({ isToldToStop }) => isToldToStop);
      if (turn !== undefined) world.life?.agent.end(turn, 'told to stop');
    },
  ),
  foul('the agent fails', 1, hasTurn, (world) => {
    const turn = world.random.pick(
      (world.life?.agent.turns ?? []).filter(({ isToldToStop }) => !isToldToStop),
    );
    if (turn !== undefined) world.life?.agent.end(turn, 'failed');
  }),
  foul(
    'the agent goes away',
    0.3,
    ({ life }) => life?.agent.isThere === true,
    ({ life }) => {
      if (life !== undefined) life.agent.isThere = false;
    },
  ),
  fair(
    'the agent comes back',
    3,
    ({ life }) => life?.agent.isThere === false,
    ({ life }) => {
      if (life !== undefined) life.agent.isThere = true;
    },
  ),
  fair('a program ends', 12, hasProgram, ({ life, random }) =>
    random.pick(life?.programs.running ?? [])?.exit(0),
  ),
  foul('a program fails', 2, hasProgram, ({ life, random }) =>
    random.pick(life?.programs.running ?? [])?.exit(1),
  ),
];

const CHAT: readonly WorldEvent[] = [
  fair(
    'the chat connects',
    20,
    ({ server }) => server.connecting !== undefined,
    ({ server }) => server.connected(),
  ),
  foul(
    'the chat is not there',
    2,
    ({ server }) => server.connecting !== undefined,
    ({ server }) => server.refused(),
  ),
  foul(
    'the link is lost',
    0.8,
    ({ server }) => server.isLinked,
    ({ server }) => server.lost(),
  ),
  sendEnds('a reply arrives', 25, 'well', () => true),
  sendEnds('a reply is not sent', 1, 'not-sent', () => false),
  sendEnds('a sending is cut', 1.5, 'unknown', ({ random }) => random.chance(0.5)),
  sendEnds('the chat wants to wait', 0.7, 'wait', () => false),
  sendEnds('a format is refused', 0.5, 'format', () => false),
  sendEnds('a conversation is gone', 0.2, 'gone', () => false),
];

const TIME: readonly WorldEvent[] = [
  fair(
    'a moment passes',
    12,
    () => true,
    (world) => world.pass(world.random.between(1, 40)),
  ),
  fair(
    'some seconds pass',
    4,
    () => true,
    (world) => world.pass(world.random.between(500, 4000)),
  ),
  foul(
    'much time passes',
    0.6,
    () => true,
    (world) => world.pass(world.random.between(10_000, 65_000)),
  ),
  foul(
    'the wall clock is set forward',
    0.2,
    () => true,
    ({ clock, random }) => {
      clock.set(random.between(1000, 7_200_000));
    },
  ),
  foul(
    'the wall clock is set back',
    0.2,
    () => true,
    ({ clock, random }) => {
      clock.set(-random.between(1000, 600_000));
    },
  ),
];

const LIVES: readonly WorldEvent[] = [
  fair(
    'the gateway is started',
    40,
    (world) => world.life === undefined,
    (world) => world.boot(),
  ),
  fair(
    'the gateway stays away',
    5,
    (world) => world.life === undefined,
    (world) => {
      return world.clock.advance(world.random.between(1000, world.random.chance(0.1) ? 7_200_000 : 30_000));
    },
  ),
  {
    ...{ name: 'the gateway is killed', weight: 0.7, isFair: false, canHappen: isUp },
    happen: ({ life }) => life?.mortal.die('any moment'),
  },
  {
    ...{ name: 'the gateway will be killed', weight: 1, isFair: false, canHappen: isUp },
    happen: ({ life, random }) => life?.mortal.doom(random.between(1, 12), random.chance(0.5)),
  },
];

export const EVENTS: readonly WorldEvent[] = [
  ...PEOPLE,
  ...ORDERS,
  ...REQUESTS,
  ...OWNER,
  ...STORE,
  ...WORK,
  ...CHAT,
  ...TIME,
  ...LIVES,
];
