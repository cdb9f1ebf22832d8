/** What stands on a terminal while a conversation grows above the rows that are drawn anew. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Draft, draftOf, EMPTY, insert } from '../../../src/cli/chat/draft.ts';
import { DRAFT_ROWS_MAX, layOut } from '../../../src/cli/chat/layout.ts';
import { Screen } from '../../../src/cli/chat/screen.ts';
import { columnAfter, cutTo, widthOf } from '../../../src/cli/chat/width.ts';
import { VirtualTerminal } from '../../support/virtual-terminal.ts';

const SIZE = { columns: 12, rows: 24 };

describe('widths', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['cafe\u0301', 4],
    ['👨‍👩‍👧', 2],
    ['', 0],
  ])('%j takes %i columns', (text, columns) => {
    expect(widthOf(text)).toBe(columns);
  });

  test.each([
    ['status', 6, 'status'],
    ['status', 5, 'stat…'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['ab', 0, ''],
  ])('%j cut to %i columns is %j', (text, columns, expected) => {
    expect(cutTo(text, columns)).toBe(expected);
  });

  test.each([
    [0, 'abc', 3],
    [4, 'abc\nde', 2],
    [8, 'ab', 10],
    [9, 'ab', 1],
    [0, 'x'.repeat(25), 5],
    [9, '日', 2],
    [0, '日本日本日本', 2],
  ])('from column %i, %j ends in column %i of ten', (from, text, expected) => {
    expect(columnAfter(from, text, 10)).toBe(expected);
  });
});

describe('the rows below', () => {
  const laid = (text: string, cursor = text.length, size = SIZE) => layOut('state', { text, cursor }, size);

  test.each<[string, number, string[], { row: number; column: number }]>([
    ['', 0, ['state', '> '], { row: 1, column: 2 }],
    ['hello', 5, ['state', '> hello'], { row: 1, column: 7 }],
    ['a\nb', 0, ['state', '> a', '  b'], { row: 1, column: 2 }],
    ['a\nb', 3, ['state', '> a', '  b'], { row: 2, column: 3 }],
    ['123456789abc', 12, ['state', '> 123456789', '  abc'], { row: 2, column: 5 }],
    ['123456789', 9, ['state', '> 123456789', '  '], { row: 2, column: 2 }],
    ['123456789', 8, ['state', '> 123456789'], { row: 1, column: 10 }],
    ['日本日本日', 5, ['state', '> 日本日本', '  日'], { row: 2, column: 4 }],
    ['a\tb', 3, ['state', '> a b'], { row: 1, column: 5 }],
  ])('%j with the cursor at %i', (text, cursor, rows, at) => {
    expect(laid(text, cursor)).toEqual({ rows, cursor: at });
  });

  test('of a long draft show the rows around the cursor, and fit a low terminal', () => {
    const text = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
    expect(laid(text).rows).toHaveLength(1 + DRAFT_ROWS_MAX);
    expect(laid(text).rows.at(-1)).toBe('  line 29');
    expect(laid(text, 0)).toMatchObject({ rows: { 1: '> line 0' }, cursor: { row: 1, column: 2 } });
    expect(laid(text, text.length, { columns: 12, rows: 4 }).rows).toEqual([
      'state',
      '  line 28',
      '  line 29',
    ]);
  });

  test('never pass the edge, whatever is written and however narrow it is', () => {
    const texts = fc.array(fc.constantFrom('a', ' ', '日', '👨‍👩‍👧', 'e\u0301', '\n', '\t', 'word '), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(texts, fc.nat(), fc.integer({ min: 5, max: 40 }), (pieces, at, columns) => {
        const cursor = pieces.slice(0, at % (pieces.length + 1)).join('').length;
        const layout = layOut('a status', { text: pieces.join(''), cursor }, { columns, rows: 10 });
        for (const row of layout.rows) expect(widthOf(row)).toBeLessThan(columns);
        expect(layout.cursor.column).toBeLessThan(columns);
        expect(layout.cursor.row).toBeLessThan(layout.rows.length);
        expect(layout.rows.length).toBeLessThan(10);
      }),
    );
  });
});

describe('the screen', () => {
  function open(columns = SIZE.columns) {
    const terminal = new VirtualTerminal(columns);
    const screen = new Screen(terminal);
    const show = (draft: Draft) => screen.show(layOut('state', draft, terminal));
    show(EMPTY);
    return { terminal, screen, show };
  }

  test('an answer grows above what is being written', () => {
    const { terminal, screen, show } = open();
    show(draftOf('typing'));
    screen.say('one ');
    expect(terminal.screen).toEqual(['one', 'state', '> typing']);
    expect(terminal.cursor).toEqual({ row: 2, column: 8 });
    screen.say('two\nthree');
    expect(terminal.screen).toEqual(['one two', 'three', 'state', '> typing']);
    screen.freshLine();
    screen.note('a note');
    expect(terminal.screen).toEqual(['one two', 'three', 'a note', 'state', '> typing']);
  });

  test('a line that is as long as the terminal is wide goes on below, without an empty one between', () => {
    const { terminal, screen } = open(10);
    screen.say('123456789');
    screen.say('0');
    screen.say('ab');
    expect(terminal.screen).toEqual(['1234567890', 'ab', 'state', '>']);
    screen.say('\n1234567890');
    screen.say('\nnext\n\nlast');
    expect(terminal.screen).toEqual(['1234567890', 'ab', '1234567890', 'next', '', 'last', 'state', '>']);
  });

  test('a wide character that does not fit goes to the next line whole', () => {
    const { terminal, screen } = open(5);
    screen.say('日本');
    screen.say('語');
    screen.say('x');
    expect(terminal.screen).toEqual(['日本', '語x', 'sta…', '>']);
  });

  test('what an agent writes is text: no sequence of its own reaches the terminal', () => {
    const { terminal, screen } = open(40);
    screen.say('a\x1b[2Jb\x1b]0;title\x07c\rd\x9b1A\te');
    expect(terminal.screen).toEqual(['abcd    e', 'state', '>']);
  });

  test('drawing less takes the rest away, and leaving takes all of it', () => {
    const { terminal, screen, show } = open();
    show(draftOf('a\nb\nc'));
    show(draftOf('a'));
    expect(terminal.screen).toEqual(['state', '> a']);
    screen.say('half');
    screen[Symbol.dispose]();
    expect(terminal.screen).toEqual(['half']);
    expect(terminal.cursor).toEqual({ row: 1, column: 0 });
  });

  test('narrower than what is drawn there, all of it is drawn anew and nothing of the old remains', () => {
    const { terminal, screen, show } = open(40);
    screen.say('a line that is as long as thirty-six');
    screen.freshLine();
    screen.say('half a line of an answer ');
    show(draftOf('what is being written just now'));
    expect(terminal.screen).toHaveLength(4);
    terminal.resize(12, 24);
    show(draftOf('what is being written just now'));
    screen.say('goes on');
    expect(terminal.screen).toEqual(
      [
        'a line that',
        'is as long a',
        's thirty-six',
        'half a line',
        'of an answer',
        ' goes on',
        'state',
        '> what is b',
        '  eing writ',
        '  ten just ',
        '  now',
      ].map((line) => line.trimEnd()),
    );
    expect(terminal.cursor).toEqual({ row: 10, column: 5 });
  });

  test('wider than it was, a line that was broken is one again and goes on at its end', () => {
    const { terminal, screen, show } = open(10);
    screen.say('0123456789ab');
    show(draftOf('draft'));
    terminal.resize(40, 24);
    show(draftOf('draft'));
    screen.say('cd');
    expect(terminal.screen).toEqual(['0123456789abcd', 'state', '> draft']);
  });

  test('however often its size changes, everything said stands there once, above one status line', () => {
    const said = fc.constantFrom('a', 'b ', '日', '👨‍👩‍👧', '\n', 'word', '0123456789');
    const steps = fc.array(fc.oneof(said, fc.integer({ min: 8, max: 40 })), { maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.string({ maxLength: 30 }), (each, written) => {
        const { terminal, screen, show } = open(20);
        for (const step of each) {
          if (typeof step === 'string') screen.say(step);
          else terminal.resize(step, 4 + (step % 20));
          show(insert(EMPTY, written));
        }
        screen[Symbol.dispose]();
        const dense = (text: string) => text.replaceAll(/\s/g, '');
        const text = each.filter((step) => typeof step === 'string').join('');
        expect(dense(terminal.screen.join(''))).toBe(dense(text));
      }),
    );
  });

  test('however it is cut into pieces, an answer stands there as if it had come at once', () => {
    const characters = fc.constantFrom('a', 'b ', '日', '👨‍👩‍👧', '\n', 'word', '0123456789');
    fc.assert(
      fc.property(
        fc.array(characters, { maxLength: 40 }),
        fc.integer({ min: 6, max: 20 }),
        (pieces, columns) => {
          const whole = open(columns);
          const piecewise = open(columns);
          const text = pieces.join('');
          whole.screen.say(text);
          for (const piece of pieces) {
            piecewise.screen.say(piece);
            piecewise.show(draftOf('x'));
            piecewise.show(EMPTY);
          }
          expect(piecewise.terminal.screen).toEqual(whole.terminal.screen);
        },
      ),
    );
  });
});
