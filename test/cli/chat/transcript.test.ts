/** What the events of a conversation come to: each answer once, whichever way it came. */
import { describe, expect, test } from 'vitest';
import { Transcript } from '../../../src/cli/chat/transcript.ts';

class Page {
  text = '';
  say(text: string): void {
    this.text += text;
  }
  note(text: string): void {
    this.freshLine();
    this.text += `[${text}]\n`;
  }
  freshLine(): void {
    if (this.text !== '' && !this.text.endsWith('\n')) this.text += '\n';
  }
}

function open() {
  const page = new Page();
  const transcript = new Transcript(page);
  const show = (event: string, data: Record<string, unknown> = {}) =>
    transcript.show({ event, id: undefined, data: { messageId: 'm1', id: 'mine', ...data } });
  const message = (more: Record<string, unknown> = {}) =>
    show('message', { sender: 'local:owner', kind: 'turn', text: 'asked', ...more });
  return { page, transcript, show, message };
}

describe('an answer', () => {
  test('is shown as it grows, and the reply adds what is missing', () => {
    const { page, show } = open();
    show('delta', { text: 'one ', offset: 0 });
    show('delta', { text: 'two', offset: 4 });
    show('reply', { text: 'one two three' });
    show('settled');
    expect(page.text).toBe('one two three\n');
  });

  test('of which pieces were left out comes whole with the reply', () => {
    const { page, show } = open();
    show('delta', { text: 'one ', offset: 0 });
    show('delta', { text: 'three', offset: 8 });
    show('reply', { text: 'one two three' });
    expect(page.text).toBe('one two three\n');
  });

  test('that began before the connection did is shown whole, once', () => {
    const { page, show } = open();
    show('delta', { text: 'two', offset: 4 });
    show('reply', { text: 'one two' });
    show('reply', { text: 'and more' });
    expect(page.text).toBe('one two\nand more\n');
  });

  test('of a command in the middle of a turn stands on lines of its own', () => {
    const { page, show } = open();
    show('delta', { text: 'half', offset: 0 });
    show('reply', { messageId: 'm2', text: 'up' });
    show('delta', { text: ' a line', offset: 4 });
    show('reply', { text: 'half a line' });
    expect(page.text).toBe('half\nup\n a line\n');
  });
});

test('what others write is shown, once; what this chat writes is not', () => {
  const { page, transcript, message } = open();
  transcript.sent('mine');
  message();
  expect(page.text).toBe('');
  for (const _ of ['live', 'sent again']) message({ id: 'theirs', messageId: 'm2', text: 'hello' });
  expect(page.text).toBe('[local:owner: hello]\n');
});

test('a message of its own is not shown when it is sent again after a reconnect', () => {
  const { page, transcript, show, message } = open();
  transcript.sent('mine');
  message();
  show('settled');
  message();
  expect(page.text).toBe('');
});

test('it knows whether an agent answers and which command of its own runs', () => {
  const { transcript, show, message } = open();
  show('typing', { on: true, turn: 't1' });
  expect(transcript.isAnswering).toBe(true);
  show('typing', { on: false, turn: 't1' });
  expect(transcript.isAnswering).toBe(false);
  show('typing', { on: true, turn: 't2' });
  transcript.lost();
  expect(transcript.isAnswering).toBe(false);
  transcript.sent('mine');
  message({ kind: 'exec' });
  expect(transcript.runningCommand).toBe('m1');
  show('settled');
  expect(transcript.runningCommand).toBeUndefined();
});

test('it knows whether an agent is to answer a message of its own, which one that is kept is not', () => {
  const { transcript, show } = open();
  transcript.sent('mine');
  expect(transcript.isAwaited).toBe(false);
  transcript.decided('mine', { messageId: 'm1', kind: 'turn', admission: 'hold' });
  expect(transcript.isAwaited).toBe(false);
  transcript.decided('mine', { messageId: 'm1', kind: 'turn', admission: 'dispatch' });
  expect(transcript.isAwaited).toBe(true);
  show('settled');
  transcript.decided('mine', { messageId: 'm1', kind: 'turn', admission: 'dispatch' });
  expect(transcript.isAwaited).toBe(false);
  transcript.sent('command');
  transcript.decided('command', { messageId: 'm2', kind: 'exec', admission: 'dispatch' });
  expect(transcript.isAwaited).toBe(false);
  expect(transcript.runningCommand).toBe('m2');
});

test('events that were left out are mentioned', () => {
  const { page, show } = open();
  show('dropped', { count: 3 });
  expect(page.text).toBe('[some of what was said meanwhile is not shown]\n');
});

test('what waits for its outcome is known with whether it is on disk, once it is decided', () => {
  const { transcript, show } = open();
  for (const id of ['mine', 'unrecorded', 'undecided']) transcript.sent(id);
  expect(transcript.awaited).toEqual({ recorded: 0, unrecorded: 0 });
  transcript.decided('mine', { messageId: 'm1', kind: 'turn', admission: 'dispatch', recorded: true });
  transcript.decided('unrecorded', { messageId: 'm2', kind: 'exec', admission: 'dispatch', recorded: false });
  expect(transcript.awaited).toEqual({ recorded: 1, unrecorded: 1 });
  show('settled');
  expect(transcript.awaited).toEqual({ recorded: 0, unrecorded: 1 });
});
