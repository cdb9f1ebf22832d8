/**
 * A circuit for each agent. So many failures of the agent itself in a row open it, an answer ends the row, and what was
 * wrong with one request counts for neither. While it is open the agent is asked whether it could answer, at growing
 * intervals; only that closes it, never a person's turn. What an open circuit means for turns stands in the chart.
 *
 * A probe that shows no more than that the agent can be started closes it on trial: turns are taken again, the first one
 * that fails opens it, and only one that is answered says that the agent is back.
 *
 * A turn or a probe of an agent that was replaced or removed meanwhile says nothing of the one that is there now.
 */
import { type Agent, AgentFailure, type ProbeEvidence } from '../agents/agent.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';

/** Before the first probe; doubled after each that fails. */
export const PROBE_WAIT_MS_FIRST = 1000;

/** The longest wait between two probes. */
export const PROBE_WAIT_MS_MAX = 60_000;

/** How long one probe may take; an agent's own limit is shorter, and says more. */
const PROBE_MS_MAX = 15_000;

/** Why an agent is not asked, and what a person can do: as in `AgentFailure`. */
export interface Outage {
  readonly cause: string;
  readonly next: string;
}

export interface CircuitsOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The agent that has this name now, with its threshold; undefined when none has. */
  readonly agent: (name: string) => { agent: Agent; failureThreshold: number } | undefined;
  readonly opened: (name: string, outage: Outage) => void;
  /** Turns for it are taken again, on trial where it only `can-start`; `gone`: there is no agent of this name any more. */
  readonly closed: (name: string, because: ProbeEvidence | 'gone') => void;
  /** One whose circuit was closed on trial has answered a turn. */
  readonly proven: (name: string) => void;
}

interface Circuit {
  readonly agent: Agent;
  /** Failures in a row; 0 while it is open. */
  failures: number;
  /** Probes since the agent last answered a turn: one that fails again at once is asked ever more rarely. */
  probes: number;
  /** Closed because the agent can be started; it has answered nothing since. */
  onTrial: boolean;
  /** Null while it is closed. */
  outage: Outage | null;
  /** The wait for the next probe, or the probe itself. */
  probing: Disposable | undefined;
}

export class Circuits implements Disposable {
  readonly #options: CircuitsOptions;
  /** Of configured agents that have failed since they last answered. */
  readonly #circuits = new Map<string, Circuit>();
  #disposed = false;

  constructor(options: CircuitsOptions) {
    this.#options = options;
  }

  /** What is wrong with an agent whose circuit is open. */
  outage(name: string): Outage | undefined {
    return this.#circuits.get(name)?.outage ?? undefined;
  }

  /** A turn was answered: the row of failures is over. A turn that began before the circuit opened does not close it. */
  answered(name: string, agent: Agent): void {
    const circuit = this.#circuits.get(name);
    if (circuit?.agent !== agent || circuit.outage !== null) return;
    this.#circuits.delete(name);
    if (!circuit.onTrial) return;
    this.#options.log.info({ agent: name }, `the agent ${name} answers again`);
    this.#options.proven(name);
  }

  /** A turn failed. One that ends after all watching has ended opens nothing: nobody would probe it. */
  failed(name: string, agent: Agent, failure: AgentFailure): void {
    const found = this.#disposed ? undefined : this.#options.agent(name);
    if (!failure.backend || found?.agent !== agent) return;
    const circuit = this.#circuitOf(name, agent);
    if (circuit.outage !== null) return;
    circuit.failures += 1;
    if (circuit.failures < (circuit.onTrial ? 1 : found.failureThreshold)) return;
    const { failures } = circuit;
    circuit.failures = 0;
    circuit.onTrial = false;
    circuit.outage = outageOf(failure);
    this.#options.log.warn(
      { agent: name, failures, cause: failure.message },
      `the agent ${name} is not asked until a probe of it succeeds`,
    );
    this.#probeLater(name, circuit, failure.retryAtMs);
    this.#options.opened(name, circuit.outage);
  }

  /** Another configuration runs: an agent that is gone has no circuit, one that was changed begins anew. */
  reconfigured(): void {
    for (const [name, circuit] of [...this.#circuits]) {
      const found = this.#options.agent(name);
      if (found?.agent === circuit.agent) continue;
      circuit.probing?.[Symbol.dispose]();
      this.#circuits.delete(name);
      if (circuit.outage === null && !circuit.onTrial) continue;
      if (found === undefined) this.#options.closed(name, 'gone');
      else if (circuit.outage === null) this.#circuitOf(name, found.agent).onTrial = true;
      else this.#probe(name, this.#circuitOf(name, found.agent, circuit.outage));
    }
  }

  /** Ends waits and probes; from now on nothing opens or closes. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const { probing } of this.#circuits.values()) probing?.[Symbol.dispose]();
    this.#circuits.clear();
  }

  /** The circuit of the agent that has this name now; a new one when it is not the one that failed before. */
  #circuitOf(name: string, agent: Agent, outage: Outage | null = null): Circuit {
    const before = this.#circuits.get(name);
    if (before?.agent === agent) return before;
    const circuit: Circuit = { agent, failures: 0, probes: 0, onTrial: false, outage, probing: undefined };
    this.#circuits.set(name, circuit);
    return circuit;
  }

  /** `notBeforeMs`: wall milliseconds at which the agent said it could be asked again; waited for within the limit. */
  #probeLater(name: string, circuit: Circuit, notBeforeMs = 0): void {
    const { clock } = this.#options;
    const doubled = PROBE_WAIT_MS_FIRST * 2 ** circuit.probes;
    const waitMs = Math.min(Math.max(doubled, notBeforeMs - clock.wallMs()), PROBE_WAIT_MS_MAX);
    circuit.probing = clock.timer(waitMs, () => this.#probe(name, circuit));
  }

  /** A defect in what follows on a probe must not be the last that is heard of the agent: it is probed again. */
  #probe(name: string, circuit: Circuit): void {
    this.#probeNow(name, circuit).catch((error: unknown) => {
      this.#options.log.error(
        { agent: name, error: messageOf(error) },
        'a probe failed in the gateway itself',
      );
      if (this.#circuits.get(name) === circuit && circuit.outage !== null) this.#probeLater(name, circuit);
    });
  }

  async #probeNow(name: string, circuit: Circuit): Promise<void> {
    const { log } = this.#options;
    const shown = await this.#outcomeOfProbe(circuit);
    if (this.#circuits.get(name) !== circuit) return;
    if ('evidence' in shown) {
      this.#close(name, circuit, shown.evidence);
      return;
    }
    const known = shown.failure instanceof AgentFailure ? shown.failure : undefined;
    if (known !== undefined) circuit.outage = outageOf(known);
    log.info(
      { agent: name, probes: circuit.probes, cause: messageOf(shown.failure) },
      `${name} does not answer yet`,
    );
    this.#probeLater(name, circuit, known?.retryAtMs);
  }

  /** What an agent's probe has shown, or what it throws. One that heeds no signal is given up all the same. */
  async #outcomeOfProbe(circuit: Circuit): Promise<{ evidence: ProbeEvidence } | { failure: unknown }> {
    const abort = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    circuit.probing = { [Symbol.dispose]: () => abort.abort() };
    circuit.probes += 1;
    using _ = this.#options.clock.timer(PROBE_MS_MAX, () => {
      reject(new Error(`no answer to the probe within ${PROBE_MS_MAX / 1000} s`));
      abort.abort();
    });
    try {
      return { evidence: await Promise.race([circuit.agent.probe({ signal: abort.signal }), late]) };
    } catch (failure) {
      // What is wrong with one request says that the backend is there.
      return failure instanceof AgentFailure && !failure.backend ? { evidence: 'answers' } : { failure };
    }
  }

  #close(name: string, circuit: Circuit, evidence: ProbeEvidence): void {
    const { outage } = circuit;
    circuit.outage = null;
    circuit.onTrial = evidence === 'can-start';
    circuit.probing = undefined;
    try {
      this.#options.closed(name, evidence);
    } catch (error) {
      // The chart may still refuse its turns: the circuit stays open with it.
      circuit.outage = outage;
      throw error;
    }
    const again = circuit.onTrial ? 'can be started again, and is asked on trial' : 'answers again';
    this.#options.log.info({ agent: name, probes: circuit.probes }, `the agent ${name} ${again}`);
  }
}

const outageOf = ({ message, next }: AgentFailure): Outage => ({ cause: message, next });
