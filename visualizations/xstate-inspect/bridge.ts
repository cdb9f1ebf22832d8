/**
 * Shows the gateway's XState 5 actors to viewers that speak `@xstate/inspect`, which is written for XState 4.
 *
 * Invariants: `inspect` never throws (a throwing inspection callback loses the actor its event) and never waits;
 * what is kept is bounded, in actors and in bytes that wait for a viewer; nothing a viewer sends reaches an
 * actor from here.
 */
import { Broadcast, type ViewerEvent } from './broadcast.ts';
import { openLibrary } from './library.ts';
import { problemReporter } from './problems.ts';
import { openViewerServer } from './viewers.ts';
import type { InspectionEvent } from './xstate5.ts';

/** Bytes that may wait for one viewer. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;
/** The page of XState 4's own viewer: `https://stately.ai/viz?inspect&server=localhost:PORT`. */
const VIEWER_ORIGINS = ['https://stately.ai'];

export interface XStateInspectOptions {
  /** `localhost`, `::1` or an address of 127.0.0.0/8. */
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** One line each; a kind of problem is told the first time and then each time its count has doubled. */
  onProblem: (problem: string) => void;
  /** Hand events that a viewer sends to `onEvent`. Off unless true. */
  allowControl?: boolean;
  onEvent?: (sent: ViewerEvent) => void;
  /** Origins of pages that may connect besides those on loopback. */
  viewerOrigins?: readonly string[];
  backlogBytesMax?: number;
}

export interface XStateInspect {
  readonly port: number;
  /** Messages not given to viewers that were behind. */
  readonly droppedCount: number;
  /** For `createActor(logic, { inspect })`, for any number of root actors. */
  inspect(event: InspectionEvent): void;
  /** Ends viewers and server; resolves when nothing is open. Again is the same promise. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Listens and shows. Throws CONFIG_INVALID for a host that is not loopback, PORT_UNAVAILABLE. */
export async function startXStateInspect(options: XStateInspectOptions): Promise<XStateInspect> {
  const report = problemReporter(options.onProblem);
  const onEvent = options.allowControl === true ? options.onEvent : undefined;
  const broadcast = new Broadcast(openLibrary(), report, onEvent);
  const server = await openViewerServer({
    host: options.host,
    port: options.port,
    viewerOrigins: options.viewerOrigins ?? VIEWER_ORIGINS,
    backlogBytesMax: options.backlogBytesMax ?? BACKLOG_BYTES_MAX,
    onMessage: (viewer, text) => broadcast.guarded('message', () => broadcast.hear(viewer, text)),
    onRoom: (viewer) => broadcast.guarded('show', () => broadcast.catchUp(viewer)),
    onGone: (viewer) => broadcast.forget(viewer),
    onProblem: (text) => report('viewer', text),
  });
  let closed: Promise<void> | undefined;
  return {
    port: server.port,
    get droppedCount() {
      return broadcast.droppedCount;
    },
    inspect: (event) => broadcast.guarded('show', () => broadcast.observe(event)),
    [Symbol.asyncDispose]() {
      broadcast.close();
      closed ??= server.close();
      return closed;
    },
  };
}
