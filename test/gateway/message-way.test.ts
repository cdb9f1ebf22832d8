/** One message's way as a person reads it: the steps in order, and why it was not simply taken. */
import { describe, expect, test } from 'vitest';
import { type MessageWay, wayOf } from '../../src/gateway/message-way.ts';
import type { JournalRow } from '../../src/store/records.ts';
import type { MessageTrail } from '../../src/store/trail.ts';

const MESSAGE: MessageTrail['message'] = {
  id: 'm1',
  platform: 'telegram',
  platformMessageId: '55',
  conversation: 'telegram:7',
  sender: 'telegram:7',
  kind: 'turn',
  text: 'hello',
  agent: 'default',
  whenBusy: 'interrupt',
  receivedAt: 1_000,
  life: 1,
  epoch: 3,
  admission: 'dispatch',
  reason: null,
  phase: 'settled',
  outcome: 'answered',
  settledAt: 2_000,
  recorded: true,
  rewrittenText: null,
  mergedInto: null,
};

const CONTEXT = { request: null, failure: null, degraded: [], turns: 0, commands: 0 };

const row = (number: number, at: number, state: string, type = 'message.turn', context = {}): JournalRow => ({
  epoch: 3,
  number,
  at,
  event: JSON.stringify({ type, id: 'm1' }),
  state,
  context: JSON.stringify({ ...CONTEXT, ...context }),
});

const restart = { intent: 'restart', cause: 'restart', actor: 'telegram:1' };

interface Told extends Partial<Omit<MessageTrail, 'message'>> {
  readonly message?: Partial<MessageTrail['message']>;
}

function way({ message, ...more }: Told): MessageWay {
  return wayOf({
    message: { ...MESSAGE, ...message },
    life: { id: 1, kind: 'daemon', epoch: 3, pid: 4711, version: '0.1.0', startedAt: 0, exit: null },
    ...{ turns: [], commands: [], replies: [], journal: [], before: null, request: null, opened: null },
    ...more,
  });
}

const stepsOf = ({ steps }: MessageWay) => steps.map(({ at, what, detail }) => `${at} ${what}: ${detail}`);

describe('the way of a message', () => {
  test('that was answered goes from its arrival to its outcome', () => {
    const told = way({
      journal: [row(1, 1_001, 'running.healthy'), row(2, 2_001, 'running.healthy', 'work.settled')],
      turns: [
        {
          id: 't1',
          agent: 'coder',
          life: 1,
          attempt: 1,
          startedAt: 1_010,
          endedAt: 1_990,
          outcome: 'answered',
          reason: null,
          usage: { inputTokens: 1200, outputTokens: 34, cachedTokens: 1000 },
          streamed: '',
        },
      ],
      replies: [
        {
          ...{ id: 'o1', messageId: 'm1', platform: 'telegram', conversation: 'telegram:7', kind: 'reply' },
          ...{ text: 'hello\n  you', createdAt: 1_995, life: 1, state: 'delivered', attempts: 2 },
          ...{ possibleDuplicate: true, deliveredAt: 2_100, nextAt: null, error: null },
        },
      ],
    });
    expect(told.why).toBeNull();
    expect(stepsOf(told)).toEqual([
      '1000 received: "hello" from telegram:7 in telegram:7 (telegram 55, daemon epoch 3, pid 4711)',
      '1001 decided: turn: dispatch in running.healthy',
      '1010 started: turn t1 by agent coder',
      '1990 ended: turn t1: answered, 1200 tokens in (1000 of them cached), 34 out',
      '1995 reply: reply o1: "hello you"',
      '2000 settled: answered',
      '2100 delivered: o1 delivered, 2 attempts, possibly twice',
    ]);
  });

  test('of a command that failed says how it ended', () => {
    const told = way({
      message: { kind: 'exec', outcome: 'failed', reason: 'exit-code-3', recorded: false },
      commands: [
        {
          ...{ id: 'c1', name: 'gpu', actor: 'telegram:7', life: 1, receivedAt: 1_000, startedAt: 1_100 },
          ...{ endedAt: 1_200, outcome: 'failed', exitCode: 3, signal: null, output: 'no GPU' },
          ...{ argsHash: 'ab', durationMs: 100 },
        },
      ],
    });
    expect(stepsOf(told).slice(-3)).toEqual([
      '1100 started: command c1, /gpu',
      '1200 ended: command c1: failed, exit code 3',
      '2000 settled: failed (exit-code-3) (noted afterwards: the store could not be written)',
    ]);
  });

  test('that has not ended stops where it is', () => {
    const told = way({
      message: { outcome: null, settledAt: null, phase: 'started' },
      turns: [
        {
          id: 't1',
          agent: 'coder',
          life: 1,
          attempt: 2,
          startedAt: 1_010,
          endedAt: null,
          outcome: null,
          reason: null,
          usage: null,
          streamed: '',
        },
      ],
    });
    expect(told).toMatchObject({ state: 'open', outcome: null });
    expect(stepsOf(told).at(-1)).toBe('1010 started: turn t1 by agent coder, attempt 2');
  });
});

describe('why a message was refused', () => {
  const refused = { outcome: 'refused', admission: 'refuse' } as const;

  test('names the state, the rule, who asked the gateway to leave, and when', () => {
    const { why } = way({
      message: { ...refused, reason: 'state' },
      // A turn is judged twice before it is refused.
      journal: [
        row(7, 1_001, 'draining.waiting', 'message.turn', { request: restart }),
        row(8, 1_002, 'draining.waiting', 'message.turn', { request: restart }),
      ],
      request: { ...row(5, 900, 'draining.waiting', 'stop.requested'), event: '{"type":"stop.requested"}' },
    });
    expect(why).toEqual({
      admission: 'refuse',
      rule: 'state',
      state: 'draining.waiting',
      actor: 'telegram:1',
      cause: 'restart',
      at: 1_002,
      outage: null,
      askedAt: 900,
      text: 'refuse in draining.waiting, rule state, by telegram:1 (restart)',
    });
  });

  test('names the reasons of a degraded gateway, which nobody asked for', () => {
    const { why } = way({
      message: { ...refused, reason: 'state' },
      journal: [row(7, 1_001, 'running.degraded', 'message.turn', { degraded: ['agent:default'] })],
      request: row(1, 10, 'running.healthy', 'drain.requested'),
    });
    expect(why).toMatchObject({ actor: 'gateway', cause: 'agent:default', askedAt: null });
  });

  test('by an agent that was down names it, what was wrong with it and since when', () => {
    const journal = [
      row(9, 1_001, 'running.degraded', 'message.turn', { degraded: ['agent:other', 'agent:default'] }),
    ];
    const raised = {
      type: 'degraded.raised',
      reason: 'agent:default',
      detail: 'the model server cannot be reached',
    };
    const opened = { ...row(4, 700, 'running.degraded'), event: JSON.stringify(raised) };
    const told = way({ message: { ...refused, reason: 'state' }, journal, opened });
    expect(told.why).toMatchObject({
      actor: 'gateway',
      outage: { agent: 'default', reason: 'the model server cannot be reached', since: 700 },
      text: 'refuse in running.degraded, rule state, by gateway (the agent default was down: the model server cannot be reached)',
    });
    const forgotten = way({ message: { ...refused, reason: 'state' }, journal });
    expect(forgotten.why).toMatchObject({
      outage: { agent: 'default', reason: null, since: null },
      text: 'refuse in running.degraded, rule state, by gateway (the agent default was down)',
    });
  });

  test.each([
    ['the store could not be written', ['agent:default', 'store']],
    ['it was in safe mode', ['safe-mode', 'agent:default']],
    ['only another agent was down', ['agent:other']],
  ])('says nothing of its agent when %s', (_, degraded) => {
    const journal = [row(9, 1_001, 'running.degraded', 'message.turn', { degraded })];
    const told = way({ message: { ...refused, reason: 'state' }, journal });
    expect(told.why).toMatchObject({ cause: degraded.join(', '), outage: null });
  });

  test('names a failure that made the gateway leave', () => {
    const { why } = way({
      message: { ...refused, reason: 'state' },
      journal: [row(7, 1_001, 'stopped.flushing', 'message.turn', { failure: { kind: 'fault' } })],
    });
    expect(why).toMatchObject({ state: 'stopped.flushing', actor: 'gateway', cause: 'fault' });
  });

  test.each(['access', 'limit', 'arguments'])(
    'by the rule %s is the sender’s, in the state that it met',
    (rule) => {
      const { why } = way({
        message: { ...refused, reason: rule },
        before: row(6, 800, 'running.healthy', 'message.turn', { request: restart }),
      });
      expect(why).toMatchObject({
        ...{ rule, actor: 'telegram:7', state: 'running.healthy', cause: null, at: 1_000, askedAt: null },
      });
    },
  );

  test('says so where the journal no longer knows the state', () => {
    const { why } = way({ message: { ...refused, reason: 'state' } });
    expect(why).toMatchObject({ state: null, actor: 'gateway', cause: null });
    expect(why?.text).toBe('refuse in a state that the journal no longer has, rule state, by gateway');
  });
});

test('a message that was held tells why, and in which state it was judged again', () => {
  const told = way({
    message: { admission: 'hold' },
    journal: [
      row(7, 1_001, 'draining.waiting', 'message.turn', { request: restart }),
      { ...row(2, 1_500, 'running.healthy'), epoch: 4 },
    ],
  });
  expect(told.why).toMatchObject({
    admission: 'hold',
    rule: 'state',
    state: 'draining.waiting',
    actor: 'telegram:1',
  });
  expect(stepsOf(told)).toContain('1500 judged again: the chart was asked in running.healthy');
});

/** What a message's row says of itself once something else has happened to it. */
const LATER: readonly (readonly [string, Partial<MessageTrail['message']>])[] = [
  ['was discarded', { outcome: 'discarded', reason: 'by local:owner: no need' }],
  ['grew old and expired', { outcome: 'expired', reason: 'too-old' }],
  ['was answered', { outcome: 'answered', reason: null }],
  ['was cut off and waits', { outcome: null, settledAt: null, phase: 'awaiting-resume', reason: 'resume' }],
];

test.each(LATER)('a message that was held and then %s still tells why it was held', (_, message) => {
  const told = way({
    message: { admission: 'hold', ...message },
    journal: [row(7, 1_001, 'draining.waiting', 'message.turn', { request: restart })],
    request: { ...row(5, 900, 'draining.waiting', 'stop.requested'), event: '{"type":"stop.requested"}' },
  });
  expect(told.why).toEqual({
    ...{ admission: 'hold', rule: 'state', state: 'draining.waiting', actor: 'telegram:1' },
    ...{ cause: 'restart', outage: null, at: 1_001, askedAt: 900 },
    text: 'hold in draining.waiting, rule state, by telegram:1 (restart)',
  });
  expect(stepsOf(told)).toContain(`1001 decided: turn: ${told.why?.text}`);
});

test('a message that was held and then refused by another rule tells that one', () => {
  const { why } = way({
    message: { admission: 'hold', outcome: 'refused', reason: 'access' },
    journal: [row(7, 1_001, 'starting', 'message.turn')],
  });
  expect(why).toMatchObject({ admission: 'refuse', rule: 'access', actor: 'telegram:7', cause: null });
});

test('a message that was held and then refused tells of the refusal', () => {
  const { why } = way({
    message: { admission: 'hold', outcome: 'refused', reason: 'state' },
    journal: [
      row(7, 1_001, 'starting', 'message.turn'),
      row(9, 1_500, 'running.degraded', 'message.turn', { degraded: ['safe-mode'] }),
    ],
  });
  expect(why).toMatchObject({
    admission: 'refuse',
    state: 'running.degraded',
    cause: 'safe-mode',
    at: 1_500,
  });
});
