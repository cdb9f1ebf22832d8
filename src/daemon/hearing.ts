/** What the process hears from outside the gateway, signals and faults, and to whom it goes at which time. */
import { exitFor, INTERRUPTED_CODE } from '../../machines/exit.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ReloadAsk, Reloads } from '../gateway/reloads.ts';
import { askBySignal, stopCauseOf } from '../gateway/requests.ts';
import { type Fault, faultOf } from './fault.ts';
import type { World } from './world.ts';

/** What a report says whose gateway could not leave in time; which work held it up stands in the status. */
const EXIT_DEADLINE_PASSED: Fault = {
  message: 'the exit deadline has passed: what was still in hand was cut off',
  stack: null,
};

/**
 * The third Ctrl-C asks nobody: from the first moment on it ends every child and the process. `lastWord`: what is said of
 * it on the way out, once there is a life to say it.
 */
export function hearLastResort({ options, processes }: World, lastWord: () => void = () => {}): void {
  options.signals.onLastResort(() => {
    processes.killAllNow();
    try {
      lastWord();
    } finally {
      options.leaveNow(INTERRUPTED_CODE);
    }
  });
}

/** While the chart runs, signals and faults are its events; what came before is heard now. */
export function hearForChart(
  { options, supervisor, log, blackBox, secrets }: World,
  gateway: Gateway,
  reloads: Reloads,
): void {
  const reload = (ask: ReloadAsk) => void reloads.ask(ask);
  const hearers = { requests: gateway.requests, reload, supervisor, log };
  options.signals.attach((request) => askBySignal(request, hearers));
  options.signals.onFault((thrown) => {
    const fault = faultOf(thrown, secrets);
    const { message, stack } = fault;
    log.error({ error: message, stack }, 'a fault');
    blackBox.report('fault', fault, () => gateway.status);
    gateway.lifecycle.send({ type: 'fatal', failure: { kind: 'fault', message } });
  });
  gateway.onChange(() => {
    if (!gateway.lifecycle.pastExitDeadline) return;
    blackBox.report('exit-deadline', EXIT_DEADLINE_PASSED, () => gateway.status);
  });
}

/** After the chart's end a stop can still keep the process from becoming its next life. */
export function hearLate({ options, supervisor, late }: World): void {
  options.signals.attach((request) => {
    const cause = stopCauseOf(request, supervisor);
    if (cause === undefined) return;
    late.exit ??= exitFor({ intent: 'stop', cause, actor: 'signal' }, null, supervisor);
  });
}
