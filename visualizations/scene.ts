/**
 * The shape of `generated/*.scene.json`: a chart as `render.ts` draws it and as the inspector page reads it.
 * Types only. All lengths are pixels of the drawing, origin at the top left, rounded to halves.
 */
import type { TransitionInfo } from '../machines/catalog.ts';
import type { Admission } from '../machines/events.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface SceneNode extends Box {
  /** The dotted path of the state, as status shows it. */
  readonly id: string;
  /** It has states of its own and is drawn as a phase around them. */
  readonly c?: true;
  /** It stands in a phase. */
  readonly child?: true;
  /** Lines that end at the border of its phase enter here: a dot stands before it. */
  readonly initial?: true;
  /** The process ends here: a double border. */
  readonly final?: true;
  /** What it is there for, where its name does not say it. */
  readonly note?: string;
}

/**
 * A label and the room kept for it. Without `side` its text is centred and a line under it is cut there; with it,
 * it stands beside an upright line: 1 to its right, from the left edge of the room; -1 to its left, up to the right
 * edge.
 */
export interface SceneLabel extends Box {
  readonly t: string;
  readonly side?: 1 | -1;
}

export interface SceneEdge {
  /** The line's id, `e1` on: see {@link EdgeMeta}. */
  readonly id: string;
  /** Its corners from the state that is left to the one that is entered; horizontal and vertical by turns. */
  readonly p: readonly (readonly [x: number, y: number])[];
  readonly l?: SceneLabel;
}

export interface Scene {
  readonly w: number;
  readonly h: number;
  readonly nodes: readonly SceneNode[];
  readonly edges: readonly SceneEdge[];
}

/** What a drawn line means. */
export interface EdgeMeta {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** The spine is the way of an ordinary life: it is drawn heavier. */
  readonly tier: 'spine' | 'side';
  /** Ids of the transitions that the line stands for, see {@link TransitionInfo}. */
  readonly transitions: readonly string[];
}

/** What a message meets, column by column; `queue` is a turn whose busy mode is queue. */
export interface AdmissionCells {
  readonly control: Admission;
  readonly exec: Admission;
  readonly alias: Admission;
  readonly turn: Admission;
  readonly queue: Admission;
}

/** One row of the admission table. */
export interface AdmissionRow {
  /** A state, or a phase whose states all admit the same: the row is for `state` and everything below it. */
  readonly state: string;
  readonly cells: AdmissionCells;
  /** Present where an agent without a raised reason of its own meets something else. */
  readonly usableAgent?: AdmissionCells;
}

/** A transition that no arrow is drawn for, because it holds in every state. One of `admission`, `to` is set. */
export interface Everywhere {
  readonly event: string;
  readonly admission?: Admission;
  readonly to?: string;
  /** The states that override it, and where it leads there. */
  readonly except?: readonly { readonly from: string; readonly to: string }[];
}

/** A whole file: the chart drawn for the desk (`wide`) and for a phone (`narrow`), and what the drawings mean. */
export interface SceneFile {
  readonly chart: string;
  readonly wide: Scene;
  readonly narrow: Scene;
  readonly edges: readonly EdgeMeta[];
  readonly transitions: readonly TransitionInfo[];
  readonly everywhere: readonly Everywhere[];
  readonly admission: readonly AdmissionRow[];
}
