/**
 * `sluice messages backup`: a copy of the store, taken beside whoever writes it. It needs no gateway and asks none: the
 * copy is one moment of the file, made by SQLite itself.
 */
import { absolutePath } from '../../config/paths.ts';
import type { Signals } from '../../process/signals.ts';
import { type Context, EXIT } from '../context.ts';
import { requireStore } from '../ledger-reads.ts';

export async function backupMessages(context: Context, file: string, signals: Signals): Promise<number> {
  const { cwd, json, output, paths } = context;
  requireStore(context);
  const path = absolutePath(file, cwd);
  // A Ctrl-C leaves no half copy behind.
  const stop = new AbortController();
  signals.install();
  signals.attach(({ signal }) => stop.abort(new Error(`${signal} ended it`)));
  const { copyStore } = await import('../../offline/reads.ts');
  const bytes = await copyStore(paths.store, path, stop.signal);
  if (json) output.json({ path, bytes });
  else output.print(`${path}: ${sizeOf(bytes)}`);
  return EXIT.done;
}

const MB = 1024 * 1024;

const sizeOf = (bytes: number): string =>
  bytes < MB ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / MB).toFixed(1)} MB`;
