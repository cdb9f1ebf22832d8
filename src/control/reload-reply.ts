/** What became of a reload, as both faces answer it. */
import type { PlannedChange } from '../config/configuration.ts';
import { latest } from '../config/key-facts.ts';
import { problemsDocument } from '../config/problems.ts';
import { ERRORS } from '../errors.ts';
import type { Reloaded } from '../gateway/reloads.ts';
import { type ApiReply, failure } from './api-reply.ts';

/**
 * 200 with each changed key, 409 where nothing is changed. `withValues`: what stands in the file is in it, the values of
 * changed keys and the lines that are wrong; that is for its owner at the control socket, never for a page.
 */
export function reloadReply(reloaded: Reloaded, withValues: boolean): ApiReply {
  if (reloaded.is === 'refused') {
    const { code, message } = reloaded.error;
    return failure(code === 'INTERNAL' ? 500 : 409, code, message);
  }
  const { file } = reloaded;
  if (reloaded.is === 'applied') {
    const { changes, warnings, notes } = reloaded;
    const needs = changes.length === 0 ? null : latest(changes.map(({ applies }) => applies));
    const shown = withValues ? changes : changes.map(withoutValues);
    return { status: 200, json: { file, changes: shown, needs, warnings, notes } };
  }
  const { errors, more } = problemsDocument(reloaded.problems);
  const count = errors.length + more;
  const message = `nothing is changed: ${file} has ${count} error${count === 1 ? '' : 's'}`;
  const { hint } = ERRORS.CONFIG_INVALID;
  const shown = withValues ? errors : errors.map((error) => ({ ...error, source: '' }));
  return {
    status: 409,
    json: { error: { code: 'CONFIG_INVALID', message, hint }, file, errors: shown, more },
  };
}

const withoutValues = ({ key, change, applies, heldBy }: PlannedChange) => ({ key, change, applies, heldBy });
