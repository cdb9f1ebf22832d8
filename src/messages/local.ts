/**
 * This machine's own people, at the control socket, over HTTP on loopback and on the page: the one platform that
 * the gateway knows by name. Two things are special about it, and both stand here alone: everybody there is an
 * owner, for the socket's mode and the token let nobody else in; and whoever writes there waits at the connection,
 * which brings every answer, so that nothing is sent to them and nothing left out for the sake of a busy group.
 */
import { conversationKey, parseConversationKey } from './inbound.ts';

export const LOCAL_PLATFORM = 'local';

/** Who writes there, as sender and as actor. */
export const LOCAL_OWNER = `${LOCAL_PLATFORM}:owner`;

/** True for a sender or an actor of this machine: an owner, whoever it is. */
export const isLocalOwner = (sender: string): boolean => sender.startsWith(`${LOCAL_PLATFORM}:`);

/** True when whoever wrote the message waits at the connection that brought it. */
export const waitsAtConnection = ({ platform }: { readonly platform: string }): boolean =>
  platform === LOCAL_PLATFORM;

/** The key of a local conversation, by that key (as a status shows it) or by its id alone. */
export function localConversation(named: string): string {
  return parseConversationKey(named)?.platform === LOCAL_PLATFORM
    ? named
    : conversationKey(LOCAL_PLATFORM, named);
}
