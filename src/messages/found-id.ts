/** What an id stands for that a person typed, and how it is said that it stands for nothing, or for too much. Pure. */
import { SluiceError } from '../errors.ts';
import { echoed } from './echoed.ts';

/** One thing. A turn and a command stand for their message. */
export type NamedThing =
  | { readonly is: 'message'; readonly id: string }
  /** A text that went out; `message` is the one it answers, null for a notice. */
  | { readonly is: 'outbound'; readonly id: string; readonly message: string | null };

export type FoundId =
  | NamedThing
  /** More than one begins so; some of them. */
  | { readonly is: 'several'; readonly ids: readonly string[] }
  /** None does; those it may have been meant for. */
  | { readonly is: 'none'; readonly near: readonly string[] };

/** The thing that `id` stands for. Throws NOT_FOUND or ID_AMBIGUOUS, and names what was probably meant. */
export function oneThing(id: string, found: FoundId): NamedThing {
  if (found.is === 'several') {
    const text = `"${echoed(id)}" is the beginning of several ids: ${found.ids.join(', ')}`;
    throw new SluiceError('ID_AMBIGUOUS', text);
  }
  if (found.is !== 'none') return found;
  const meant = found.near.length === 0 ? '' : `; did you mean ${found.near.join(' or ')}?`;
  throw new SluiceError('NOT_FOUND', `no message is known as "${echoed(id)}"${meant}`, {
    hint: "`sluice messages list` shows the newest. A stranger's message is not kept, nor one that could not be written.",
  });
}
