/**
 * A message as a platform hands it in, normalised. Keys of conversations are built and parsed here and
 * nowhere else, so that an id which contains the separator is still addressed right.
 */
import type { BusyMode } from '../../machines/events.ts';

/** Longest accepted text, in UTF-8 bytes. */
export const MESSAGE_BYTES_MAX = 256 * 1024;

/** Longest accepted id of a message, a conversation or a sender, in characters. */
export const ID_CHARS_MAX = 200;

export interface Inbound {
  readonly platform: string;
  /** The platform's id of the message: unique within the platform, the same when it is delivered again. */
  readonly platformMessageId: string;
  /** Key of the conversation, from `conversationKey`. */
  readonly conversation: string;
  /** Who wrote it: `platform:id`. */
  readonly sender: string;
  readonly text: string;
  /** Wall milliseconds. */
  readonly receivedAt: number;
  /** Asks for one agent by name; absent: the conversation's. */
  readonly agent?: string;
  readonly whenBusy?: BusyMode;
  /** It may become an exec command and nothing else: what is none is refused. */
  readonly only?: 'exec';
  /** Wall milliseconds after which the sender has given up: later it is not run. */
  readonly deadlineAt?: number;
}

const escapePart = (part: string): string => part.replaceAll('%', '%25').replaceAll(':', '%3A');
const unescapePart = (part: string): string => part.replaceAll('%3A', ':').replaceAll('%25', '%');

/** `platform:id`, each part escaped. */
export const conversationKey = (platform: string, id: string): string =>
  `${escapePart(platform)}:${escapePart(id)}`;

/** The parts of a key that `conversationKey` made; undefined for anything else. */
export function parseConversationKey(key: string): { platform: string; id: string } | undefined {
  const [platform, id, ...rest] = key.split(':');
  if (!platform || !id || rest.length > 0) return undefined;
  return { platform: unescapePart(platform), id: unescapePart(id) };
}

/** True when the text is no longer than a message may be. */
export const fitsMessage = (text: string): boolean =>
  text.length <= MESSAGE_BYTES_MAX / 3 || Buffer.byteLength(text) <= MESSAGE_BYTES_MAX;
