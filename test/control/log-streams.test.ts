/** Followers of the log: where each begins, over a change of life too, and how many there may be. */
import { describe, expect, test } from 'vitest';
import type { EventStream } from '../../src/control/event-stream.ts';
import { LOG_STREAMS_MAX, LogStreams } from '../../src/control/log-streams.ts';
import { LogTail } from '../../src/telemetry/log-tail.ts';

/** A reader of one stream: the ids and messages of the lines that it got. */
function reading(stream: EventStream): string[] {
  const lines: string[] = [];
  stream.connect({
    write: (text) => {
      const [, id, event, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)\n\n$/.exec(text) ?? [];
      lines.push(event === 'line' ? `${id} ${JSON.parse(data ?? '').msg}` : `${id} (${event})`);
      return true;
    },
    end: () => {},
  });
  return lines;
}

const tailOf = (life: string, ...messages: readonly string[]) => {
  const tail = new LogTail(life, (message) => expect.unreachable(message));
  for (const msg of messages) tail.add(`${JSON.stringify({ msg })}\n`);
  return tail;
};

const fresh = { lastEventId: undefined, lines: undefined };

describe('a follower', () => {
  test('gets what is kept, then each line as it comes', () => {
    const tail = tailOf('1.7', 'a', 'b');
    const lines = reading(new LogStreams(tail).open(fresh));
    tail.add('{"msg":"c"}\n');
    expect(lines).toEqual(['1.7.0 (from)', '1.7.1 a', '1.7.2 b', '1.7.3 c']);
  });

  test('gets as many of the newest lines as it asked for', () => {
    const streams = new LogStreams(tailOf('1.7', 'a', 'b', 'c'));
    expect(reading(streams.open({ ...fresh, lines: 2 }))).toEqual(['1.7.1 (from)', '1.7.2 b', '1.7.3 c']);
    expect(reading(streams.open({ ...fresh, lines: 0 }))).toEqual(['1.7.3 (from)']);
    expect(reading(streams.open({ ...fresh, lines: 9 }))).toHaveLength(4);
  });

  test('that comes back misses no line and gets none twice', () => {
    const streams = new LogStreams(tailOf('1.7', 'a', 'b', 'c'));
    expect(reading(streams.open({ lastEventId: '1.7.2', lines: 0 }))).toEqual(['1.7.2 (from)', '1.7.3 c']);
  });

  test('that comes back to another life gets that one from its first line', () => {
    const streams = new LogStreams(tailOf('1.8', 'a', 'b'));
    expect(reading(streams.open({ lastEventId: '1.7.2', lines: 1 }))).toEqual([
      '1.8.0 (from)',
      '1.8.1 a',
      '1.8.2 b',
    ]);
  });
});

test('there are as many followers as the limit says, and one more when one has gone', async () => {
  const tail = tailOf('1.7');
  const streams = new LogStreams(tail);
  const open = Array.from({ length: LOG_STREAMS_MAX }, () => streams.open(fresh));
  expect(streams.full).toBe(true);
  open[0]?.gone();
  await open[0]?.closed;
  expect(streams.full).toBe(false);
});

test('a follower that cannot be told a line loses its stream, and the log goes on', async () => {
  const problems: string[] = [];
  const tail = new LogTail('1.7', (message) => problems.push(message));
  const stream = new LogStreams(tail).open(fresh);
  const lines = reading(stream);
  tail.add('no JSON\n');
  await stream.closed;
  tail.add('{"msg":"later"}\n');
  expect(problems).toEqual([expect.stringMatching(/^a follower of the log was dropped: .*JSON/)]);
  expect(lines).toEqual(['1.7.0 (from)']);
  expect(tail.number).toBe(2);
});
