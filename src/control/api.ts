/**
 * What the control socket and HTTP offer, without their wire: requests as plain values in, replies out. Both
 * faces call the same functions.
 */
import { z } from 'zod';
import type { Cause } from '../../machines/events.ts';
import type { Clock } from '../clock.ts';
import type { RunningConfiguration } from '../config/configuration.ts';
import type { QuickCommand } from '../config/schema.ts';
import { type NamedVariables, type ToldVariables, VARIABLES_MAX } from '../config/variables.ts';
import { isSluiceError } from '../errors.ts';
import { isExec } from '../gateway/exec-only.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Decided, ProgressListener, Receipt } from '../gateway/in-hand.ts';
import type { ReloadAsk, Reloaded } from '../gateway/reloads.ts';
import { type Answer, DRAIN_FOR_MS_MAX } from '../gateway/requests.ts';
import { listedCommand } from '../messages/command-list.ts';
import { BUILTINS } from '../messages/commands.ts';
import { newId } from '../messages/ids.ts';
import { ID_CHARS_MAX, type Inbound, parseConversationKey } from '../messages/inbound.ts';
import { LOCAL_OWNER, LOCAL_PLATFORM, localConversation } from '../messages/local.ts';
import { type ApiReply, decidedJson, failure, settledJson } from './api-reply.ts';
import { invalid } from './body-problems.ts';
import { reloadReply } from './reload-reply.ts';

/** Longest name of a variable that is asked for. */
const REQUEST_NAME_CHARS_MAX = 4096;

const id = z.string().min(1).max(ID_CHARS_MAX);

const messageBody = z.strictObject({
  text: z.string(),
  id: id.optional(),
  conversation: id.optional(),
  agent: id.optional(),
  whenBusy: z.enum(['interrupt', 'queue', 'steer']).optional(),
  /** Refused unless it is an exec command. */
  only: z.literal('exec').optional(),
  /** Wall milliseconds after which the sender has given up. */
  deadlineAt: z.number().int().positive().optional(),
  attachments: z.array(z.unknown()).max(0, 'must be empty: this version takes no attachments').optional(),
});

const lifecycleBody = z.strictObject({
  intent: z.enum(['stop', 'restart', 'drain', 'cancel-drain']),
  hurry: z.boolean().optional(),
  /** Of a drain: milliseconds after which turns are taken again. */
  forMs: z
    .number()
    .positive()
    .max(
      DRAIN_FOR_MS_MAX,
      `must be at most ${DRAIN_FOR_MS_MAX}, which is 7 days; for longer, drain and cancel it yourself`,
    )
    .optional(),
  /** Why, for the log. */
  reason: z.string().max(1000).optional(),
  /** The `SLUICE_WORK_ID` of the work from inside which it is asked. */
  from: id.optional(),
});

const variableNames = z.array(z.string().max(REQUEST_NAME_CHARS_MAX)).max(VARIABLES_MAX);

const variablesBody = z.strictObject({ values: variableNames, set: variableNames });

export interface ApiOptions {
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly configuration: () => RunningConfiguration;
  readonly variables: (named: NamedVariables) => ToldVariables;
  readonly reload: (ask: ReloadAsk) => Promise<Reloaded>;
  /** A value of JSON without known secrets. */
  readonly redacted: (json: unknown) => unknown;
  readonly quickCommands: () => Readonly<Record<string, QuickCommand>>;
}

export class Api {
  readonly #options: ApiOptions;
  /** Ends the waiting of each request that waits for an outcome. */
  readonly #waits = new Set<() => void>();
  #waitsEnded = false;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  status(): ApiReply {
    return { status: 200, json: this.#options.gateway.status };
  }

  /** The configuration that runs, as text: for the control socket alone, whose mode lets in its owner only. */
  configuration(): ApiReply {
    return { status: 200, json: this.#options.configuration() };
  }

  /** What the gateway's environment has of the variables that a configuration names: for the control socket alone. */
  variables(body: unknown): ApiReply {
    const parsed = variablesBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error, Object.keys(variablesBody.shape));
    return { status: 200, json: this.#options.variables(parsed.data) };
  }

  /** Reloads the configuration, as its owner asks. */
  async reload(mayReadFile: boolean): Promise<ApiReply> {
    const { reload, redacted } = this.#options;
    const { status, json } = reloadReply(await reload({ cause: 'reload', actor: LOCAL_OWNER }), mayReadFile);
    return { status, json: redacted(json) };
  }

  /** What can be written after a slash: quick commands, then the gateway's own. */
  commands(): ApiReply {
    const all = this.#options.quickCommands();
    const quick = Object.values(all).map((command) => ({
      ...listedCommand(command),
      exec: isExec(command.name, all),
    }));
    const own = BUILTINS.map(({ name, kind, usage, help, role }) => {
      const allow = role === 'user' ? ['owner', 'user'] : ['owner'];
      return { name, kind, usage, help, allow, args: [], exec: false };
    });
    return { status: 200, json: { commands: [...quick, ...own] } };
  }

  /** The key of the conversation that is named so; a problem comes back as the reply. */
  conversation(named: string): { key: string } | ApiReply {
    if (named.trim() === '' || named.length > ID_CHARS_MAX) {
      return failure(400, 'MESSAGE_INVALID', `a conversation has a name of 1 to ${ID_CHARS_MAX} characters`);
    }
    const platform = parseConversationKey(named)?.platform;
    const isKey =
      platform !== undefined && this.#options.gateway.connections.platform(platform) !== undefined;
    return { key: isKey ? named : localConversation(named) };
  }

  /** Alive as long as it answers. */
  livez(): ApiReply {
    return { status: 200, json: { alive: true } };
  }

  /** Ready while messages are taken; a degraded agent or safe mode does not change that, the store does. */
  readyz(): ApiReply {
    const { state, degraded } = this.#options.gateway.lifecycle.view;
    const [reason] = state.split('.');
    if (reason !== 'running') return { status: 503, json: { ready: false, reason, state } };
    if (degraded.includes('store')) return { status: 503, json: { ready: false, reason: 'store', state } };
    return { status: 200, json: { ready: true, state, degraded } };
  }

  /** Reads a message; a problem comes back as the reply. */
  inbound(body: unknown): Inbound | ApiReply {
    const parsed = messageBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error, Object.keys(messageBody.shape));
    const { text, conversation, agent, whenBusy, only, deadlineAt } = parsed.data;
    if (text.trim() === '') return failure(400, 'MESSAGE_INVALID', 'text is empty');
    const wallMs = this.#options.clock.wallMs();
    return {
      platform: LOCAL_PLATFORM,
      platformMessageId: parsed.data.id ?? newId('m', wallMs),
      conversation: localConversation(conversation ?? 'default'),
      sender: LOCAL_OWNER,
      text,
      receivedAt: wallMs,
      ...(agent === undefined ? {} : { agent }),
      ...(whenBusy === undefined ? {} : { whenBusy }),
      ...(only === undefined ? {} : { only }),
      ...(deadlineAt === undefined ? {} : { deadlineAt }),
    };
  }

  receive(inbound: Inbound, listener?: ProgressListener): Promise<Receipt> {
    return this.#options.gateway.receive(inbound, listener);
  }

  /** Whoever watched a message has gone. */
  unwatch(messageId: string, listener: ProgressListener): void {
    this.#options.gateway.ledger.unwatch(messageId, listener);
  }

  /**
   * The reply to a request that failed: after the chart's end it is none of ours any more, and may be sent again to the
   * next life; what failed inside is in the log, and the caller gets no part of it.
   */
  fault(error: unknown): ApiReply {
    if (isSluiceError(error, 'GATEWAY_LEFT')) return failure(503, error.code, error.message);
    if (isSluiceError(error, 'SENDER_GAVE_UP')) return failure(409, error.code, error.message);
    this.#options.gateway.reportFault(error);
    return failure(500, 'INTERNAL', 'that failed inside the gateway; its log says why');
  }

  /** The reply to a message that could not be kept: it may be sent again under the same id. */
  unavailable({ reason, text }: Receipt): ApiReply | undefined {
    return reason === 'store' ? failure(503, 'STORE_UNAVAILABLE', text ?? '') : undefined;
  }

  /** Answers a message; with `wait` once it has settled, unless it is held or waits for a person's word. */
  async message(inbound: Inbound, wait: boolean): Promise<ApiReply> {
    const held = Promise.withResolvers<Decided>();
    let decided: Decided | undefined;
    const receipt = await this.receive(inbound, (progress) => {
      if (progress.type === 'admission') decided = progress;
      if (progress.type === 'awaiting' && decided !== undefined) {
        held.resolve({ ...decided, admission: 'hold', text: progress.text });
      } else if (decided?.admission === 'hold') held.resolve(decided);
    });
    const unavailable = this.unavailable(receipt);
    if (unavailable !== undefined) return unavailable;
    if (!wait || receipt.admission === 'hold') return { status: 202, json: decidedJson(receipt) };
    // A turn that waits for its place becomes held when a drain begins: nobody waits for a restart here.
    const endWait = () => held.resolve(receipt);
    this.#waits.add(endWait);
    if (this.#waitsEnded) endWait();
    // The outcome counts where both are there.
    const came = await Promise.race([receipt.settled, held.promise]);
    this.#waits.delete(endWait);
    if ('admission' in came) return { status: 202, json: decidedJson(came) };
    return { status: 200, json: { ...decidedJson(receipt), ...settledJson(came) } };
  }

  /** Nothing is taken any more: once nothing is in hand, whoever still waits for an outcome gets its decision alone. */
  async endWaits(): Promise<void> {
    await this.#options.gateway.idle();
    this.#waitsEnded = true;
    for (const endWait of this.#waits) endWait();
  }

  lifecycle(body: unknown, mayReadFile: boolean): ApiReply {
    const parsed = lifecycleBody.safeParse(body);
    if (!parsed.success) return invalid(parsed.error, Object.keys(lifecycleBody.shape));
    const { intent, hurry, forMs, reason, from } = parsed.data;
    if (forMs !== undefined && intent !== 'drain') {
      return failure(
        400,
        'MESSAGE_INVALID',
        `forMs is for a drain, and the intent is ${intent}: leave it out`,
      );
    }
    const cause: Cause = intent === 'cancel-drain' ? 'drain' : intent;
    const answer = this.#options.gateway.requests.ask({
      intent,
      cause,
      actor: LOCAL_OWNER,
      withLines: mayReadFile,
      ...(hurry === undefined ? {} : { hurry }),
      ...(forMs === undefined ? {} : { forMs }),
      ...(reason === undefined ? {} : { reason }),
      ...(from === undefined ? {} : { from }),
    });
    if (answer.verdict === 'left') return failure(503, 'GATEWAY_LEFT', answer.text);
    return { status: ANSWER_STATUS[answer.verdict], json: this.#options.redacted(answer) };
  }
}

/** An answer that changes nothing because it cannot is a conflict with the state the gateway is in. */
const ANSWER_STATUS: Readonly<Record<Exclude<Answer['verdict'], 'left'>, number>> = {
  taken: 202,
  raised: 202,
  hurried: 202,
  joined: 202,
  cancelled: 202,
  deferred: 202,
  'nothing-to-cancel': 409,
  'too-late': 409,
  'still-starting': 409,
  refused: 409,
};
