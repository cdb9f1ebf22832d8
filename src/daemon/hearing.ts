/** What the process hears from outside the gateway, signals and faults, and to whom it goes at which time. */
import { exitFor, INTERRUPTED_CODE } from '../../machines/exit.ts';
import { messageOf } from '../errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { askBySignal, stopCauseOf } from '../gateway/requests.ts';
import type { World } from './world.ts';

/** The third Ctrl-C asks nobody: from the first moment on it ends every child and the process. */
export function hearLastResort({ options, processes }: World): void {
  options.signals.onLastResort(() => {
    processes.killAllNow();
    options.leaveNow(INTERRUPTED_CODE);
  });
}

/** While the chart runs, signals and faults are its events; what came before is heard now. */
export function hearForChart({ options, log }: World, gateway: Gateway): void {
  options.signals.attach((request) => askBySignal(gateway.requests, request, log));
  options.signals.onFault((fault) => {
    const message = messageOf(fault);
    log.error({ error: message, stack: fault instanceof Error ? fault.stack : undefined }, 'a fault');
    gateway.lifecycle.send({ type: 'fatal', failure: { kind: 'fault', message } });
  });
}

/** After the chart's end a stop can still keep the process from becoming its next life. */
export function hearLate({ options, supervisor, late }: World): void {
  options.signals.attach((request) => {
    const cause = stopCauseOf(request);
    if (cause === undefined) return;
    late.exit ??= exitFor({ intent: 'stop', cause, actor: 'signal' }, null, supervisor);
  });
}
