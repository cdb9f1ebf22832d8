/**
 * What any agent must do, whatever answers behind it. Called by the test of each implementation with ground on which
 * what answers does what the test says, over the real connection: a process, or a server.
 */
import { expect, test } from 'vitest';
import { type Agent, AgentFailure, type ProbeEvidence } from '../../src/agents/agent.ts';
import { newTurnId, TurnReader } from '../support/turn-reader.ts';

/** What answers one turn, at the other end. */
export interface Answerer {
  /** The message of the turn, as it arrived. */
  readonly question: string;
  say(text: string): void;
  /** Ends the answer well. */
  end(): void;
  /** Ends it as a failure of its own. */
  fail(): void;
  /** Resolves when it is gone: nothing of the turn goes on. */
  readonly gone: Promise<unknown>;
}

export interface AgentGround extends AsyncDisposable {
  /** Its name is `contract`. */
  readonly agent: Agent;
  /** What a probe of it shows that finds nothing wrong. */
  readonly probeShows: ProbeEvidence;
  /** The one who answers the turn with this number, from 0, once it has begun. */
  answerer(number: number): Promise<Answerer>;
  readonly turnsBegun: number;
  /** From now on nothing answers. */
  breakDown(): Promise<void>;
}

/** Declares the tests. `prepare` gives fresh ground; disposing of it leaves nothing. */
export function agentContract(prepare: () => Promise<AgentGround>): void {
  answers(prepare);
  endings(prepare);
  failures(prepare);
}

function answers(prepare: () => Promise<AgentGround>): void {
  test('hears the message as it was written, and is heard as it speaks', async () => {
    await using ground = await prepare();
    const message = 'Grüße, 世界 👋\n\n  "two" lines\n';
    const turn = new TurnReader(ground.agent, message);
    const answerer = await ground.answerer(0);
    expect(answerer.question).toBe(message);
    answerer.say('Grüße');
    await turn.said('Grüße');
    answerer.say(', 世界 👋');
    await turn.said('Grüße, 世界 👋');
    answerer.end();
    expect(await turn.over).toBeUndefined();
    expect(turn.text).toBe('Grüße, 世界 👋');
    await answerer.gone;
  });

  test('answers two turns side by side; the end of one is not the end of the other', async () => {
    await using ground = await prepare();
    const first = new TurnReader(ground.agent, 'first', 'local:a');
    const one = await ground.answerer(0);
    const second = new TurnReader(ground.agent, 'second', 'local:b');
    const two = await ground.answerer(1);
    expect([one.question, two.question]).toEqual(['first', 'second']);
    two.say('2');
    await second.said('2');
    await first.abort();
    await one.gone;
    two.say('!');
    two.end();
    expect(await second.over).toBeUndefined();
    expect([first.text, second.text]).toEqual(['', '2!']);
  });
}

function endings(prepare: () => Promise<AgentGround>): void {
  test('aborted before its first word, it ends, and so does what answers', async () => {
    await using ground = await prepare();
    const turn = new TurnReader(ground.agent, 'hello');
    const answerer = await ground.answerer(0);
    await turn.abort();
    await answerer.gone;
    expect(turn.text).toBe('');
  });

  test('aborted in the middle, it ends, and what it had said stays', async () => {
    await using ground = await prepare();
    const turn = new TurnReader(ground.agent, 'hello');
    const answerer = await ground.answerer(0);
    answerer.say('so far');
    await turn.said('so far');
    await turn.abort();
    await answerer.gone;
    expect(turn.text).toBe('so far');
  });

  test('killed, it ends without grace', async () => {
    await using ground = await prepare();
    const turn = new TurnReader(ground.agent, 'hello');
    const answerer = await ground.answerer(0);
    ground.agent.killNow('t_unknown');
    answerer.say('still there');
    await turn.said('still there');
    ground.agent.killNow(turn.id);
    await Promise.all([turn.over, answerer.gone]);
  });

  test('ends what it started when nobody reads on', async () => {
    await using ground = await prepare();
    const input = { turnId: newTurnId(), conversation: 'local:default', text: 'hello' };
    const events = ground.agent.runTurn(input, { signal: new AbortController().signal });
    const reader = events[Symbol.asyncIterator]();
    const first = reader.next();
    const answerer = await ground.answerer(0);
    answerer.say('one');
    expect(await first).toEqual({ done: false, value: { type: 'text', text: 'one' } });
    await reader.return?.();
    await answerer.gone;
  });
}

function failures(prepare: () => Promise<AgentGround>): void {
  test('what fails keeps what it had said, and says who failed and what to do now', async () => {
    await using ground = await prepare();
    const turn = new TurnReader(ground.agent, 'hello');
    const answerer = await ground.answerer(0);
    answerer.say('half');
    await turn.said('half');
    answerer.fail();
    const error = await turn.over;
    expect(error).toBeInstanceOf(AgentFailure);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^the agent contract /),
      next: expect.stringMatching(/^[A-Z].*\.$/),
      backend: true,
    });
    expect(turn.text).toBe('half');
  });

  test('a probe costs no turn, and tells whether a turn could be answered', async () => {
    await using ground = await prepare();
    const { signal } = new AbortController();
    expect(await ground.agent.probe({ signal })).toBe(ground.probeShows);
    expect(ground.turnsBegun).toBe(0);
    await ground.breakDown();
    const failed = {
      name: 'AgentFailure',
      message: expect.stringContaining('the agent contract'),
      backend: true,
    };
    await expect(ground.agent.probe({ signal })).rejects.toMatchObject(failed);
    const turn = new TurnReader(ground.agent, 'hello');
    expect(await turn.over).toMatchObject(failed);
    expect(ground.turnsBegun).toBe(0);
  });
}
