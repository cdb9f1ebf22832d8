/** What a start decides about each message of a dead life. The expectations are written by hand, row by row. */
import { describe, expect, test } from 'vitest';
import { type RecoveryOptions, recover } from '../../src/gateway/recovery.ts';
import {
  AWAITING_AGE_MS_MAX,
  COMMAND_AGE_MS_MAX,
  type Plan,
  type PlanOptions,
  planOf as planWith,
} from '../../src/gateway/recovery-plan.ts';
import type {
  MessageRow,
  Notice,
  OpenOutbound,
  OpenTurn,
  StoredMessage,
  StoredOutbound,
} from '../../src/store/records.ts';
import type { Life, OpenWork } from '../../src/store/store.ts';
import { commandRow, messageRow, outboundRow, turnRow } from '../store/sample-rows.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeProcesses, keptLog } from '../support/gateway-core.ts';
import { MemoryStore } from '../support/memory-store.ts';

const life: Life = { id: 9, kind: 'daemon', epoch: 5, pid: 1, startTime: '', bootId: '' };
const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

/** As the defaults have it; life 1, which the sample rows belong to, died in an incident nobody was told of. */
const defaults: PlanOptions = {
  life,
  now: NOW,
  resume: { resume: 'auto', maxAgeMs: 24 * HOUR, onExpired: 'ask' },
  cutOffLives: new Set([1]),
  deaths: new Set([1]),
  deadClis: new Set(),
  sessions: new Map(),
  incident: { name: 'crash:1', told: [] },
  quiet: false,
  textCharsMax: () => undefined,
};

const planOf = (open: OpenWork, more: Partial<PlanOptions> = {}) => planWith(open, { ...defaults, ...more });

const stored = (id: string, more: Partial<MessageRow> = {}): StoredMessage => ({
  ...messageRow(id, { receivedAt: NOW - 1000, ...more }),
  outcome: null,
  settledAt: null,
  recorded: true,
});

const work = (more: Partial<OpenWork>): OpenWork => ({
  messages: [],
  turns: [],
  commands: [],
  outbound: [],
  ...more,
});

const command = (phase: MessageRow['phase'], startedAt: number | null, ageMs: number) =>
  work({
    messages: [stored('m_1', { kind: 'exec', phase, receivedAt: NOW - ageMs })],
    commands: [{ ...commandRow('c_1', 'm_1', { name: 'up' }), startedAt }],
  });

/** A message whose turn ran. */
const cutOff = (turn: Partial<OpenTurn> = {}, message: Partial<MessageRow> = {}) =>
  work({
    messages: [stored('m_1', { phase: 'started', ...message })],
    turns: [
      {
        ...turnRow('t_1'),
        ...{ messageIds: ['m_1'], attempt: 1, streamed: '', effects: false },
        ...turn,
      },
    ],
  });

const notice = (kind: Notice['kind']): Notice => ({
  ...{ incident: 'crash:1', platform: 'local', conversation: 'local:cli' },
  kind,
});

const notices = (plan: Plan) => plan.writes.filter(({ op }) => op.startsWith('notice'));

const ids = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id);
const texts = (rows: readonly { readonly text: string }[]) => rows.map(({ text }) => text);

describe('of a dead life', () => {
  test.each(['held', 'waiting'] as const)('a message that was %s is held again', (phase) => {
    const plan = planOf(work({ messages: [stored('m_1', { phase })] }));
    expect(ids(plan.held)).toEqual(['m_1']);
    expect(plan.writes).toEqual([{ op: 'adopt', id: 'm_1', phase: 'held', life: 9 }]);
    expect(plan.outbound).toEqual([]);
  });

  test('a command that ran is interrupted and never run again by itself', () => {
    const plan = planOf(command('started', NOW - 10, 20));
    expect(plan.commands).toEqual([]);
    expect(plan.writes).toMatchObject([
      { op: 'command.end', end: { id: 'c_1', outcome: 'interrupted', durationMs: null } },
      { op: 'settle', outcome: 'interrupted' },
      { op: 'reply' },
    ]);
    expect(texts(plan.outbound)[0]).toMatch(/while \/up ran\. It is not run again by itself/);
  });

  test.each<[string, Partial<PlanOptions>, string, RegExp]>([
    ['left in order', { cutOffLives: new Set() }, 'gateway-left', /^What came of \/up could not be recorded/],
    [
      'was a command line that was killed',
      { deadClis: new Set([1]) },
      'cli-died',
      /^The `sluice exec` that ran \/up was ended before it/,
    ],
  ])('a command whose life %s is told so', (_, how, reason, text) => {
    const plan = planOf(command('started', NOW - 10, 20), how);
    expect(plan.writes).toContainEqual(
      expect.objectContaining({ op: 'settle', outcome: 'interrupted', reason }),
    );
    expect(texts(plan.outbound)[0]).toMatch(text);
  });

  test('a command that had not begun runs while it is young, and expires after a minute', () => {
    expect(ids(planOf(command('received', null, COMMAND_AGE_MS_MAX - 1)).commands)).toEqual(['m_1']);
    const old = planOf(command('received', null, COMMAND_AGE_MS_MAX));
    expect(old.commands).toEqual([]);
    expect(old.writes).toMatchObject([
      { op: 'command.end', end: { id: 'c_1', outcome: 'expired', durationMs: null } },
      { op: 'settle', outcome: 'expired', reason: 'too-old' },
      { op: 'reply' },
    ]);
    expect(texts(old.outbound)[0]).toMatch(/^\/up was not run: .*Send it again/);
  });

  test('a command whose age is unknown does not run by itself', () => {
    expect(planOf(command('received', null, -HOUR)).commands).toEqual([]);
  });

  test('a control command that was cut off is interrupted, and told so as what it is', () => {
    const control = { kind: 'control', phase: 'received', text: '/agent big' } as const;
    const plan = planOf(work({ messages: [stored('m_1', control)] }));
    expect(plan.writes[0]).toMatchObject({ op: 'settle', outcome: 'interrupted' });
    expect(texts(plan.outbound)).toEqual([
      'The gateway went down before it had answered /agent. Nothing of that goes on: send it again if it is still wanted.',
    ]);
  });

  test.each<[string, Partial<MessageRow>[], string]>([
    [
      'had taken up what waited',
      [{ phase: 'held', reason: 'resume' }],
      'The gateway went down just after /resume had taken up what waited here. It is answered all the same; nothing is to be sent again.',
    ],
    [
      'had done nothing yet',
      [{ phase: 'awaiting-resume' }],
      'The gateway went down before /resume was done: what it was for still waits here. Send /resume again.',
    ],
    [
      'found nothing that waits, or all of it is answered',
      [{ phase: 'awaiting-resume', conversation: 'local:other' }],
      'The gateway went down before it had answered /resume. Nothing of this conversation waits to be resumed.',
    ],
  ])('a /resume that was cut off tells what became of what it was for: it %s', (_, before, text) => {
    const rows = before.map((row, at) => stored(`m_${at}`, row));
    const resume = stored('m_9', { kind: 'turn', phase: 'received', text: '/resume' });
    const plan = planOf(work({ messages: [...rows, resume] }));
    expect(plan.writes).toContainEqual(
      expect.objectContaining({ op: 'settle', id: 'm_9', outcome: 'interrupted' }),
    );
    expect(texts(plan.outbound)).toEqual([text]);
  });

  test('a /resume that was cut off together with what it had taken up says that this waits', () => {
    const { messages, turns } = cutOff({ effects: true });
    const resume = stored('m_9', { kind: 'turn', phase: 'received', text: '/resume' });
    const plan = planOf(work({ messages: [...messages, resume], turns }));
    expect(texts(plan.outbound)[1]).toMatch(/still waits here\. Send \/resume again\.$/);
  });

  test('messages are held in the order in which they arrived, those that go on first', () => {
    const open = cutOff();
    const messages = ['m_0', 'm_2', 'm_3'].map((id) => stored(id, { phase: 'waiting' }));
    const plan = planOf({
      ...open,
      messages: [...messages.slice(0, 1), ...open.messages, ...messages.slice(1)],
    });
    expect(ids(plan.held)).toEqual(['m_1', 'm_0', 'm_2', 'm_3']);
  });

  test('a message that was to go on and had not begun again still goes first', () => {
    const messages = [stored('m_1', { phase: 'held' }), stored('m_2', { phase: 'held', reason: 'resume' })];
    expect(ids(planOf(work({ messages })).held)).toEqual(['m_2', 'm_1']);
  });
});

describe('a turn that was cut off', () => {
  test('and can have changed nothing is answered again, and its person is told what it had said', () => {
    const plan = planOf(cutOff({ streamed: 'The first half' }));
    expect(plan.held).toMatchObject([{ id: 'm_1', phase: 'held', reason: 'resume' }]);
    expect(plan.writes).toMatchObject([
      { op: 'session.crashed', conversation: 'local:cli' },
      { op: 'turn.end', id: 't_1', outcome: 'interrupted', reason: 'gateway-died' },
      { op: 'adopt', id: 'm_1', phase: 'held', life: 9 },
      { op: 'phase', id: 'm_1', phase: 'held', reason: 'resume' },
      { op: 'notice', notice: { incident: 'crash:1', conversation: 'local:cli', kind: 'down' } },
      { op: 'notice.end', state: 'sent' },
      { op: 'reply', outbound: { messageId: 'm_1', kind: 'notice', life: 9 } },
    ]);
    expect(plan.writes.find(({ op }) => op === 'turn.end')).not.toHaveProperty('streamed');
    expect(texts(plan.outbound)).toEqual([
      'The first half\n\nThe gateway went down while this was being answered. It is being answered again, from the beginning.',
    ]);
  });

  test('and may have changed something waits for a word, and its person is told which', () => {
    const plan = planOf(cutOff({ effects: true }));
    expect(plan.held).toEqual([]);
    expect(plan.awaiting).toMatchObject([{ id: 'm_1', phase: 'awaiting-resume' }]);
    expect(plan.writes).toContainEqual({ op: 'adopt', id: 'm_1', phase: 'awaiting-resume', life: 9 });
    expect(texts(plan.outbound)[0]).toMatch(/Send \/resume to have it answered after all\.$/);
  });

  test('settles as interrupted where nothing is resumed', () => {
    const plan = planOf(cutOff({ streamed: 'half' }), { resume: { ...defaults.resume, resume: 'never' } });
    expect(plan.writes).toContainEqual(
      expect.objectContaining({ op: 'settle', id: 'm_1', outcome: 'interrupted', reason: 'gateway-died' }),
    );
    expect(texts(plan.outbound)[0]).toMatch(/^half\n\n.*Send it again if it is still wanted\.$/);
  });

  test('says so once in an incident, however many lives it has', () => {
    const plan = planOf(cutOff(), { incident: { name: 'crash:1', told: [notice('down')] } });
    expect(ids(plan.held)).toEqual(['m_1']);
    expect(plan.outbound).toEqual([]);
    expect(plan.writes.filter(({ op }) => op === 'notice' || op === 'reply')).toEqual([]);
  });

  test.each<[string, Partial<OpenTurn>, boolean, string]>([
    [
      'for the first time',
      { attempt: 1, streamed: 'half of it' },
      false,
      'half of it\n\nThe message "hello" was cut off, too. Send /resume to have it answered after all.',
    ],
    [
      'once more, after /resume',
      { attempt: 2 },
      false,
      'The message "hello" was cut off again. Send /resume to have it answered after all.',
    ],
    [
      'where the gateway starts in safe mode',
      { attempt: 1 },
      true,
      'The message "hello" was cut off, too. The gateway is in safe mode after several crashes: send /resume when it takes turns again to have it answered after all.',
    ],
  ])(
    'and waits for a word is told of in a text about it, no notice of the incident, where its conversation has had the "down" of the incident, %s',
    (_, turn, quiet, text) => {
      const incident = { name: 'crash:1', told: [notice('down')] };
      const plan = planOf(cutOff({ effects: true, ...turn }), { incident, quiet });
      expect(ids(plan.awaiting)).toEqual(['m_1']);
      expect(plan.outbound).toMatchObject([{ messageId: 'm_1', kind: 'notice', text }]);
      expect(plan.writes).toContainEqual({ op: 'reply', outbound: plan.outbound[0] });
      expect(notices(plan)).toEqual([]);
    },
  );

  test.each<[string, readonly Notice[], RegExp]>([
    [
      'in the one "down"',
      [],
      /^first half\n\nsecond half\n\nThe gateway went down while this was being answered\. Send \/resume/,
    ],
    [
      'in one text after it',
      [notice('down')],
      /^first half\n\nsecond half\n\nThe messages "hello", "hello again" were cut off, too\. Send \/resume to have them answered after all\.$/,
    ],
  ])(
    'with another of its conversation by the same death is told of together with it, %s',
    (_, told, text) => {
      const [one, two] = [cutOff({ effects: true, streamed: 'first half' }), cutOff({ effects: true })];
      const second = { id: 't_2', messageIds: ['m_2'], streamed: 'second half' };
      const open = work({
        messages: [...one.messages, stored('m_2', { phase: 'started', text: 'hello again' })],
        turns: [...one.turns, ...two.turns.map((turn) => ({ ...turn, ...second }))],
      });
      const plan = planOf(open, { incident: { name: 'crash:1', told } });
      expect(ids(plan.awaiting)).toEqual(['m_1', 'm_2']);
      expect(plan.outbound).toMatchObject([{ messageId: 'm_1', text: expect.stringMatching(text) }]);
    },
  );

  test('what it had said is told in parts where its platform takes no long messages', () => {
    const streamed = 'A line of the answer.\n'.repeat(50);
    const plan = planOf(cutOff({ streamed }, { platform: 'chat', conversation: 'chat:1' }), {
      textCharsMax: (platform) => (platform === 'chat' ? 400 : undefined),
    });
    const parts = plan.outbound.map(({ part }) => part);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts).toEqual(parts.map((_, at) => at));
    expect(texts(plan.outbound).every((text) => text.length <= 400)).toBe(true);
    const written = plan.writes.flatMap((write) => (write.op === 'reply' ? [write.outbound] : []));
    expect(written).toEqual(plan.outbound);
  });

  test('is promised a word, and gets none yet, where the gateway shall be quiet', () => {
    const plan = planOf(cutOff(), { quiet: true });
    expect(plan.outbound).toEqual([]);
    const notices = plan.writes.filter(({ op }) => op.startsWith('notice'));
    expect(notices).toMatchObject([{ op: 'notice', notice: { kind: 'down' } }]);
  });

  test('of a life that left in order is no crash of its conversation', () => {
    const plan = planOf(cutOff(), { cutOffLives: new Set(), deaths: new Set(), incident: null });
    expect(plan.writes.map(({ op }) => op)).not.toContain('session.crashed');
    expect(plan.writes).toContainEqual(expect.objectContaining({ op: 'turn.end', reason: 'gateway-left' }));
    expect(plan.outbound).toHaveLength(1);
  });
});

describe('a conversation that was in flight', () => {
  const crashed = (crashes: number, quarantined = false) =>
    new Map([['local:cli', { conversation: 'local:cli', crashes, quarantined }]]);

  test('in three deaths running rests alone, and is told so', () => {
    const plan = planOf(cutOff(), { sessions: crashed(2) });
    expect(plan.writes).toContainEqual({ op: 'session.quarantine', conversation: 'local:cli', at: NOW });
    expect(plan.held).toEqual([]);
    expect(ids(plan.awaiting)).toEqual(['m_1']);
    expect(texts(plan.outbound)).toEqual([
      expect.stringMatching(/nothing more is answered here by itself\. \/resume tries once more/),
    ]);
    expect(notices(plan)).toMatchObject([{ notice: notice('down') }, { notice: notice('down') }]);
  });

  test('hears that it rests as the one "back" of an incident whose one "down" it has heard', () => {
    const incident = { name: 'crash:1', told: [notice('down')] };
    const plan = planOf(cutOff(), { sessions: crashed(2), incident });
    expect(texts(plan.outbound)).toEqual([
      'The gateway is back. It went down three times running while this conversation was being answered, so nothing more is answered here by itself. /resume tries once more.',
    ]);
    expect(notices(plan)).toEqual([
      { op: 'notice', notice: notice('back'), at: NOW },
      { op: 'notice.end', notice: notice('back'), state: 'sent' },
    ]);
  });

  test('hears that it rests with what its turn had said', () => {
    const incident = { name: 'crash:1', told: [notice('down')] };
    const plan = planOf(cutOff({ streamed: 'half' }), { sessions: crashed(2), incident });
    expect(texts(plan.outbound)).toEqual([
      expect.stringMatching(/^half\n\nThe gateway is back\. It went down/),
    ]);
  });

  test('hears of an incident that has had both no more than that this message waits, and that it rests', () => {
    const incident = { name: 'crash:1', told: [notice('down'), notice('back')] };
    const plan = planOf(cutOff({ streamed: 'half' }), { sessions: crashed(2), incident });
    expect(ids(plan.awaiting)).toEqual(['m_1']);
    expect(texts(plan.outbound)).toEqual([
      'half\n\nThe message "hello" was cut off, too. Nothing more is answered here by itself: /resume tries once more.',
    ]);
    expect(notices(plan)).toEqual([]);
  });

  test('rests without a word where the gateway shall be quiet: it is promised', () => {
    const incident = { name: 'crash:1', told: [notice('down')] };
    const plan = planOf(cutOff(), { sessions: crashed(2), incident, quiet: true });
    expect(plan.outbound).toEqual([]);
    expect(notices(plan)).toEqual([{ op: 'notice', notice: notice('back'), at: NOW }]);
  });

  test('in two goes on', () => {
    const plan = planOf(cutOff(), { sessions: crashed(1) });
    expect(plan.writes.map(({ op }) => op)).not.toContain('session.quarantine');
    expect(ids(plan.held)).toEqual(['m_1']);
  });

  test('and was at rest in this death is calm again', () => {
    const plan = planOf(work({}), { sessions: crashed(2) });
    expect(plan.writes).toEqual([{ op: 'session.calm', conversation: 'local:cli', at: NOW }]);
  });

  test('and is quarantined stays so until a person says otherwise', () => {
    expect(planOf(work({}), { sessions: crashed(3, true) }).writes).toEqual([]);
  });
});

describe('a message that waits for a word', () => {
  const awaiting = (ageMs: number) =>
    work({ messages: [stored('m_1', { phase: 'awaiting-resume', receivedAt: NOW - ageMs })] });

  test('goes on waiting', () => {
    const plan = planOf(awaiting(AWAITING_AGE_MS_MAX - 1));
    expect(ids(plan.awaiting)).toEqual(['m_1']);
    expect(plan.writes).toEqual([{ op: 'adopt', id: 'm_1', phase: 'awaiting-resume', life: 9 }]);
    expect(plan.outbound).toEqual([]);
  });

  test('for a week expires, and its person is told', () => {
    const plan = planOf(awaiting(AWAITING_AGE_MS_MAX));
    expect(plan.writes[0]).toMatchObject({ op: 'settle', outcome: 'expired', reason: 'too-old' });
    expect(texts(plan.outbound)[0]).toMatch(/nobody sent \/resume for 7 days\. Send it again/);
  });
});

describe('what was going out', () => {
  const going = (state: StoredOutbound['state'], nextAt: number | null = null): StoredOutbound => ({
    ...outboundRow('o_1', null),
    ...{ state, attempts: 1, nextAt, possibleDuplicate: false, error: null },
  });
  const open = (row: StoredOutbound, claimedAt: number | null = NOW - 1000): OpenOutbound => ({
    ...row,
    claimedAt,
  });

  test.each(['pending', 'unknown'] as const)('and was %s is handed on as it is', (state) => {
    const plan = planOf(work({ outbound: [open(going(state))] }));
    expect(plan.outbound).toEqual([going(state)]);
    expect(plan.writes).toEqual([]);
  });

  test.each([
    ['keeps the rest of the wait that its platform named', NOW + 40_000, NOW - 20_000, NOW + 40_000],
    ['has no wait that is over', NOW - 5000, NOW - 65_000, NOW - 5000],
    [
      'waits no longer than was named, by a clock that was hours ahead',
      NOW + 3 * HOUR,
      NOW + 3 * HOUR - 60_000,
      NOW + 60_000,
    ],
    ['waits for nothing where the clock was set back before it was named', NOW + HOUR, NOW + 2 * HOUR, NOW],
    ['waits for nothing that a person asked for by a clock ahead', NOW + HOUR, NOW + HOUR, NOW],
    ['waits for nothing where nobody knows when it was named', NOW + HOUR, null, NOW],
  ])('%s', (_, nextAt, namedAt, expected) => {
    const plan = planOf(work({ outbound: [open(going('pending', nextAt), namedAt)] }));
    expect(plan.outbound).toEqual([going('pending', expected)]);
  });

  test('and was being sent may have arrived', () => {
    const plan = planOf(work({ outbound: [open(going('sending'))] }));
    expect(plan.outbound).toMatchObject([{ id: 'o_1', state: 'unknown' }]);
    expect(plan.writes).toMatchObject([{ op: 'outbound.end', id: 'o_1', state: 'unknown' }]);
  });
});

describe('a recovery', () => {
  const messages = [stored('m_1', { phase: 'started' }), stored('m_2', { phase: 'waiting' })];
  const turns = [
    { ...turnRow('t_1', { life: 7 }), messageIds: ['m_1'], attempt: 1, streamed: '', effects: false },
  ];

  const recovery = () => {
    const store = new MemoryStore();
    // Their rows, as the dead life wrote them.
    for (const message of messages) store.tables.applyUnit([{ op: 'receive', message }]);
    store.openWork = async () => work({ messages, turns });
    store.openLives = async () => [
      { ...life, id: 7 },
      { ...life, id: 8 },
    ];
    const processes = new FakeProcesses();
    const { log, lines } = keptLog();
    const run = (more: Partial<RecoveryOptions> = {}) =>
      recover({
        ...{ store, processes, clock: new FakeClock(NOW), log, life, isLiving: ({ id }) => id === 8 },
        ...{ resume: defaults.resume, safeMode: null, textCharsMax: () => undefined },
        ...more,
      });
    return { store, processes, lines, run };
  };

  test('is one commit, so that one which failed can be made again', async () => {
    const { store, run } = recovery();
    store.fail();
    await expect(run()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(store.units).toEqual([]);
    store.writable = true;
    expect((await run()).held).toHaveLength(2);
    expect(store.units.map((unit) => unit.map(({ op }) => op))).toEqual([
      [
        ...['session.crashed', 'turn.end', 'adopt', 'phase', 'notice', 'notice.end', 'reply'],
        ...['adopt', 'life.end'],
      ],
    ]);
  });

  test('counts every life that died, also one that did not get as far as its own recovery', async () => {
    const { store, run } = recovery();
    const safeMode = {
      ...{ deaths: 5, withinMs: 60_000, slowDeaths: 8, slowWithinMs: 1_800_000, quietMs: 120_000 },
    };
    const died = (count: number) => {
      store.openLives = async () => Array.from({ length: count }, (_, n) => ({ ...life, id: 100 + n }));
    };
    died(4);
    expect((await run({ safeMode })).crashLoop).toBe(false);
    died(5);
    expect((await run({ safeMode })).crashLoop).toBe(true);
    expect((await run({ safeMode: null })).crashLoop).toBe(false);
  });

  test.each([
    ['on', true, [{ op: 'life.safe-mode', id: 9, mode: 'on' }]],
    ['left', false, []],
  ] as const)('without a new death goes by whether safe mode was left: %s', async (mode, expected, marks) => {
    const { store, run } = recovery();
    const rules = { deaths: 1, withinMs: 60_000, slowDeaths: 1, slowWithinMs: 1_800_000, quietMs: 120_000 };
    store.openLives = async () => [];
    store.deaths = async () => [{ life: 5, at: NOW - 5000 }];
    store.safeMode = async () => ({ life: 6, mode });
    expect((await run({ safeMode: rules })).crashLoop).toBe(expected);
    expect(store.units.flat().filter(({ op }) => op === 'life.safe-mode')).toEqual(marks);
  });

  test('that finds safe mode switched off leaves it, or a later life would go on with it', async () => {
    const { store, run } = recovery();
    store.safeMode = async () => ({ life: 6, mode: 'on' });
    expect((await run({ safeMode: null })).crashLoop).toBe(false);
    expect(store.units.flat()).toContainEqual({ op: 'life.safe-mode', id: 9, mode: 'left' });
  });

  test('takes the word of a life that left in order and could not write it: that was no death', async () => {
    const { store, run } = recovery();
    const word = { code: 0, cause: 'stop', at: NOW - 5000 };
    const { crashLoop } = await run({ lastWordOf: ({ id }) => (id === 7 ? word : undefined) });
    expect(crashLoop).toBe(false);
    expect(store.units.flat()).toContainEqual({ op: 'life.end', id: 7, ...word });
    expect(store.units.flat()).toContainEqual(
      expect.objectContaining({ op: 'turn.end', reason: 'gateway-left' }),
    );
    expect(store.units.flat().map(({ op }) => op)).not.toContain('session.crashed');
  });

  test('counts an end by a defect as a death, also where only its own word tells of it', async () => {
    const { store, run } = recovery();
    const word = { code: 70, cause: 'fault', at: NOW - 5000 };
    await run({ lastWordOf: ({ id }) => (id === 7 ? word : undefined) });
    const written = store.units.flat();
    expect(written).toContainEqual({ op: 'life.end', id: 7, ...word });
    expect(written).toContainEqual({ op: 'session.crashed', conversation: 'local:cli', at: NOW });
    expect(written).toContainEqual(expect.objectContaining({ op: 'turn.end', reason: 'gateway-died' }));
  });

  test.each([
    ['fault', 'session.crashed'],
    ['restart', undefined],
  ] as const)('goes by what the store knows of the end of a life: %s', async (cause, expected) => {
    const { store, run } = recovery();
    const { id } = await store.begin({
      ...{ kind: 'daemon', pid: 2, startTime: '', bootId: '', version: '1' },
      ...{ startedAt: NOW - 9000, epochAbove: 1 },
    });
    await store.commit([{ op: 'life.end', id, at: NOW - 5000, code: null, cause }]);
    store.openLives = async () => [];
    const [turn] = turns;
    store.openWork = async () => work({ messages, turns: turn === undefined ? [] : [{ ...turn, life: id }] });
    await run();
    const crashed = store.units.flat().filter(({ op }) => op === 'session.crashed');
    expect(crashed.map(({ op }) => op)).toEqual(expected === undefined ? [] : [expected]);
  });

  test('after a defect that found nothing in flight makes calm whoever was in flight before', async () => {
    const { store, run } = recovery();
    const { id } = await store.begin({
      ...{ kind: 'daemon', pid: 2, startTime: '', bootId: '', version: '1' },
      ...{ startedAt: NOW - 9000, epochAbove: 1 },
    });
    await store.commit([
      { op: 'session.crashed', conversation: 'local:cli', at: NOW - 9000 },
      { op: 'life.end', id, at: NOW - 5000, code: 70, cause: 'fault' },
    ]);
    store.openLives = async () => [];
    store.openWork = async () => work({});
    expect((await run()).crashed).toEqual([]);
  });

  test('ends the processes of the dead before anything else, and leaves a living life alone', async () => {
    const { store, processes, lines, run } = recovery();
    await run();
    expect(processes.swept).toEqual([new Set(['t_1'])]);
    expect(store.units.flat()).toContainEqual({ op: 'life.end', id: 7, at: NOW, code: null, cause: 'died' });
    expect(store.units.flat()).not.toContainEqual(expect.objectContaining({ op: 'life.end', id: 8 }));
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'recovered', interrupted: 1, held: 2, deadLives: 1 }),
    );
  });
});
