/**
 * The one owner of `process.on`: signals and faults, caught from the first moment and kept until somebody
 * listens. `main.ts` imports this file statically and no other, and calls `install()` as its first statement
 * for `sluice run`: static imports are hoisted, so whatever stood beside this one would load before any handler
 * stands, and a SIGTERM in that time is a raw death. Hence also: no imports here.
 *
 * Importing changes nothing: a short command (`sluice send`) dies of Ctrl-C as any program does.
 *
 * What a signal asks for is the chart's business; here is only what it cannot know: that two deliveries were
 * one press of Ctrl-C, that this is the second one, that the terminal is gone.
 */

export type HandledSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGUSR1';

export interface SignalRequest {
  readonly signal: HandledSignal;
  /** The second or a later SIGINT or SIGTERM of its kind: the wait for running work shall end. */
  readonly hurry: boolean;
  /** Of a SIGHUP: we had a terminal and it cannot be opened any more. False for the others. */
  readonly terminalGone: boolean;
}

/** What a delivered signal amounts to. `repeat` is another delivery of the one before. */
export type SignalVerdict = 'request' | 'hurry' | 'last-resort' | 'repeat';

export interface SignalGate {
  /** Judges one delivery and remembers it. */
  judge(signal: HandledSignal): SignalVerdict;
}

/** What `createSignals` needs of the world; `process` and the system's terminal in earnest. */
export interface SignalHost {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  removeAllListeners(event: string): unknown;
  exitCode?: number | string | null | undefined;
  /** Where Node opens its debugger for a SIGUSR1 that nobody handles. */
  debugPort?: number;
}

/** What looking again needs of the clock, which this file must not import. */
export interface Looks {
  every(periodMs: number, fire: () => void): Disposable;
}

export interface Signals {
  /** Sets the handlers. A second call changes nothing. */
  install(): void;
  /**
   * Takes back a SIGUSR1 that came before `install`: Node opens its debugger for it, which is closed. A thread of Node's own
   * does that in its own time, so it is looked for until DEBUGGER_LOOKS are over. Does nothing when the debugger is
   * `wanted`, because then it was opened at somebody's request.
   */
  reclaim(wanted: boolean, looks: Looks): void;
  /**
   * For the last moment before an in-place restart: what asks for a stop ends the process from now on, as it will until
   * the next life's handlers stand. Heard by ours it would be lost with them. A SIGUSR1 asks for what happens anyway.
   * Resolves with true when all are let go, or false when `stay` said, after the loop's last look at what had arrived,
   * that there is a reason not to leave; the code between that look and the letting go is what can still lose one.
   */
  release(stay: () => boolean): Promise<boolean>;
  /** Hands over what has arrived, in order, then each request as it comes. A later listener replaces it. */
  attach(listener: (request: SignalRequest) => void): void;
  /** Called for the third SIGINT, at once if it has come already: end all process groups, exit with 130. */
  onLastResort(handler: () => void): void;
  /** Called with each uncaught exception and unhandled rejection, those that have come already first. */
  onFault(handler: (fault: unknown) => void): void;
}

/** npm forwards the terminal's Ctrl-C to its child once more: deliveries this close are one. */
export const SIGNAL_REPEAT_MS = 100;
/** Requests and faults kept while nobody listens. Later ones would only join those: they are dropped. */
export const SIGNAL_QUEUE_MAX = 16;
/** Between two looks for a debugger that a SIGUSR1 before our handlers has opened, and how many: a second in all. */
const DEBUGGER_LOOK_MS = 10;
const DEBUGGER_LOOKS_MAX = 100;
/** Which SIGINT no longer asks the chart. */
const LAST_RESORT_COUNT = 3;
/** What the process leaves with should a fault find no handler and the event loop run dry (internal fault). */
const FAULT_EXIT_CODE = 70;

/** How often letting go of a signal is practised before it counts, on one that nobody sends or minds. */
const REHEARSALS = 10;
const REHEARSED = 'SIGURG';

const HANDLED: readonly HandledSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'];

/** The signals of this process. */
export const signals: Signals = createSignals(process, () => performance.now(), terminalOpens, closeDebugger);

/**
 * Tells the first, the second and the third signal of a kind apart. Pure but for its memory; `now` is
 * monotonic milliseconds. SIGHUP is never a repeat: it may mean reload, and a file that changed between two of
 * them must be read again.
 */
export function createSignalGate(now: () => number): SignalGate {
  const counted = new Map<HandledSignal, { count: number; atMs: number }>();
  return {
    judge(signal) {
      const atMs = now();
      const before = counted.get(signal);
      // Measured from the last one that counted, so a steady stream cannot hide every later one.
      if (before !== undefined && signal !== 'SIGHUP' && atMs - before.atMs < SIGNAL_REPEAT_MS)
        return 'repeat';
      const count = (before?.count ?? 0) + 1;
      counted.set(signal, { count, atMs });
      if (signal === 'SIGINT' && count >= LAST_RESORT_COUNT) return 'last-resort';
      return count > 1 && (signal === 'SIGINT' || signal === 'SIGTERM') ? 'hurry' : 'request';
    },
  };
}

/** The handlers over a host of events; `signals` is the one for this process, others are for tests. */
export function createSignals(
  host: SignalHost,
  now: () => number,
  terminalOpens: () => boolean,
  closeDebugger: () => boolean = () => false,
): Signals {
  const gate = createSignalGate(now);
  const requests = mailbox<SignalRequest>();
  const lastResorts = mailbox<undefined>();
  const faults = mailbox<unknown>();
  let installed = false;
  let hadTerminal = false;

  const receive = (signal: HandledSignal): void => {
    const verdict = gate.judge(signal);
    if (verdict === 'repeat') return;
    if (verdict === 'last-resort') {
      lastResorts.put(undefined);
      return;
    }
    const terminalGone = signal === 'SIGHUP' && hadTerminal && !terminalOpens();
    requests.put({ signal, hurry: verdict === 'hurry', terminalGone });
  };
  const fail = (fault: unknown): void => {
    host.exitCode = FAULT_EXIT_CODE;
    faults.put(fault);
  };

  return {
    install() {
      if (installed) return;
      installed = true;
      // At its usual port another process may have opened its own: then none is opened here, and the signal leaves no trace.
      host.debugPort = 0;
      for (const signal of HANDLED) host.on(signal, () => receive(signal));
      host.on('uncaughtException', fail);
      host.on('unhandledRejection', fail);
      // A service never had a terminal, so it cannot lose one: there a SIGHUP is a reload.
      hadTerminal = terminalOpens();
    },
    reclaim(wanted, looks) {
      if (!wanted) onceTrue(closeDebugger, () => receive('SIGUSR1'), looks);
    },
    async release(stay) {
      rehearseLettingGo(host);
      // SIGTERM last: it is no person's, who would press again. Where there is no terminal to lose, a SIGHUP asks for no
      // stop.
      const stops: readonly HandledSignal[] = ['SIGINT', 'SIGTERM'];
      for (const signal of hadTerminal ? ['SIGHUP', ...stops] : stops) {
        // The first turn of the loop may be past its look at signals already; the second is not.
        await new Promise(setImmediate);
        const kept = await new Promise<boolean>((resolve) => {
          setImmediate(() => {
            const stays = stay();
            if (!stays) host.removeAllListeners(signal);
            resolve(stays);
          });
        });
        if (kept) return false;
      }
      return true;
    },
    attach: requests.listen,
    onLastResort: (handler) => lastResorts.listen(() => handler()),
    onFault: faults.listen,
  };
}

/** What comes between the look and the letting go is lost, and a first letting go takes ten times as long as the next. */
function rehearseLettingGo(host: SignalHost): void {
  for (let round = 0; round < REHEARSALS; round += 1) {
    host.on(REHEARSED, () => {});
    host.removeAllListeners(REHEARSED);
  }
}

/** Calls `found` when `look` gives true, now or at one of the further looks. */
function onceTrue(look: () => boolean, found: () => void, looks: Looks): void {
  let left = DEBUGGER_LOOKS_MAX;
  const isOver = (): boolean => {
    left -= 1;
    const isTrue = look();
    if (isTrue) found();
    return isTrue || left === 0;
  };
  if (isOver()) return;
  const looking = looks.every(DEBUGGER_LOOK_MS, () => {
    if (isOver()) looking[Symbol.dispose]();
  });
}

/** Keeps what comes, up to SIGNAL_QUEUE_MAX, until there is a listener. */
function mailbox<T>() {
  const waiting: T[] = [];
  let listener: ((item: T) => void) | undefined;
  return {
    put(item: T): void {
      if (listener !== undefined) listener(item);
      else if (waiting.length < SIGNAL_QUEUE_MAX) waiting.push(item);
    },
    listen(next: (item: T) => void): void {
      listener = next;
      for (const item of waiting.splice(0)) next(item);
    },
  };
}

/** True when this process has a terminal. By `getBuiltinModule`, which is there already: see above. */
function terminalOpens(): boolean {
  const { closeSync, constants, openSync } = process.getBuiltinModule('node:fs');
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

/** True when Node's debugger was open; it no longer is. */
function closeDebugger(): boolean {
  if (!process.features.inspector) return false;
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector.url() === undefined) return false;
  inspector.close();
  return true;
}
