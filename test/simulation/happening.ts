/**
 * What happens in a simulated world, in order: all that the checker knows, and what is printed of a seed that failed.
 * Nothing here is told by the gateway of itself but what it was asked to decide and what it handed to its store.
 */
import type { Admission, MessageEvent } from '../../machines/events.ts';
import type { Outbound } from '../../src/messages/outbound.ts';
import type { SendTrouble } from '../../src/platforms/platform.ts';
import type { Write } from '../../src/store/write.ts';

/** What a person wrote, and what it is by the requirement. */
export interface Said {
  /** Unique in the world; stands in the text, and is the platform's id of the message. */
  readonly key: string;
  readonly platform: 'chat' | 'local';
  readonly conversation: string;
  readonly sender: string;
  readonly text: string;
  readonly kind: 'turn' | 'exec' | 'control' | 'resume';
  /** Of a turn: to be kept while the gateway drains. */
  readonly queues?: boolean;
}

/** How a life's rules are set. */
export interface Rules {
  readonly resume: 'auto' | 'ask' | 'always' | 'never';
  readonly effects: 'none' | 'possible';
  readonly maxAgeMs: number;
  readonly onExpired: 'answer' | 'ask' | 'expire';
  /** The platform recognises a message that is sent again. */
  readonly sendsOnce: boolean;
  /** The platform can be asked what arrived. */
  readonly canAsk: boolean;
}

/** How an attempt to send ended, as the gateway heard of it. */
export type Told = 'well' | SendTrouble;

export type Happening =
  | { readonly what: 'begins'; readonly life: number; readonly wallMs: number }
  /** It has a number in the store from now on. */
  | { readonly what: 'registered'; readonly life: number; readonly id: number }
  /** It goes on with what dead lives left. */
  | { readonly what: 'resumed'; readonly life: number }
  | { readonly what: 'died'; readonly life: number; readonly where: string }
  | { readonly what: 'left'; readonly life: number; readonly cause: string }
  | { readonly what: 'handed'; readonly life: number; readonly said: Said; readonly receivedAt: number }
  | { readonly what: 'acknowledged'; readonly life: number; readonly key: string; readonly recorded: boolean }
  | { readonly what: 'turned away'; readonly life: number; readonly key: string }
  | {
      readonly what: 'judged';
      readonly life: number;
      readonly event: MessageEvent;
      readonly state: string;
      readonly degraded: readonly string[];
      readonly admission: Admission | undefined;
    }
  /** Somebody wants that it is not answered; it may be too late for that. */
  | { readonly what: 'given up'; readonly life: number; readonly key: string }
  /** Nothing is under way in this life that could end, and the chart counts these messages as work. */
  | {
      readonly what: 'idle';
      readonly life: number;
      readonly work: readonly string[];
      readonly state: string;
    }
  /** `taken`: false where the store knew the message already. */
  | {
      readonly what: 'committed';
      readonly life: number;
      readonly unit: readonly Write[];
      readonly taken: boolean;
      readonly wallMs: number;
    }
  | {
      readonly what: 'turn begins';
      readonly life: number;
      readonly turn: string;
      readonly conversation: string;
      readonly key: string;
    }
  | { readonly what: 'turn says'; readonly turn: string; readonly text: string }
  | { readonly what: 'turn ends'; readonly turn: string; readonly how: 'well' | 'failed' | 'told to stop' }
  /** `outage`: the store could not be written at that moment. */
  | { readonly what: 'program begins'; readonly life: number; readonly key: string; readonly outage: boolean }
  | { readonly what: 'program ends'; readonly key: string; readonly how: 'well' | 'failed' | 'ended' }
  | {
      readonly what: 'attempt';
      readonly life: number;
      readonly outbound: Outbound;
      readonly wallMs: number;
    }
  | {
      readonly what: 'attempt over';
      readonly id: string;
      readonly arrived: boolean;
      readonly told: Told | null;
      readonly wallMs: number;
    }
  | { readonly what: 'asked after'; readonly id: string; readonly answer: 'delivered' | 'absent' | 'unknown' }
  /** Something went wrong, or time was set; `while`: the state of the gateway. */
  | { readonly what: 'fault'; readonly fault: string; readonly while: string }
  /** The log says that something failed inside the gateway. */
  | { readonly what: 'defect'; readonly life: number; readonly message: string }
  | { readonly what: 'world'; readonly does: string };

/** For so long a chat that wants to wait is to be left alone. */
export const NAMED_WAIT_MS = 3000;

/** One line of the list of events. */
export function lineOf(happening: Happening, at: number): string {
  const { what, ...rest } = happening;
  return `${String(at).padStart(8)} ms  ${what}  ${JSON.stringify(rest)}`;
}
