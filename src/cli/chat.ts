/**
 * `sluice chat`: a conversation with the gateway. On a terminal one that is drawn (`chat/session.ts`), through a pipe
 * one message a line. What only a terminal needs is loaded there.
 */
import type { Signals } from '../process/signals.ts';
import { chatByLines } from './chat/lines.ts';
import type { Context } from './context.ts';

export interface ChatOptions {
  readonly conversation?: string;
  /** Heard while the terminal is not as it was: it is put in order before the process leaves. */
  readonly signals: Signals;
}

export async function chat(
  context: Context,
  { conversation = 'default', signals }: ChatOptions,
): Promise<number> {
  const input = context.input();
  const { terminal } = context.output;
  if (terminal === undefined || !input.isTTY || context.json)
    return chatByLines(context, input, conversation);
  const { ChatSession } = await import('./chat/session.ts');
  await using session = new ChatSession({ context, input, terminal, conversation, signals });
  return await session.run();
}
