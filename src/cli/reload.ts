/**
 * `sluice reload`: the running gateway reads its configuration anew and says what became of each changed key. A file
 * that is not valid changes nothing, and all its errors are printed as `config check` prints them.
 */
import type { PlannedChange } from '../config/configuration.ts';
import type { Applies } from '../config/keys.ts';
import { type ProblemsDocument, problemText } from '../config/problems.ts';
import { counted } from './config-check.ts';
import { changeText } from './config-plan.ts';
import { type Context, EXIT, reportReply } from './context.ts';

/** How long it may take; a file of the largest size takes a second. */
const RELOAD_MS_MAX = 30_000;

/** What the gateway answers when it has reloaded. */
interface Reloaded {
  readonly file: string;
  readonly changes: readonly PlannedChange[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

/** What it answers when it has not. */
interface NotReloaded extends Partial<ProblemsDocument> {
  readonly error: { readonly code: string; readonly message: string };
  readonly file?: string;
}

/** 0: reloaded, 1: the file is not valid or cannot be applied here, 3: the gateway is leaving. */
export async function reload(context: Context, options: { config?: string }): Promise<number> {
  const { control, output } = context;
  if (options.config !== undefined) {
    output.note("A reload reads the gateway's own file; --config names another for other commands.");
  }
  const { status, json } = await control.request('POST', '/v1/reload', undefined, RELOAD_MS_MAX);
  if (status === 200) {
    if (context.json) output.json({ ok: true, ...json });
    else printReloaded(context, json as unknown as Reloaded);
    return EXIT.done;
  }
  const { error, ...invalid } = json as unknown as NotReloaded;
  if (error.code === 'GATEWAY_LEAVING') {
    reportReply(context, json);
    return EXIT.refused;
  }
  if (invalid.errors === undefined) return reportReply(context, json);
  if (context.json) output.json({ ok: false, ...json });
  else printErrors(context, invalid.file ?? '', { errors: invalid.errors, more: invalid.more ?? 0 });
  return EXIT.failed;
}

const WHEN: Readonly<Record<Applies, string>> = {
  now: 'now',
  turn: 'from the next turn',
  restart: 'needs a restart',
};

const WHEN_WIDTH = Math.max(...Object.values(WHEN).map(({ length }) => length));

function printReloaded({ output }: Context, { file, changes, warnings, notes }: Reloaded): void {
  for (const { applies, key, heldBy, ...change } of changes) {
    const held = heldBy === null ? '' : ` (no effect: ${heldBy} holds in the gateway's environment)`;
    output.print(`${WHEN[applies].padEnd(WHEN_WIDTH)}  ${key}  ${changeText(change)}${held}`);
  }
  for (const warning of warnings) output.print(`warning: ${warning}`);
  for (const note of notes) output.print(`note: ${note}`);
  output.print(`${file} is reloaded: ${summary(changes)}`);
}

function summary(changes: readonly PlannedChange[]): string {
  if (changes.length === 0) return 'nothing has changed.';
  const waiting = changes.filter(({ applies }) => applies === 'restart').length;
  const applied = counted(changes.length - waiting, 'change');
  if (waiting === 0) return `${applied}.`;
  return `${applied}, and ${waiting} that ${waiting === 1 ? 'waits' : 'wait'} for a restart: sluice restart`;
}

function printErrors({ output }: Context, file: string, { errors, more }: ProblemsDocument): void {
  for (const { message, hint, ...place } of errors) {
    output.print(
      problemText({ ...place, path: [], message: hint === '' ? message : `${message}; ${hint}` }, file),
    );
  }
  if (more > 0) output.print(`… and ${more} more`);
  output.print(`${file} has ${counted(errors.length + more, 'error')}; nothing is changed`);
}
