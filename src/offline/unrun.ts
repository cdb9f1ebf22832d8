/**
 * The end of a command that was interrupted while nobody knew whether the gateway begins it: its id is taken as one that
 * was not run, so that no gateway begins it any more. Where that was too late, what is known of it. To look without
 * taking would not do: nobody sees a commit that is under way.
 */
import * as endingReplies from '../messages/ending-replies.ts';
import { type Earlier, earlierOf } from './earlier.ts';
import { type ExecMessage, execRow, Recording, type RecordingOptions, settling } from './recording.ts';

export interface UnrunOptions extends RecordingOptions, ExecMessage {
  readonly name: string;
  /** What interrupted it, as people call it. */
  readonly because: string;
  /** Ends the wait for the store. */
  readonly signal: AbortSignal;
}

/** `unrun`: nobody has run it, and nobody will; `unrecorded`: the store could not be written, so that nothing is known. */
export async function takeAsUnrun(options: UnrunOptions): Promise<'unrun' | 'unrecorded' | Earlier> {
  const { name, because, id, paths, signal } = options;
  await using recording = await Recording.open(options, signal);
  const row = execRow(options, recording.life);
  const text = endingReplies.commandNotRun(name, because);
  const settlement = { outcome: 'interrupted', reason: 'not-run', replies: [text] } as const;
  const unit = [{ op: 'receive', message: row } as const, ...settling(row, settlement)];
  const claim = await recording.commit(unit, signal);
  if (claim !== 'duplicate') return claim === 'committed' ? 'unrun' : 'unrecorded';
  return earlierOf(paths.store, id) ?? 'unrecorded';
}
