/** Rows that a store takes, for tests: what a test does not name has some valid value. */
import type { CommandRow, JournalRow, MessageRow, OutboundRow, TurnRow } from '../../src/store/records.ts';
import type { LifeStart } from '../../src/store/store.ts';
import type { Write } from '../../src/store/write.ts';

export const daemonStart: LifeStart = {
  kind: 'daemon',
  pid: 4711,
  startTime: '1000',
  bootId: 'boot-1',
  version: '0.1.0',
  startedAt: 1_000,
  epochAbove: 0,
};

export const cliStart: LifeStart = { ...daemonStart, kind: 'cli', pid: 4712 };

export function messageRow(id: string, more: Partial<MessageRow> = {}): MessageRow {
  return {
    id,
    platform: 'local',
    platformMessageId: `p-${id}`,
    conversation: 'local:cli',
    sender: 'local:owner',
    kind: 'turn',
    text: 'hello',
    agent: 'default',
    whenBusy: 'queue',
    receivedAt: 1_000,
    life: 1,
    epoch: 1,
    admission: 'dispatch',
    reason: null,
    phase: 'waiting',
    ...more,
  };
}

export function receive(id: string, more: Partial<MessageRow> = {}): Write {
  return { op: 'receive', message: messageRow(id, more) };
}

export function settle(id: string, outcome: Extract<Write, { op: 'settle' }>['outcome'] = 'answered'): Write {
  return { op: 'settle', id, outcome, reason: null, at: 2_000 };
}

export function turnRow(id: string, more: Partial<TurnRow> = {}): TurnRow {
  return {
    id,
    conversation: 'local:cli',
    agent: 'default',
    life: 1,
    startedAt: 1_100,
    effects: true,
    ...more,
  };
}

export function commandRow(id: string, messageId: string, more: Partial<CommandRow> = {}): CommandRow {
  return {
    id,
    messageId,
    name: 'gpu',
    actor: 'local:owner',
    argsHash: 'ab',
    life: 1,
    receivedAt: 1_000,
    ...more,
  };
}

export function outboundRow(
  id: string,
  messageId: string | null,
  more: Partial<OutboundRow> = {},
): OutboundRow {
  return {
    id,
    messageId,
    platform: 'local',
    conversation: 'local:cli',
    text: `text of ${id}`,
    kind: 'reply',
    createdAt: 1_500,
    life: 1,
    ...more,
  };
}

export function journalRow(number: number): JournalRow {
  return { epoch: 1, number, at: 1_000, event: '{"type":"e"}', state: 'running.healthy', context: '{}' };
}
