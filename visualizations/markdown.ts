/** The tables of a chart as markdown, for readers and for those who do not see the drawing. */
import type { AnyStateMachine } from 'xstate';
import { definitionOf, type TransitionInfo, transitionsOf } from '../machines/catalog.ts';
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
export function transitionsMarkdown({
  chart,
  transitions,
}: Pick<SceneFile, 'chart' | 'transitions'>): string {
  return document(transitionsBlocks(chart, transitions));
}

/** A chart without phases: a drawing that a reader of Markdown makes of words, and every transition. */
export function flatChartMarkdown(chart: string, machine: AnyStateMachine): string {
  return document([...transitionsBlocks(chart, transitionsOf(machine)), drawing(machine)]);
}

function transitionsBlocks(chart: string, transitions: readonly TransitionInfo[]): string[] {
  return [
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
  ];
}

/** The states and what leads from one to another, in Mermaid's words; events of one way share an arrow. */
function drawing(machine: AnyStateMachine): string {
  const [root, ...states] = definitionOf(machine).states;
  const moves = transitionsOf(machine).filter(({ from, to }) => to !== null && to !== from);
  const ways = Map.groupBy(moves, ({ from, to }) => `${nodeOf(from)} --> ${nodeOf(to ?? '')}`);
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...states.map(({ path }) => `  state "${path}" as ${nodeOf(path)}`),
    `  [*] --> ${nodeOf(root?.initial ?? '')}`,
    ...[...ways].map(([way, shared]) => `  ${way}: ${[...new Set(shared.map(wordOf))].join(', ')}`),
    ...states.filter(({ type }) => type === 'final').map(({ path }) => `  ${nodeOf(path)} --> [*]`),
    '```',
  ].join('\n');
}

/** Mermaid takes no hyphen and no dot in a name. */
const nodeOf = (path: string): string => path.replaceAll(/[-.]/g, '_');
const wordOf = ({ event, guard }: TransitionInfo): string =>
  event === 'always' ? `at once [${guard ?? ''}]` : event;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function document(blocks: readonly string[]): string {
  return `${[NOTICE, ...blocks].join('\n\n')}\n`;
}
