/** Links of platforms on a clock that is given: each lives by itself, and comes back by itself unless it is refused. */
import { expect, test } from 'vitest';
import { CONNECT_MS_MAX, Connections } from '../../src/gateway/connections.ts';
import { CONNECT_ATTEMPT_MS_MAX, LINK_STABLE_MS } from '../../src/gateway/link.ts';
import { RECONNECT_WAIT_MS_MAX, reconnectWaitMs } from '../../src/gateway/reconnect-policy.ts';
import type { Inbound } from '../../src/messages/inbound.ts';
import { LinkFailure, type Platform, type PlatformContext } from '../../src/platforms/platform.ts';
import { FakeClock, settled } from '../support/fake-clock.ts';
import { keptLog } from '../support/gateway-core.ts';

/** What becomes of an attempt: it connects, fails with this, hangs until it is aborted, or hears of nothing. */
type End = 'connects' | 'hangs' | 'deaf' | Error;

/** A platform whose attempts end as they are told to: in order, and the last for all that follow. */
class ScriptedPlatform implements Platform {
  readonly name: string;
  readonly attempts: { context: PlatformContext; signal: AbortSignal; atMs: number }[] = [];
  /** What it was asked besides, in order. */
  readonly asked: string[] = [];
  readonly #clock: FakeClock;
  readonly #ends: End[];

  constructor(name: string, clock: FakeClock, ...ends: End[]) {
    this.name = name;
    this.#clock = clock;
    this.#ends = ends;
  }

  async start(context: PlatformContext, signal: AbortSignal): Promise<void> {
    const end = this.#ends[Math.min(this.attempts.length, this.#ends.length - 1)];
    this.attempts.push({ context, signal, atMs: this.#clock.monotonicMs() });
    if (end instanceof Error) throw end;
    if (end === 'deaf') await new Promise(() => {});
    if (end !== 'hangs') return;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  }

  /** The context of the last attempt. */
  get context(): PlatformContext {
    const last = this.attempts.at(-1);
    if (last === undefined) throw new Error(`${this.name} was not started`);
    return last.context;
  }

  async send(): Promise<void> {}

  async stopReceiving(): Promise<void> {
    this.asked.push('stopReceiving');
  }

  async stop(): Promise<void> {
    this.asked.push('stop');
  }
}

const away = () => new LinkFailure('unreachable', 'no route to the server');
const refused = () => new LinkFailure('auth', 'the token is not valid');
const unending = (): AbortSignal => new AbortController().signal;

/** With chance 1 each wait is as long as it may be: 1 s, 2 s, 4 s … */
function connectionsOf(make: (clock: FakeClock) => readonly ScriptedPlatform[], chance = 1) {
  const clock = new FakeClock();
  const platforms = make(clock);
  const said: string[] = [];
  const received: string[] = [];
  const { log, lines } = keptLog();
  const connections = new Connections({
    clock,
    log,
    platforms,
    receive: async ({ text }) => {
      received.push(text);
      return { reason: null } as Awaited<ReturnType<ConstructorParameters<typeof Connections>[0]['receive']>>;
    },
    random: () => chance,
    up: (name) => said.push(`${name} up`),
    down: (name, reason) => said.push(`${name} down: ${reason}`),
    changed: () => {},
  });
  const stateOf = (name: string) => connections.links.find((link) => link.name === name)?.state;
  const linesOf = (level: number) => lines.filter((line) => line.level === level).map(({ msg }) => msg);
  return { clock, connections, platforms, said, received, lines, stateOf, linesOf };
}

function oneOf(...ends: End[]) {
  const ground = connectionsOf((clock) => [new ScriptedPlatform('chat', clock, ...ends)]);
  const [platform] = ground.platforms;
  if (platform === undefined) throw new Error('there is one');
  const attemptsAt = () => platform.attempts.map(({ atMs }) => atMs);
  return { ...ground, platform, attemptsAt, state: () => ground.stateOf('chat') };
}

const inbound = (text: string): Inbound => ({
  platform: 'chat',
  platformMessageId: text,
  conversation: 'chat:1',
  sender: 'chat:ann',
  text,
  receivedAt: 0,
});

test('a platform that hangs delays no other, and the start no longer than its limit', async () => {
  const { clock, connections, stateOf } = connectionsOf((clock) => [
    new ScriptedPlatform('hung', clock, 'hangs'),
    new ScriptedPlatform('well', clock, 'connects'),
  ]);
  let isOver = false;
  const started = connections.start(unending()).then(() => (isOver = true));
  await settled();
  expect([stateOf('hung'), stateOf('well')]).toEqual(['connecting', 'connected']);
  await clock.advance(CONNECT_MS_MAX - 1);
  expect(isOver).toBe(false);
  await clock.advance(1);
  await started;
  expect(stateOf('hung')).toBe('connecting');
});

test.each([
  ['connected', 'connects'],
  ['backing-off', away()],
  ['parked', refused()],
] as const)('a start waits no longer for a platform that is %s', async (state, end) => {
  const { connections, clock, stateOf } = oneOf(end);
  await connections.start(unending());
  expect([stateOf('chat'), clock.monotonicMs()]).toEqual([state, 0]);
});

test('a start that is overtaken waits for nobody, and what connects later is used', async () => {
  const { connections, platform, stateOf, clock, said } = oneOf('hangs', 'connects');
  const abort = new AbortController();
  const started = connections.start(abort.signal);
  abort.abort();
  await started;
  expect(stateOf('chat')).toBe('connecting');
  await clock.advance(CONNECT_ATTEMPT_MS_MAX + 1000);
  expect(platform.attempts).toHaveLength(2);
  expect(said).toEqual(['chat up']);
});

test('an attempt that hangs is given up at its limit, and tried again', async () => {
  const { connections, platform, clock, attemptsAt, state } = oneOf('hangs', 'connects');
  void connections.start(unending());
  await clock.advance(CONNECT_ATTEMPT_MS_MAX);
  expect([state(), platform.attempts[0]?.signal.aborted]).toEqual(['backing-off', true]);
  expect(connections.links).toMatchObject([{ reason: 'it did not connect within 30 s' }]);
  await clock.advance(1000);
  expect(attemptsAt()).toEqual([0, CONNECT_ATTEMPT_MS_MAX + 1000]);
  expect(connections.links).toMatchObject([{ state: 'connected', reason: null }]);
});

test('waits between attempts double up to their limit, and an attempt that works ends them', async () => {
  const failures = Array.from({ length: 9 }, away);
  const { connections, clock, attemptsAt, state, said } = oneOf(...failures, 'connects');
  await connections.start(unending());
  await clock.advance(600_000);
  const waits = attemptsAt().map((atMs, at, all) => atMs - (all[at - 1] ?? 0));
  expect(waits).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect([state(), said]).toEqual(['connected', ['chat up']]);
});

test('chance spreads a wait over the upper half of what it may be', () => {
  expect([1, 2, 7, 8, 40, 5000].map((failures) => reconnectWaitMs(failures, 1))).toEqual([
    1000, 2000, 60_000, 60_000, 60_000, 60_000,
  ]);
  expect([1, 2, 7].map((failures) => reconnectWaitMs(failures, 0))).toEqual([500, 1000, 30_000]);
  expect(reconnectWaitMs(3, 0.5)).toBe(3000);
  expect(RECONNECT_WAIT_MS_MAX).toBe(60_000);
});

test('a link that is lost comes back by itself, and senders hear of both', async () => {
  const { connections, platform, clock, said, state } = oneOf('connects');
  await connections.start(unending());
  platform.context.lost(new LinkFailure('unreachable', 'cut'));
  expect([state(), connections.isUp('chat')]).toEqual(['backing-off', false]);
  await clock.advance(1000);
  expect([state(), connections.isUp('chat')]).toEqual(['connected', true]);
  expect(said).toEqual(['chat up', 'chat down: cut', 'chat up']);
});

test('a loss that is said twice, or of an earlier link, is one loss', async () => {
  const { connections, platform, clock, said, attemptsAt, state } = oneOf('connects');
  await connections.start(unending());
  const first = platform.context;
  first.lost(away());
  first.lost(away());
  await clock.advance(1000);
  first.lost(away());
  await clock.advance(LINK_STABLE_MS);
  expect([state(), attemptsAt()]).toEqual(['connected', [0, 1000]]);
  expect(said).toEqual(['chat up', 'chat down: no route to the server', 'chat up']);
});

test('a link that is lost again at once waits longer each time, one that has held for long does not', async () => {
  const { connections, platform, clock, attemptsAt } = oneOf('connects');
  await connections.start(unending());
  platform.context.lost(away());
  await clock.advance(1000);
  platform.context.lost(away());
  await clock.advance(2000);
  expect(attemptsAt()).toEqual([0, 1000, 3000]);
  await clock.advance(LINK_STABLE_MS);
  platform.context.lost(away());
  await clock.advance(1000);
  expect(attemptsAt().at(-1)).toBe(3000 + LINK_STABLE_MS + 1000);
});

test('what an attempt says after it was given up changes nothing', async () => {
  const { connections, platform, clock, state } = oneOf('connects');
  const late = Promise.withResolvers<void>();
  platform.start = async (context, signal) => {
    platform.attempts.push({ context, signal, atMs: clock.monotonicMs() });
    // The first one hears of no abort, and connects when nobody waits for it any more.
    await (platform.attempts.length === 1 ? late.promise : new Promise(() => {}));
  };
  void connections.start(unending());
  await clock.advance(CONNECT_ATTEMPT_MS_MAX + 1000);
  expect(platform.attempts).toHaveLength(2);
  late.resolve();
  await settled();
  platform.attempts[0]?.context.lost(away());
  expect([state(), connections.isUp('chat')]).toEqual(['connecting', false]);
});

test('a platform that refuses us is parked with its reason: not tried again, said once, others untouched', async () => {
  const { clock, connections, platforms, lines, stateOf } = connectionsOf((clock) => [
    new ScriptedPlatform('chat', clock, refused()),
    new ScriptedPlatform('well', clock, 'connects'),
  ]);
  await connections.start(unending());
  await clock.advance(24 * 3_600_000);
  expect(platforms.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
  expect(connections.parked).toEqual(['chat']);
  expect(connections.links).toMatchObject([
    { name: 'chat', state: 'parked', reason: 'the token is not valid' },
    { name: 'well', state: 'connected', reason: null },
  ]);
  expect(stateOf('well')).toBe('connected');
  const said = lines.filter(({ platform, level }) => platform === 'chat' && Number(level) >= 40);
  expect(said.map(({ msg }) => msg)).toEqual([
    'chat is parked: the token is not valid; change its keys in the configuration and reload, or restart the gateway, to try again',
  ]);
});

test('a link that is there can be refused, too: its token was taken away', async () => {
  const { connections, platform, said, state } = oneOf('connects');
  await connections.start(unending());
  platform.context.lost(refused());
  expect([state(), said.at(-1)]).toEqual(['parked', 'chat down: the token is not valid']);
});

test('a parked platform that is made anew is tried at once; one that is not parked keeps what it has', async () => {
  const { connections, platform, clock, state } = oneOf(refused());
  await connections.start(unending());
  const anew = new ScriptedPlatform('chat', clock, 'connects');
  connections.replace(anew);
  await settled();
  expect([state(), platform.asked, connections.platform('chat')]).toEqual(['connected', ['stop'], anew]);
  connections.replace(new ScriptedPlatform('chat', clock, 'connects'));
  connections.replace(new ScriptedPlatform('other', clock, 'connects'));
  expect([connections.platform('chat'), connections.platform('other')]).toEqual([anew, undefined]);
});

test('a server that stays away is a line when it goes, not one each time it is tried', async () => {
  const { connections, clock, linesOf, platform } = oneOf(away(), away(), away(), 'connects');
  await connections.start(unending());
  await clock.advance(60_000);
  expect(platform.attempts).toHaveLength(4);
  expect(linesOf(40)).toEqual(['chat is backing-off: no route to the server']);
  expect(linesOf(30)).toEqual(['chat is connecting', 'chat is connected']);
});

test('what comes in during an attempt can be answered, and is a sign of life', async () => {
  const { connections, platform, clock, said, received, state } = oneOf('hangs');
  void connections.start(unending());
  await clock.advance(500);
  await platform.context.receive(inbound('hello'));
  await platform.context.receive(inbound('again'));
  expect([said, state()]).toEqual([['chat up'], 'connecting']);
  expect(received).toEqual(['hello', 'again']);
  expect(connections.links).toMatchObject([{ lastEventAt: clock.wallMs() }]);
  await clock.advance(CONNECT_ATTEMPT_MS_MAX);
  expect(said).toEqual(['chat up', 'chat down: it did not connect within 30 s']);
});

test('a link that was answered through before it was made is said to be up once', async () => {
  const { connections, platform, clock, said, state } = oneOf('connects');
  const made = Promise.withResolvers<void>();
  platform.start = (context, signal) => {
    platform.attempts.push({ context, signal, atMs: clock.monotonicMs() });
    return made.promise;
  };
  const started = connections.start(unending());
  await platform.context.receive(inbound('hello'));
  expect([said, state()]).toEqual([['chat up'], 'connecting']);
  made.resolve();
  await started;
  expect([said, state()]).toEqual([['chat up'], 'connected']);
});

test('a gateway that closes makes no new attempt, and keeps the link it has', async () => {
  const { clock, connections, platforms, stateOf } = connectionsOf((clock) => [
    new ScriptedPlatform('away', clock, away()),
    new ScriptedPlatform('well', clock, 'connects'),
  ]);
  await connections.start(unending());
  await connections.stopReceiving();
  expect([connections.isUp('well'), stateOf('well')]).toEqual([true, 'connected']);
  platforms[1]?.context.lost(away());
  await clock.advance(3_600_000);
  expect(platforms.map(({ attempts }) => attempts.length)).toEqual([1, 1]);
  expect(connections.isUp('well')).toBe(false);
});

test('stopping ends attempts and waits, whatever a link is doing, and leaves no clock behind', async () => {
  const { clock, connections, platforms } = connectionsOf((clock) => [
    new ScriptedPlatform('hung', clock, 'hangs'),
    new ScriptedPlatform('deaf', clock, 'deaf'),
    new ScriptedPlatform('away', clock, away()),
    new ScriptedPlatform('refused', clock, refused()),
    new ScriptedPlatform('well', clock, 'connects'),
  ]);
  const abort = new AbortController();
  const started = connections.start(abort.signal);
  await settled();
  abort.abort();
  await started;
  await connections.stop();
  expect(platforms.map(({ asked }) => asked)).toEqual(platforms.map(() => ['stop']));
  expect(platforms[0]?.attempts[0]?.signal.aborted).toBe(true);
  await settled();
  expect(clock.pending).toBe(0);
});

test('what hears of a link and fails takes nothing from it', async () => {
  const clock = new FakeClock();
  const { log, lines } = keptLog();
  const platform = new ScriptedPlatform('chat', clock, 'connects');
  const broken = () => {
    throw new Error('a defect');
  };
  const options = { clock, log, platforms: [platform], receive: broken, random: () => 0 };
  const connections = new Connections({ ...options, up: broken, down: broken, changed: () => {} });
  await connections.start(unending());
  platform.context.lost(away());
  await clock.advance(500);
  expect(connections.links).toMatchObject([{ state: 'connected' }]);
  expect(lines.filter(({ msg }) => msg === 'an effect of a link failed')).toHaveLength(3);
});
