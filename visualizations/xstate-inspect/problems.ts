/**
 * What goes wrong in the bridge, told once and then ever more rarely: a viewer that is behind, or a context
 * that cannot be rendered, would otherwise fill the log with one line an event.
 */
/** What a problem is counted under: showing a chart, a viewer's message, its connection, and the limits. */
export type ProblemKind = 'show' | 'message' | 'viewer' | 'behind' | 'control' | 'actors';

export type ProblemReporter = (kind: ProblemKind, problem: string) => void;

/** Reports the 1st, 2nd, 4th, 8th … problem of a kind, with the count. Never throws. */
export function problemReporter(onProblem: (text: string) => void): ProblemReporter {
  const counts = new Map<ProblemKind, number>();
  return (kind, problem) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (!Number.isInteger(Math.log2(count))) return;
    try {
      onProblem(`XState inspector: ${problem}${count > 1 ? ` (${count} times)` : ''}`);
    } catch {
      // Whoever listens to problems has one: there is nobody left to tell, and the actor must not suffer.
    }
  };
}
