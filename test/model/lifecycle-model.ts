/**
 * The lifecycle once more, in the fewest words: a model written from the requirement, not from the chart, for
 * random walks to compare the chart with. It knows no serials and no effects; time is "the deadline passes".
 */
import type { Admission, Cause, DeadlineName, Verdict } from '../../machines/events.ts';
import { INTENTS, IS_SIGNAL, RANKS } from '../support/lifecycle-oracle.ts';

/** What can happen, as the model hears it. */
export type Happening =
  | { readonly is: 'control' | 'alias' }
  | { readonly is: 'exec' | 'settle'; readonly id: string }
  | { readonly is: 'turn'; readonly id: string; readonly agent: string; readonly queue: boolean }
  | { readonly is: 'raise' | 'clear'; readonly reason: string }
  | { readonly is: 'stop'; readonly cause: Exclude<Cause, 'drain'>; readonly hurry: boolean }
  | { readonly is: 'drain' | 'cancel' | 'started' | 'start failed' | 'fatal' | 'flushed' | 'closed' }
  | { readonly is: 'deadline'; readonly name: DeadlineName };

export class LifecycleModel {
  state = 'starting';
  cause: Cause | null = null;
  failed = false;
  /** A signal has asked it to leave, first or after others: then no person calls it back. */
  signalled = false;
  readonly turns = new Set<string>();
  readonly commands = new Set<string>();
  readonly reasons = new Set<string>();

  /** Takes what happens, and says what a message meets or a request is answered with; else null. */
  react(it: Happening): Admission | Verdict | null {
    const said = this.#hear(it);
    this.#moveOn();
    return said;
  }

  #hear(it: Happening): Admission | Verdict | null {
    if (it.is === 'control') return 'dispatch';
    if (it.is === 'alias') return this.#in('running') ? 'dispatch' : this.#in('starting') ? 'hold' : 'refuse';
    if (it.is === 'exec') return this.#count(this.commands, it.id);
    if (it.is === 'turn') return this.#turn(it.id, it.agent, it.queue);
    if (it.is === 'stop') return this.#stop(it.cause, it.hurry);
    if (it.is === 'drain') {
      if (this.#in('starting')) return 'still-starting';
      return this.#in('running') ? this.#take('drain', 'draining.waiting', 'taken') : 'joined';
    }
    if (it.is === 'cancel') {
      if (this.#in('starting') || this.#in('running')) return 'nothing-to-cancel';
      if (!['draining.waiting', 'draining.drained'].includes(this.state)) return 'too-late';
      if (this.signalled) return 'too-late';
      return this.#take(null, 'running', 'cancelled');
    }
    if (it.is === 'settle') for (const set of [this.turns, this.commands]) set.delete(it.id);
    if (it.is === 'raise') this.reasons.add(it.reason);
    if (it.is === 'clear') this.reasons.delete(it.reason);
    if (it.is === 'started' && this.#in('starting')) this.state = 'running';
    if (it.is === 'fatal' || (it.is === 'start failed' && this.#in('starting'))) this.#fail(it.is);
    if (it.is === 'flushed' && this.#idle()) this.#advance('flushing', 'closing');
    if (it.is === 'closed' && this.#idle() && this.state.endsWith('closing')) this.state = 'exited';
    if (it.is === 'deadline') this.#deadline(it.name);
    return null;
  }

  #turn(id: string, agent: string, queue: boolean): Admission {
    if (this.#in('starting')) return 'hold';
    if (!this.#in('running')) return queue ? 'hold' : 'refuse';
    const hindered = ['store', 'safe-mode', `agent:${agent}`].some((reason) => this.reasons.has(reason));
    return hindered ? 'refuse' : this.#count(this.turns, id);
  }

  #stop(cause: Cause, hurry: boolean): Verdict {
    const above = RANKS[cause] - (this.cause === null ? 0 : RANKS[this.cause]);
    this.signalled ||= IS_SIGNAL[cause];
    if (this.failed) return 'joined';
    if (this.#in('starting')) return this.#take(cause, leavingFor(cause), 'taken');
    if (hurry && above >= 0 && /running|waiting|drained/.test(this.state)) {
      return this.#take(cause, 'draining.interrupting', 'hurried');
    }
    if (/running|drained/.test(this.state)) return this.#take(cause, 'draining.waiting', 'taken');
    if (above <= 0) return 'joined';
    return this.#take(cause, this.#in('restarting') ? leavingFor(cause) : this.state, 'raised');
  }

  #fail(how: 'fatal' | 'start failed') {
    this.failed = true;
    this.state = this.#in('restarting') || this.#in('stopped') ? 'exited' : 'stopped.flushing';
    if (how === 'fatal') this.#abandon();
  }

  #deadline(name: DeadlineName) {
    if (name === 'drain' && this.state === 'draining.waiting') this.state = 'draining.interrupting';
    else if (name === 'kill' && this.state === 'draining.interrupting') this.#abandon();
    else if (name === 'exit' && /flushing|closing/.test(this.state)) {
      this.#abandon();
      if (this.state.endsWith('closing')) this.state = 'exited';
      else this.#advance('flushing', 'closing');
    }
  }

  /** What happens by itself: a drain with nothing to wait for ends, and running is healthy or degraded. */
  #moveOn() {
    if (this.#in('running')) this.state = this.reasons.size > 0 ? 'running.degraded' : 'running.healthy';
    if (!/waiting|interrupting/.test(this.state) || this.cause === null) return;
    if (this.cause !== 'drain' && this.#idle()) this.state = leavingFor(this.cause);
    if (this.cause === 'drain' && this.turns.size === 0) this.state = 'draining.drained';
  }

  #take(cause: Cause | null, state: string, verdict: Verdict): Verdict {
    this.cause = cause;
    this.state = state;
    return verdict;
  }

  #count(set: Set<string>, id: string): Admission {
    set.add(id);
    return 'dispatch';
  }

  #abandon() {
    this.turns.clear();
    this.commands.clear();
  }

  #advance(from: string, to: string) {
    this.state = this.state.replace(from, to);
  }

  #idle = () => this.turns.size + this.commands.size === 0;
  #in = (state: string) => this.state.startsWith(state);
}

const leavingFor = (cause: Cause) =>
  INTENTS[cause] === 'restart' ? 'restarting.flushing' : 'stopped.flushing';
