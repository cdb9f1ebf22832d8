/**
 * Names the words a person probably meant: for an unknown command, an unknown key, an unknown agent. Pure; the
 * cost is bounded because longer words than `WORD_LENGTH_MAX` are never compared.
 */

/** A word beyond this is no typo of ours; comparing it would only cost time. */
const WORD_LENGTH_MAX = 64;

/** A typed word this short or shorter says too little to be taken for the beginning of a longer one. */
const PREFIX_LENGTH_MIN = 2;

/**
 * The candidates nearest to `word`, best first, at most `max`; ties keep the order of `candidates`. Near means one
 * edit (insert, delete, replace, swap of neighbours) for each three letters, at least one, or that `word` is the
 * beginning of the candidate. Case does not count. Empty when nothing is near.
 */
export function nearest(word: string, candidates: readonly string[], max = 3): string[] {
  const typed = word.toLowerCase();
  if (typed === '' || typed.length > WORD_LENGTH_MAX) return [];
  const editsMax = Math.max(1, Math.floor(typed.length / 3));
  return candidates
    .map((candidate) => ({ candidate, rank: rankOf(typed, candidate.toLowerCase(), editsMax) }))
    .filter(({ rank }) => rank <= editsMax + 1)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, max)
    .map(({ candidate }) => candidate);
}

/** Edits between the two, or `editsMax + 1` for a mere beginning, or infinity when the candidate is not near. */
function rankOf(typed: string, candidate: string, editsMax: number): number {
  if (candidate.length > WORD_LENGTH_MAX) return Number.POSITIVE_INFINITY;
  if (Math.abs(candidate.length - typed.length) <= editsMax) {
    const edits = editDistance(typed, candidate);
    if (edits <= editsMax) return edits;
  }
  const begins = typed.length >= PREFIX_LENGTH_MIN && candidate.startsWith(typed);
  return begins ? editsMax + 1 : Number.POSITIVE_INFINITY;
}

/** Optimal string alignment: like Levenshtein, and a swap of two neighbours counts once (`sttaus`). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = cell(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let edits = Math.min(cell(last, column) + 1, cell(current, column - 1) + 1, replaced);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, cell(beforeLast, column - 2) + 1);
      }
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return cell(last, b.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
