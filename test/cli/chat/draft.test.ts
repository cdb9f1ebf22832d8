/** Editing a text by keys: what a person counts as one character is one, lines are lines, pastes are text. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DRAFT_CHARS_MAX, draftOf, insert } from '../../../src/cli/chat/draft.ts';
import { Editor, type Key } from '../../../src/cli/chat/editor.ts';
import { charactersOf } from '../../../src/cli/chat/width.ts';

const FAMILY = '👨‍👩‍👧';

/** `C-a`, `M-return`, `left`; a text in quotes is typed. */
function press(editor: Editor, ...keys: string[]): string[] {
  return keys.flatMap((key) => {
    if (key.startsWith("'"))
      return [...key.slice(1)].map((one) => editor.press({ sequence: one, name: one }));
    const name = key.replace(/^([CM]-)+/, '');
    const more: Key = { name, ctrl: key.startsWith('C-'), meta: key.startsWith('M-'), sequence: '\x1b[x' };
    return [editor.press(more)];
  });
}

/** The text with a bar where the cursor is. */
const seen = ({ draft: { text, cursor } }: Editor): string =>
  `${text.slice(0, cursor)}|${text.slice(cursor)}`;

function written(text: string, ...keys: string[]): string {
  const editor = new Editor([]);
  editor.draft = draftOf(text);
  press(editor, ...keys);
  return seen(editor);
}

describe('moving and deleting', () => {
  test.each([
    ['ab', ['left'], 'a|b'],
    ['ab', ['left', 'left', 'left'], '|ab'],
    ['ab', ['right'], 'ab|'],
    [`a${FAMILY}b`, ['left', 'left'], `a|${FAMILY}b`],
    [`a${FAMILY}`, ['backspace'], 'a|'],
    ['cafe\u0301', ['backspace'], 'caf|'],
    ['日本', ['left', 'backspace'], '|本'],
    ['ab', ['home', 'delete'], '|b'],
    ['ab', ['C-a', 'C-d'], '|b'],
    ['one two', ['C-w'], 'one |'],
    ['one two  ', ['C-w'], 'one |'],
    ['größe – maß', ['M-b', 'C-k'], 'größe – |'],
    ['one two', ['C-a', 'M-f'], 'one| two'],
    ['one two', ['C-a', 'M-d'], '| two'],
    ['one two', ['C-left', 'C-left', 'C-right'], 'one| two'],
    ['one two', ['M-b', 'C-u'], '|two'],
    ['one two', ['C-w', 'home', 'C-y'], 'two|one '],
    ['one ❤️', ['M-b'], '|one ❤️'],
    ['one ❤️ two', ['C-a', 'M-f', 'right', 'right'], 'one ❤️| two'],
    ['one 𠮷𠮷', ['C-w'], 'one |'],
    ['e\u0301te\u0301 a', ['C-a', 'M-d'], '| a'],
    ['', ['backspace', 'delete', 'left', 'right', 'C-w', 'C-k', 'M-f', 'home', 'end'], '|'],
  ])('%j, then %j', (text, keys, expected) => {
    expect(written(text, ...keys)).toBe(expected);
  });

  test.each([
    ['ab\ncd', ['home'], 'ab\n|cd'],
    ['ab\ncd', ['up', 'home'], '|ab\ncd'],
    ['ab\ncd', ['up', 'end'], 'ab|\ncd'],
    ['ab\ncd', ['up', 'end', 'C-k'], 'ab|cd'],
    ['ab\ncd', ['home', 'backspace'], 'ab|cd'],
    ['日本\nabc', ['up'], '日|本\nabc'],
    ['a\nlonger', ['up'], 'a|\nlonger'],
    ['a\n\nb', ['up', 'up', 'down'], 'a\n|\nb'],
  ])('on several lines: %j, then %j', (text, keys, expected) => {
    expect(written(text, ...keys)).toBe(expected);
  });
});

describe('the cursor', () => {
  test('goes behind what joins when it is written: an accent with its letter, two letters with a flag', () => {
    const editor = new Editor([]);
    editor.draft = { text: '\u0301a', cursor: 0 };
    press(editor, "'e");
    expect(seen(editor)).toBe('e\u0301|a');
    editor.draft = { text: '🇪x', cursor: 0 };
    press(editor, "'🇩");
    expect(seen(editor)).toBe('🇩🇪|x');
    editor.draft = { text: 'ex\u0301', cursor: 1 };
    press(editor, 'C-d');
    expect(seen(editor)).toBe('e|');
  });

  test('never stands within a character, whatever is pressed', () => {
    const keys = [
      'left',
      'right',
      'home',
      'end',
      'up',
      'down',
      'C-left',
      'C-right',
      'backspace',
      'C-d',
      'C-w',
      'M-d',
      'C-y',
      'C-j',
    ];
    const typed = ["'e", "'\u0301", "'日", `'${FAMILY}`, "'🇩", "'🇪", "'❤", "'\ufe0f", "' ", "'\u200d"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...keys, ...typed), { maxLength: 40 }), (pressed) => {
        const editor = new Editor([]);
        for (const key of pressed) {
          press(editor, key);
          const { text, cursor } = editor.draft;
          const bounds = [0];
          for (const one of charactersOf(text)) bounds.push((bounds.at(-1) ?? 0) + one.length);
          expect(bounds).toContain(cursor);
        }
      }),
    );
  });
});

describe('writing', () => {
  test('a key without a character of its own writes nothing, and a control character never gets in', () => {
    const editor = new Editor([]);
    expect(press(editor, "'a", 'f5', 'M-x', 'C-q', "'b")).toEqual(Array(5).fill('edited'));
    expect(seen(editor)).toBe('ab|');
    expect(insert(draftOf('a'), '\x1b[31mred\x07\x9b2J').text).toBe('ared');
  });

  test('Ctrl-J and Alt-Enter begin a new line; Enter submits; a name of a property is no key', () => {
    const editor = new Editor([]);
    expect(press(editor, "'a", 'enter', "'b", 'M-return', "'c", 'return', 'toString', 'constructor')).toEqual(
      ['edited', 'edited', 'edited', 'edited', 'edited', 'submit', 'edited', 'edited'],
    );
    expect(seen(editor)).toBe('a\nb\nc|');
  });

  test('a paste is text, whatever keys it looks like, and its line ends are one each', () => {
    const editor = new Editor(['past']);
    press(editor, "'x", 'paste-start');
    for (const key of [
      { name: 'c', ctrl: true, sequence: '\x03' },
      { name: 'tab', sequence: '\t' },
      { name: 'return', sequence: '\r' },
      { name: 'enter', sequence: '\n' },
      { name: 'up', sequence: '\x1b[A' },
      { name: 'return', sequence: '\r' },
      { name: 'return', sequence: '\r' },
      { name: 'y', sequence: 'y' },
    ]) {
      expect(editor.press(key)).toBe('edited');
    }
    expect(press(editor, 'paste-end', 'return')).toEqual(['edited', 'submit']);
    expect(seen(editor)).toBe('x\t\n\n\ny|');
  });

  test('a draft has a limit, and what is beyond is left out', () => {
    expect(insert(draftOf('a'.repeat(DRAFT_CHARS_MAX - 1)), '😀').text.isWellFormed()).toBe(true);
    const draft = insert(draftOf('a'.repeat(DRAFT_CHARS_MAX - 2)), 'bcde');
    expect(draft.text.length).toBe(DRAFT_CHARS_MAX);
    expect(draft.text.endsWith('abc')).toBe(true);
  });

  test('Ctrl-D leaves when nothing is written, and deletes when something is', () => {
    const editor = new Editor([]);
    expect(press(editor, 'C-d')).toEqual(['leave']);
    expect(press(editor, "'a", 'C-d', 'C-c', 'tab', 'C-l')).toEqual([
      'edited',
      'edited',
      'interrupt',
      'complete',
      'redraw',
    ]);
  });
});

describe('the history', () => {
  test('is walked through by lines that end, and gives back what was being written', () => {
    const editor = new Editor(['first', 'second\nline']);
    press(editor, "'new", 'up');
    expect(seen(editor)).toBe('second\nline|');
    press(editor, 'up', 'up');
    expect(seen(editor)).toBe('first|');
    press(editor, 'up', 'down');
    expect(seen(editor)).toBe('second\nline|');
    press(editor, 'down', 'down');
    expect(seen(editor)).toBe('new|');
  });

  test('is begun at its end again after a submit, with what was submitted', () => {
    const history = ['first'];
    const editor = new Editor(history);
    press(editor, "'second");
    history.push(editor.clear());
    editor.clear();
    press(editor, 'up');
    expect(seen(editor)).toBe('second|');
  });
});
