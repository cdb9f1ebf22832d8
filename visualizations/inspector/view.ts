/**
 * What the page knows of the gateway, and how each event changes it. Pure: a view and an event give the next
 * view, and everything drawn is drawn from a view alone.
 *
 * A view outlives its connection: after a loss it is the last picture, with the moment it was true.
 */

import type { TransitionInfo } from '../../machines/catalog.ts';
import { type Column, columnOf, edgeOf, transitionOf } from './chart-data.ts';
import type { LinkPhase } from './connection.ts';
import type { ServerEvent } from './event-stream.ts';
import { type Admission, epochMs, type InspectEvents, type Status } from './protocol.ts';

/** A microstep that was taken. */
export interface Taken {
  readonly transition: TransitionInfo;
  readonly atMs: number;
}

export interface View {
  readonly link: LinkPhase;
  /** When the link last changed, on the browser's clock. */
  readonly linkSinceMs: number;
  /** Gateway's clock minus browser's; every moment the page compares with "now" is the gateway's. */
  readonly skewMs: number;
  readonly status: Status | null;
  readonly last: Taken | null;
  /** The line of the chart that brought the gateway into its state, when it did (browser's clock), and all taken in this epoch. */
  readonly lastEdge: string | null;
  readonly lastEdgeMs: number;
  readonly takenEdges: ReadonlySet<string>;
  /** The message decided last, until the next transition of another sort. */
  readonly decided: { readonly column: Column; readonly admission: Admission } | null;
  /** When each transition of the last second came in, on the browser's clock; bounded. */
  readonly recentMs: readonly number[];
  readonly gone: InspectEvents['gone'] | null;
  /** Events of this epoch that the gateway did not send, because the page was too slow. */
  readonly dropped: number;
}

/** A line that was just taken is lit for so long at least. */
const LIT_MS_MIN = 1000;
/** Transitions within this time make the rate; above this many, nothing fades. */
const RATE_WINDOW_MS = 1000;
const CALM_TRANSITIONS_MAX = 10;
/** More than so many a second are counted as so many. */
const RECENT_MAX = 1000;

export function emptyView(nowMs: number): View {
  return {
    link: 'connecting',
    linkSinceMs: nowMs,
    skewMs: 0,
    status: null,
    last: null,
    lastEdge: null,
    lastEdgeMs: 0,
    takenEdges: new Set(),
    decided: null,
    recentMs: [],
    gone: null,
    dropped: 0,
  };
}

/** The view after the connection changed. A try that fails while it is lost changes nothing. */
export function withLink(view: View, link: LinkPhase, nowMs: number): View {
  return view.link === link ? view : { ...view, link, linkSinceMs: nowMs };
}

/** The view after an event of `GET /v1/inspect`. An event of another name changes nothing. */
export function withEvent(view: View, { name, data }: ServerEvent, nowMs: number): View {
  switch (name) {
    case 'snapshot':
      return withSnapshot(view, data as InspectEvents['snapshot'], nowMs);
    case 'event':
      return withDecision(view, data as InspectEvents['event']);
    case 'edge':
      return withEdge(view, data as InspectEvents['edge'], nowMs);
    case 'gone':
      return { ...view, gone: data as InspectEvents['gone'] };
    case 'dropped':
      return { ...view, dropped: view.dropped + (data as InspectEvents['dropped']).count };
    default:
      return view;
  }
}

/** The first snapshot of another epoch begins a picture of its own. */
function withSnapshot(view: View, { at, status }: InspectEvents['snapshot'], nowMs: number): View {
  const begun = view.status?.epoch === status.epoch ? view : { ...emptyView(nowMs), link: view.link };
  return { ...begun, linkSinceMs: view.linkSinceMs, status, skewMs: epochMs(at) - nowMs };
}

function withDecision(view: View, { event, admission }: InspectEvents['event']): View {
  const column = columnOf(event.type, event.whenBusy);
  return { ...view, decided: column === null || admission === undefined ? null : { column, admission } };
}

function withEdge(view: View, edge: InspectEvents['edge'], nowMs: number): View {
  const transition = transitionOf(edge.transition);
  const drawn = edgeOf(edge.transition);
  const recentMs = [...recentOf(view, nowMs), nowMs].slice(-RECENT_MAX);
  return {
    ...view,
    recentMs,
    last: { transition, atMs: epochMs(edge.at) },
    // A state that was entered over no drawn line (`fatal`, from anywhere) has none that led into it.
    ...(transition.to === null ? {} : { lastEdge: drawn, lastEdgeMs: nowMs }),
    ...(drawn === null ? {} : { takenEdges: new Set(view.takenEdges).add(drawn) }),
  };
}

const recentOf = (view: View, nowMs: number): number[] =>
  view.recentMs.filter((atMs) => atMs > nowMs - RATE_WINDOW_MS);

/** How many transitions of the last second the one that is shown hides; 0 while each can be followed. */
export function hiddenTransitions(view: View, nowMs: number): number {
  const recent = recentOf(view, nowMs).length;
  return recent > CALM_TRANSITIONS_MAX ? recent - 1 : 0;
}

/**
 * The line that is lit: the last one, for as long as it tells why the gateway is where it is. A healthy gateway
 * needs no reason, so there it only shows for a moment.
 */
export function litEdge(view: View, nowMs: number): string | null {
  const isAtRest = stateOf(view) === 'running.healthy' && nowMs - view.lastEdgeMs >= LIT_MS_MIN;
  return isAtRest ? null : view.lastEdge;
}

/** The state shown: the gateway's, or `exited` when it has said that it leaves. */
export function stateOf(view: View): string | null {
  return view.gone !== null ? 'exited' : (view.status?.state ?? null);
}

/** Now on the gateway's clock; stands still at the last connected moment while the connection is lost. */
export function gatewayNowMs(view: View, nowMs: number): number {
  return (view.link === 'live' ? nowMs : view.linkSinceMs) + view.skewMs;
}
