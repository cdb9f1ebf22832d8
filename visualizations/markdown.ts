/** The tables of a chart as markdown, for readers and for those who do not see the drawing. */
import { INTERRUPTED_CODE } from '../machines/exit.ts';
import { COLUMNS, type ExitTable } from './admission-table.ts';
import type { AdmissionRow, SceneFile } from './scene.ts';

const NOTICE = '<!-- Printed by visualizations/render.ts from machines/; do not edit. -->';

/** The admission table and the table of exit codes. */
export function admissionMarkdown({ admission, wide }: SceneFile, exits: ExitTable): string {
  const phases = wide.nodes.filter(({ c }) => c === true).map(({ id }) => id);
  return document([
    '# What each state admits',
    table(
      ['state', 'control', 'exec', 'alias', 'turn', 'turn, `whenBusy: queue`'],
      admissionRows(admission, phases),
    ),
    '# What each cause leaves with',
    table(
      ['cause', ...exits.columns.map((supervisors) => supervisors.join(', '))],
      [
        ...exits.rows.map(({ causes, exits: cells }) => [
          causes.map((cause) => `\`${cause}\``).join(', '),
          ...cells.map(({ code, reexecute }) =>
            reexecute ? `re-executes itself in place; ${code} if it cannot` : String(code),
          ),
        ]),
        ['third SIGINT, without asking the chart', ...exits.columns.map(() => String(INTERRUPTED_CODE))],
      ],
    ),
  ]);
}

function admissionRows(admission: readonly AdmissionRow[], phases: readonly string[]): string[][] {
  return admission.flatMap(({ state, cells, usableAgent }) => [
    [`\`${phases.includes(state) ? `${state}.*` : state}\``, ...COLUMNS.map((column) => cells[column])],
    ...(usableAgent === undefined
      ? []
      : [['… for a usable agent', ...COLUMNS.map((column) => usableAgent[column])]]),
  ]);
}

/** Every transition of the chart, in the order they are written: the drawing's twin in text. */
export function transitionsMarkdown({ chart, transitions }: SceneFile): string {
  return document([
    `# Every transition of the ${chart} chart`,
    'A state answers an event before the phase it stands in, and a phase before the root. Of several lines for one' +
      '\nevent in one state, the first whose guard holds is taken.',
    table(
      ['in', 'on', 'if', 'goes to', 'does'],
      transitions.map(({ from, event, guard, to, actions }) => [
        from === '' ? 'every state' : `\`${from}\``,
        event === 'always' ? 'at once' : `\`${event}\``,
        guard ?? '',
        to === null ? 'stays' : `\`${to}\``,
        actions.join(', '),
      ]),
    ),
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function document(blocks: readonly string[]): string {
  return `${[NOTICE, ...blocks].join('\n\n')}\n`;
}
