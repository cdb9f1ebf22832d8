import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/messages/near.ts';

const commands = ['status', 'restart', 'stop', 'drain', 'help', 'ps', 'restart-sglang'];

describe('the nearest words', () => {
  test.each([
    ['a letter left out', 'statu', ['status']],
    ['a letter too many', 'draiin', ['drain']],
    ['a wrong letter', 'ztop', ['stop']],
    ['two neighbours swapped, which counts once', 'ehlp', ['help']],
    ['capitals', 'STATUS', ['status']],
    ['a beginning, behind what is nearer', 'restar', ['restart', 'restart-sglang']],
    ['two edits in a word of six letters', 'sttauz', ['status']],
    ['two edits in a word of four letters are too many', 'hxlx', []],
    ['nothing like it', 'weather', []],
    ['no word at all', '', []],
  ])('%s', (_, word, expected) => {
    expect(nearest(word, commands)).toEqual(expected);
  });

  test('at most as many as asked for are named, in the order of the candidates when equally near', () => {
    expect(nearest('cat', ['bat', 'hat', 'rat', 'mat'])).toEqual(['bat', 'hat', 'rat']);
    expect(nearest('cat', ['bat', 'hat', 'rat', 'mat'], 1)).toEqual(['bat']);
  });

  test('a word longer than any name is near nothing, however long', () => {
    expect(nearest('x'.repeat(1_000_000), ['x'.repeat(65), 'x'])).toEqual([]);
  });

  test('any word is nearest to itself, and one edit away is still near', () => {
    const word = fc.stringMatching(/^[a-z]{2,12}$/);
    fc.assert(
      fc.property(word, word, fc.nat(), (own, other, seed) => {
        expect(nearest(own, [other, own])[0]?.toLowerCase()).toBe(own);
        const at = seed % own.length;
        expect(nearest(`${own.slice(0, at)}q${own.slice(at)}`, [own])).toEqual([own]);
      }),
    );
  });
});
