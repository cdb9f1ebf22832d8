/**
 * Plays a chapter: one gateway after the other in the same home, each of them written to, troubled and ended as its round
 * says, then a last one that nothing happens to, which runs until nothing is left to do.
 */
import { systemClock } from '../../src/clock.ts';
import { TestGateway } from '../support/gateway.ts';
import { CommandLines } from './beside.ts';
import { ORDERS, type Orders } from './inside/orders.ts';
import type { PlantedBug } from './inside/planted-bugs.ts';
import { Trace } from './inside/trace.ts';
import { People } from './people.ts';
import { type ChapterRecord, type Ended, outagesIn, readRows } from './record.ts';
import type { Chapter, Round } from './round.ts';
import { Troubles } from './troubles.ts';
import { World } from './world.ts';

export interface PlayOptions {
  /** The program of the gateways. */
  readonly entry: string;
  readonly planted?: PlantedBug;
  readonly onEnded?: (ended: Ended) => void;
}

/** A life that does not come to its point is killed so long after its link stands. */
const POINT_MS_MAX = 1200;

/** The same, where it has to leave first, or a turn has to run for long. */
const LATE_POINT_MS_MAX = 2500;

/** A life that has no link by then is killed. */
const LINK_MS_MAX = 6000;

/** How long a life may take to leave by itself: more than its deadlines together. */
const LEAVING_MS_MAX = 20_000;

/** How long the last life may take until nothing is left to do. */
const IDLE_MS_MAX = 30_000;

/** Between two looks whether it is. */
const LOOK_MS = 40;

/** What nobody waits for any more, and nothing that waits for a person. */
const LEFT_TO_DO = `SELECT 'message ' || platform_message_id || ' ' || phase AS what
    FROM inbox WHERE outcome IS NULL AND phase <> 'awaiting-resume'
  UNION ALL SELECT 'reply ' || id || ' ' || state FROM outbox WHERE state NOT IN ('delivered', 'dead')
  UNION ALL SELECT 'turn ' || id FROM turns WHERE ended_at IS NULL
  UNION ALL SELECT 'command ' || id FROM commands WHERE ended_at IS NULL
  UNION ALL SELECT 'notice ' || conversation || ' ' || kind FROM notices WHERE state = 'pending'`;

export async function playChapter(chapter: Chapter, options: PlayOptions): Promise<ChapterRecord> {
  await using world = await World.open(chapter);
  const player = new Player(chapter, world, options);
  for (const round of chapter.rounds) await player.play(round);
  await player.playLast();
  return player.record();
}

class Player {
  readonly #chapter: Chapter;
  readonly #world: World;
  readonly #options: PlayOptions;
  readonly #people: People;
  readonly #ended: Ended[] = [];
  readonly #beside: CommandLines;
  readonly #troubles: Troubles;
  readonly #odd: string[] = [];

  constructor(chapter: Chapter, world: World, options: PlayOptions) {
    this.#chapter = chapter;
    this.#world = world;
    this.#options = options;
    this.#people = new People(world);
    this.#beside = new CommandLines(world, options.entry);
    this.#troubles = new Troubles(world);
  }

  async play(round: Round): Promise<void> {
    const { number, lines, end, clock } = round;
    this.#people.round = number;
    new Trace(this.#world.trace).note({ what: 'round', round: number });
    for (const line of lines) if (line.atMs === undefined) this.#people.write(line, number);
    this.#world.configure(round.server);
    if (round.beside !== undefined) await this.#beside.start(round.beside.id);
    if (clock !== undefined) this.#troubles.count('clock off');
    const startedAtMs = performance.now();
    const life = await this.#start({
      ...(end.how === 'point' ? { die: { point: end.point, hit: end.hit } } : {}),
      ...(clock === undefined ? {} : { clock }),
    });
    const over = new AbortController();
    const gone = life.exited.then(() => over.abort());
    const script = this.#script(life, round, over.signal).catch((error: unknown) => this.#note(round, error));
    await Promise.all([gone, script]);
    if (round.beside !== undefined) this.#beside.letGo(round.beside.id);
    this.#noteEnd(round, life, startedAtMs, await life.exited);
  }

  /** Nothing goes wrong in this one. */
  async playLast(): Promise<void> {
    const { sendsOnce } = this.#chapter;
    await this.#troubles.over(new Set(this.#people.written.map(({ key }) => key)));
    this.#world.configure(sendsOnce ? { sendsOnce } : {});
    const life = await this.#start({});
    try {
      await life.ready();
      for (const { conversation } of this.#rows<{ conversation: string }>(QUARANTINED)) {
        const [platform, name = ''] = conversation.split(':');
        const through = platform === 'local' ? 'socket' : 'platform';
        this.#people.askToResume(name, this.#chapter.rounds.length, through);
      }
      await this.#people.handAgain();
      await this.#beside.ended();
      if (!(await this.#idle(life)))
        this.#odd.push(`the last life was not done in time: ${this.#leftToDo().join(', ')}`);
      await this.#people.askOutcomes();
    } catch (error) {
      this.#odd.push(`the last life: ${error instanceof Error ? error.message : String(error)}`);
    }
    life.signal('SIGTERM');
    const { code, signal } = await this.#left(life);
    if (signal !== null || (code !== 0 && code !== 1))
      this.#odd.push(`the last life left with ${code ?? signal}`);
  }

  async record(): Promise<ChapterRecord> {
    const { seed, number, resume } = this.#chapter;
    return {
      ...{ seed, number, resume, written: this.#people.written, ended: this.#ended, odd: this.#odd },
      beside: await this.#beside.ended(),
      troubles: this.#troubles.counts,
      outages: [...this.#troubles.outages, ...outagesIn(this.#world.noted)],
      ...{ effects: this.#world.effects, trace: this.#world.noted, arrivals: this.#world.server.arrivals },
      tooEarly: this.#world.server.tooEarly,
      rows: readRows((sql) => this.#world.rows(sql)),
    };
  }

  async #start(orders: Omit<Orders, 'trace' | 'planted'>): Promise<TestGateway> {
    const { entry, planted } = this.#options;
    const all: Orders = {
      ...{ trace: this.#world.trace, ...orders },
      ...(planted === undefined ? {} : { planted }),
    };
    const env = { [ORDERS]: JSON.stringify(all) };
    return TestGateway.start({ entry, folder: this.#world.folder, early: true, env });
  }

  /** All that happens to a life, until it is gone. */
  async #script(life: TestGateway, round: Round, over: AbortSignal): Promise<void> {
    const { end, lines, troubles, requests, resumes, number } = round;
    if (end.how === 'kill' && end.from === 'spawn') {
      await systemClock.delay(end.afterMs, over);
      life.signal('SIGKILL');
      return;
    }
    await this.#linked(life, over);
    if (over.aborted) return;
    const linkedMs = performance.now();
    if (round.beside !== undefined) this.#beside.letGo(round.beside.id);
    void this.#people.handAgain();
    this.#people.resume(resumes, number);
    const at = async (atMs: number, act: () => Promise<void> | void): Promise<void> => {
      await systemClock.delay(linkedMs + atMs - performance.now(), over);
      if (!over.aborted) await act();
    };
    const timed = lines.filter((line) => line.atMs !== undefined);
    await Promise.all([
      ...timed.map((line) => at(line.atMs ?? 0, () => this.#people.write(line, number))),
      ...troubles.map(({ atMs, one }) => at(atMs, () => this.#troubles.make(one, number, life, over))),
      ...requests.map(({ atMs, one }) => at(atMs, () => this.#troubles.request(one, life))),
      this.#end(life, round, over),
    ]);
  }

  async #linked(life: TestGateway, over: AbortSignal): Promise<void> {
    const { server } = this.#world;
    const before = server.links;
    const late = systemClock.delay(LINK_MS_MAX, over);
    await Promise.race([server.until(() => server.links > before, 'a link').catch(() => {}), late]);
    if (server.links > before || over.aborted) return;
    life.signal('SIGCONT');
    life.signal('SIGKILL');
  }

  async #end(life: TestGateway, { end, requests, number, lines }: Round, over: AbortSignal): Promise<void> {
    if (end.how === 'leaves') {
      if (requests.length === 0) {
        // Whoever is still to write is waited for: nobody is turned away in a life that nothing happens to.
        await systemClock.delay(Math.max(0, ...lines.map(({ atMs = 0 }) => atMs)) + LOOK_MS, over);
        if (!(await this.#idle(life)))
          this.#odd.push(`round ${number}: it was not done in time: ${this.#leftToDo().join(', ')}`);
        life.signal('SIGTERM');
      }
      await this.#left(life);
      return;
    }
    const isLate = requests.length > 0 || (end.how === 'point' && end.point.includes('progress'));
    const limitMs = isLate ? LATE_POINT_MS_MAX : POINT_MS_MAX;
    await systemClock.delay(end.how === 'kill' ? end.afterMs : limitMs, over);
    if (life.alive) life.signal('SIGKILL');
  }

  /** True once nothing is left to do; false when that takes too long, or the life is over. */
  async #idle(life: TestGateway): Promise<boolean> {
    const limitMs = performance.now() + IDLE_MS_MAX;
    while (performance.now() < limitMs && life.alive) {
      if (this.#leftToDo().length === 0) return true;
      await this.#people.handAgain();
      await systemClock.delay(LOOK_MS);
    }
    return false;
  }

  #leftToDo(): string[] {
    const rows = this.#rows<{ what: string }>(LEFT_TO_DO).map(({ what }) => what);
    return [...this.#people.unanswered.map(({ id }) => `${id} is not acknowledged`), ...rows];
  }

  async #left(life: TestGateway): Promise<{ code: number | null; signal: string | null }> {
    const late = new AbortController();
    const kill = systemClock.delay(LEAVING_MS_MAX, late.signal).then(() => {
      if (late.signal.aborted || !life.alive) return;
      this.#odd.push(`a life that was asked to leave did not: ${lastWords(life)}`);
      life.signal('SIGKILL');
    });
    const left = await life.exited;
    late.abort();
    await kill;
    return left;
  }

  #noteEnd(
    round: Round,
    life: TestGateway,
    startedAtMs: number,
    exit: { code: number | null; signal: string | null },
  ) {
    const { end, number, requests } = round;
    const last = this.#world.noted.at(-1);
    const isPoint = end.how === 'point' && last?.what === 'point' && last.point === end.point;
    const how = exit.signal === null ? 'left' : isPoint ? 'killed at a point' : 'killed';
    const ended: Ended = {
      ...{ round: number, how, code: exit.code, startedAtMs, endedAtMs: performance.now() },
      wasAsked: requests.length > 0 || end.how === 'leaves',
      ...(isPoint ? { point: end.point } : {}),
    };
    this.#ended.push(ended);
    const isAsked = requests.length > 0 || end.how === 'leaves';
    const isWell = exit.signal === 'SIGKILL' || (isAsked && (exit.code === 0 || exit.code === 1));
    if (!isWell) {
      this.#odd.push(`round ${number}: a life left with ${exit.code ?? exit.signal}: ${lastWords(life)}`);
    }
    for (const line of life.lines) {
      if (line.level >= LEVEL_ERROR && !isExpected(line.msg))
        this.#odd.push(`round ${number}: the log says ${JSON.stringify(line)}`);
    }
    this.#options.onEnded?.(ended);
  }

  #note({ number }: Round, error: unknown): void {
    this.#odd.push(
      `round ${number}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }

  #rows<T>(sql: string): T[] {
    return this.#world.hasStore ? (this.#world.rows(sql) as T[]) : [];
  }
}

const QUARANTINED = 'SELECT conversation FROM sessions WHERE quarantined = 1';

/** What a log calls an error. */
const LEVEL_ERROR = 50;

/** An outage of the store is what the suite makes. */
const isExpected = (message: string): boolean => message.startsWith('the store cannot be written');

const lastWords = (life: TestGateway): string => life.stderr.slice(-600);
