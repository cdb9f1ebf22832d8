/**
 * Those who write to the gateway, and what they know: what they wrote, and what they were told that it has. Whoever
 * waits at the control socket and hears nothing sends the same id to the next life, as the chat server does by itself.
 */
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { httpRequest } from '../support/gateway.ts';
import type { Written } from './record.ts';
import type { Line } from './round.ts';
import type { World } from './world.ts';

/** How long somebody waits for the outcome of what is over: what awaits a word has none. */
const OUTCOME_MS_MAX = 1000;

export class People {
  readonly written: Written[] = [];
  /** The one that is played. */
  round = 0;
  readonly #world: World;
  /** By conversation: how much of what reached it has been read. */
  readonly #read = new Map<string, number>();
  #resumed = 0;

  constructor(world: World) {
    this.#world = world;
  }

  write(line: Omit<Line, 'word'> & Pick<Written, 'word'>, round: number): void {
    const platform = line.through === 'platform' ? 'standin' : 'local';
    const written: Written = {
      ...line,
      ...{ round, platform, key: `${platform}:${line.conversation}`, acknowledged: false },
    };
    this.written.push(written);
    if (platform === 'local') void this.#hand(written);
    else {
      const { id, conversation: from, whenBusy } = line;
      const text = textOf(written);
      const message = { id, from, text, ...(whenBusy === undefined ? {} : { whenBusy }) };
      void this.#world.server.deliver(message).then((what) => {
        if (what === 'acknowledged') this.#acknowledged(written);
      });
    }
  }

  /** Who of these was told to send `/resume` since they last looked does. */
  resume(conversations: readonly string[], round: number): void {
    const { sent } = this.#world.server;
    for (const conversation of conversations) {
      const from = this.#read.get(conversation) ?? 0;
      const told = sent
        .slice(from)
        .some((one) => one.conversation === `standin:${conversation}` && one.text.includes('/resume'));
      this.#read.set(conversation, sent.length);
      if (told) this.askToResume(conversation, round);
    }
  }

  askToResume(conversation: string, round: number, through: Line['through'] = 'platform'): void {
    this.#resumed += 1;
    this.write({ id: `r${this.#resumed}`, word: 'resume', conversation, through }, round);
  }

  /** Hands in again what nobody has answered. */
  async handAgain(): Promise<void> {
    await Promise.all(this.written.filter(isUnanswered).map((written) => this.#hand(written)));
  }

  /** Asks for the outcome of everything that was handed in, under its id. */
  async askOutcomes(): Promise<void> {
    const asked = this.written.filter(({ platform, acknowledged }) => platform === 'local' && acknowledged);
    await Promise.all(
      asked.map(async (written) => {
        const silence = systemClock.delay(OUTCOME_MS_MAX).then(() => undefined);
        const reply = await Promise.race([this.#request(written, '?wait=1').catch(() => undefined), silence]);
        if (typeof reply?.json?.outcome === 'string') written.toldOutcome = reply.json.outcome;
      }),
    );
  }

  get unanswered(): readonly Written[] {
    return this.written.filter(({ acknowledged }) => !acknowledged);
  }

  #acknowledged(written: Written): void {
    written.acknowledged = true;
    written.acknowledgedIn ??= this.round;
  }

  async #hand(written: Written): Promise<void> {
    // Nobody listens, or not any more: the next life is asked.
    const reply = await this.#request(written, '').catch(() => undefined);
    if (reply === undefined || typeof reply.json?.admission !== 'string') return;
    const { admission, recorded, reason } = reply.json;
    // What the store did not take is good for another try under the same id.
    if (reason === 'store') return;
    written.admission ??= { admission, recorded };
    this.#acknowledged(written);
  }

  #request(written: Written, query: string) {
    const { id, conversation, whenBusy } = written;
    const body = { id, conversation, text: textOf(written), ...(whenBusy === undefined ? {} : { whenBusy }) };
    const socketPath = join(this.#world.folder.home, 'control.sock');
    return httpRequest({ socketPath }, 'POST', `/v1/messages${query}`, body);
  }
}

const isUnanswered = ({ platform, acknowledged }: Written): boolean => platform === 'local' && !acknowledged;

function textOf({ word, id }: Pick<Written, 'word' | 'id'>): string {
  switch (word) {
    case 'note':
    case 'slow-note':
    case 'n':
      return `/${word} ${id}`;
    case 'status':
    case 'ps':
    case 'resume':
      return `/${word}`;
    case 'odd':
      return '/nosuchthing';
    default:
      return `${word} ${id}`;
  }
}
