/**
 * Brings a text to its decision: classify, then the sender's role, then the chart. The same way for a new
 * message and for one that was held. What an alias stands for is judged again, as if it had been written.
 */
import type { MessageEvent, Refusal } from '../../machines/events.ts';
import { ALIAS_DEPTH_MAX } from '../config/aliases.ts';
import type { Config } from '../config/schema.ts';
import { type Classified, classify, commandName, commandText, rewritten } from '../messages/classify.ts';
import type { Role } from '../messages/commands.ts';
import { waitsAtConnection } from '../messages/local.ts';
import * as replies from '../messages/replies.ts';
import type { MessageRow } from '../store/records.ts';
import type { Access } from './access.ts';
import type { Outage } from './circuits.ts';
import { behindAliases, execIn } from './exec-only.ts';
import type { Rule } from './in-hand.ts';
import type { Lifecycle } from './lifecycle.ts';

export type Judged =
  | { readonly admission: 'dispatch'; readonly classified: Exclude<Classified, { kind: 'alias' }> }
  | { readonly admission: 'hold'; readonly classified: Classified }
  | {
      readonly admission: 'refuse';
      readonly rule: Rule;
      readonly text: string;
      readonly refusal: Refusal | null;
      /** What the text tells to do instead, where others of its kind do not. */
      readonly hint?: string;
    };

type Alias = Extract<Classified, { kind: 'alias' }>;

/** What of a message is judged. */
export type Judgeable = Pick<MessageRow, 'id' | 'text' | 'platform'> & {
  readonly agent: string;
  readonly whenBusy: NonNullable<MessageRow['whenBusy']>;
  /** Of a new message: refused unless it is an exec command. */
  readonly only?: 'exec';
  /** It was dispatched before: of an alias, what it stands for is judged. */
  readonly wasDispatched?: true;
};

export interface JudgeOptions {
  readonly config: () => Config;
  readonly access: Access;
  readonly lifecycle: Lifecycle;
  /** Milliseconds until the running deadline; null where none runs. */
  readonly leftMs: () => number | null;
  /** What is wrong with an agent that is down. */
  readonly outage: (agent: string) => Outage | undefined;
  /** What keeps the store from being written. */
  readonly storeObstacle: () => replies.StoreObstacle;
}

export class Judge {
  readonly #options: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  classify(text: string): Classified {
    return classify(text, this.#options.config().quickCommands);
  }

  /** True when the text asks for a restart, by its name or by an alias. */
  asksRestart(text: string): boolean {
    const classified = this.#behind(this.classify(text));
    return classified.kind === 'control' && classified.name === 'restart';
  }

  /** Undefined once the chart has ended: then nothing is decided any more. */
  judge(message: Judgeable, role: Role): Judged | undefined {
    let classified = this.classify(message.text);
    if (message.wasDispatched) classified = this.#behind(classified);
    if (message.only === 'exec') {
      const found = execIn(message.text, this.#options.config().quickCommands);
      if ('problem' in found) {
        return { admission: 'refuse', rule: 'arguments', text: found.problem, refusal: null };
      }
    }
    for (let depth = 0; depth <= ALIAS_DEPTH_MAX; depth += 1) {
      if (!this.#options.access.allows(role, classified)) return denied(classified);
      const decision = this.#options.lifecycle.admit(eventOf(classified, message));
      if (decision === undefined) return undefined;
      if (decision.admission === 'refuse') return this.#refused(message, role, classified, decision.refusal);
      if (decision.admission === 'hold') return { admission: 'hold', classified };
      if (classified.kind !== 'alias') return { admission: 'dispatch', classified };
      classified = this.classify(rewritten(classified.command, classified.words));
    }
    return { admission: 'refuse', rule: 'limit', text: replies.aliasTooDeep(ALIAS_DEPTH_MAX), refusal: null };
  }

  #refused(message: Judgeable, role: Role, classified: Classified, refusal: Refusal): Judged {
    const behind = this.#behind(classified);
    if (!this.#options.access.allows(role, behind)) return denied(behind);
    const end = classified.kind === 'alias' ? endOf(classified, behind) : undefined;
    const canQueue = classified.kind === 'turn' && waitsAtConnection(message);
    const { leftMs, outage, storeObstacle } = this.#options;
    const about = {
      ...{ leftMs: leftMs(), canQueue },
      ...{ storeObstacle: storeObstacle(), outage: outage(message.agent) },
    };
    const text = replies.refusal(refusal, about, end);
    const rule = refusal.because === 'degraded' && refusal.degraded.includes('store') ? 'store' : 'state';
    const hint = end === undefined || end.is === 'turn' ? {} : { hint: `/${end.alias}` };
    return { admission: 'refuse', rule, text, refusal, ...hint };
  }

  #behind(first: Classified): Classified {
    return behindAliases(first, this.#options.config().quickCommands);
  }
}

/** What a refused alias stands for, to be named; undefined where its chain has no end, which no configuration has. */
function endOf(alias: Alias, behind: Classified): replies.AliasEnd | undefined {
  const named = { alias: commandName(alias) };
  if (behind.kind === 'turn') return { ...named, is: 'turn' };
  if (behind.kind === 'alias') return undefined;
  const isKnown = behind.kind === 'exec' || behind.name !== 'unknown';
  return { ...named, is: isKnown ? 'command' : 'unknown', text: commandText(behind) };
}

function denied(classified: Classified): Judged {
  const name = classified.kind === 'turn' ? '' : commandName(classified);
  return { admission: 'refuse', rule: 'access', text: replies.roleRefusal(name), refusal: null };
}

function eventOf(classified: Classified, { id, agent, whenBusy }: Judgeable): MessageEvent {
  if (classified.kind === 'turn') return { type: 'message.turn', id, agent, whenBusy };
  return { type: `message.${classified.kind}`, id };
}
