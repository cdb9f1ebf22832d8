import { describe, expect, test } from 'vitest';
import { HELD_MAX, HELD_PER_CONVERSATION_MAX, Held } from '../../src/gateway/held.ts';
import { messageRow } from '../store/sample-rows.ts';
import { FakeClock } from '../support/fake-clock.ts';

const heldWith = () => {
  const clock = new FakeClock();
  const announced: string[] = [];
  return { clock, announced, held: new Held(clock, ({ conversation }) => announced.push(conversation)) };
};

const row = (id: string, receivedAt = 1000, conversation = 'local:a') =>
  messageRow(id, { receivedAt, conversation });

describe('held messages', () => {
  test('that come back one by one stand in the order in which they had arrived', () => {
    const { held } = heldWith();
    held.add(row('m_5', 5000));
    // A start that fails gives back one after the other, and those of one moment by their ids.
    for (const one of [row('m_1', 1000), row('m_3b', 3000), row('m_3a', 3000), row('m_2', 2000)])
      held.putBack([one]);
    expect(held.rows.map(({ id }) => id)).toEqual(['m_1', 'm_2', 'm_3a', 'm_3b', 'm_5']);
  });

  test('stand in order of arrival over a clock that is set back, and those that resume a turn come first', () => {
    const { held } = heldWith();
    // What a start found comes before what this life takes in, whatever their ids and times are.
    held.recovered([row('m_9', 9000), row('m_8', 1)], ['m_9', 'm_8']);
    held.add(row('m_1', 8000));
    held.add(row('m_2', 2000));
    held.putBack([{ ...row('m_5'), reason: 'resume' }]);
    expect(held.rows.map(({ id }) => id)).toEqual(['m_5', 'm_9', 'm_8', 'm_1', 'm_2']);
  });

  test('that the start found waiting for a word are put back where they had arrived', () => {
    const { held } = heldWith();
    // Ids of several lives, by a clock that was set back between them.
    held.recovered([row('m_5'), row('m_1')], ['m_9', 'm_5', 'm_1']);
    held.putBack(['m_1', 'm_9', 'm_5'].map((id) => ({ ...row(id), reason: 'resume' })));
    expect(held.rows.map(({ id }) => id)).toEqual(['m_9', 'm_5', 'm_1']);
  });

  test('that come back twice are held once', () => {
    const { held } = heldWith();
    held.putBack([row('m_1')]);
    held.putBack([row('m_1'), row('m_2')]);
    expect(held.count).toBe(2);
  });

  test('are limited in a conversation and in all, and the limit is named', () => {
    const { held } = heldWith();
    for (let n = 0; n < HELD_PER_CONVERSATION_MAX; n += 1) held.add(row(`a${n}`));
    expect(held.fullFor('local:a')).toEqual({ limit: 20, what: 'conversation' });
    expect(held.fullFor('local:b')).toBeUndefined();
    for (let n = held.count; n < HELD_MAX; n += 1) held.add(row(`b${n}`, 1000, `local:${n}`));
    expect(held.fullFor('local:new')).toEqual({ limit: 1000, what: 'gateway' });
    held.remove('a0');
    expect(held.fullFor('local:new')).toBeUndefined();
  });
});

describe('the notice of a hold', () => {
  test('is given once a conversation, and only when the hold lasts', async () => {
    const { held, clock, announced } = heldWith();
    for (const id of ['m_1', 'm_2']) {
      held.add(row(id));
      held.announceLater(row(id));
    }
    await clock.advance(1999);
    expect(announced).toEqual([]);
    await clock.advance(1);
    expect(announced).toEqual(['local:a']);
    held.announceLater(row('m_3'));
    await clock.advance(10_000);
    expect(announced).toEqual(['local:a']);
  });

  test('is left out when it was short, and given for the next one', async () => {
    const { held, clock, announced } = heldWith();
    held.add(row('m_1'));
    held.announceLater(row('m_1'));
    held.remove('m_1');
    await clock.advance(2000);
    expect(announced).toEqual([]);
    held.add(row('m_2'));
    held.announceLater(row('m_2'));
    await clock.advance(2000);
    expect(announced).toEqual(['local:a']);
  });

  test('is forgotten with its timer when the gateway takes turns again', async () => {
    const { held, clock, announced } = heldWith();
    held.add(row('m_1'));
    held.announceLater(row('m_1'));
    held.forgetAnnounced();
    expect(clock.pending).toBe(0);
    await clock.advance(5000);
    expect(announced).toEqual([]);
  });
});
