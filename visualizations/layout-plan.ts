/**
 * The taste in the gateway's drawing: sizes, where each line between two phases meets their borders, and where its
 * label stands; once for the desk, once for a phone. `layout.ts` does the geometry.
 */

type Size = readonly [w: number, h: number];

/** Where a line meets the border of a phase, from that phase's corner: x along the top or bottom, y along a side. */
export interface Joint {
  readonly side: 'NORTH' | 'SOUTH' | 'WEST' | 'EAST';
  readonly at: number;
}

/**
 * How a line between phases is drawn. Its label stands `on` it and cuts it, to the `left` or `right` of its upright
 * stretch, or on its first stretch at the outer end (`far`).
 */
export interface Route {
  readonly leave: Joint;
  readonly enter: Joint;
  readonly label: 'on' | 'left' | 'right' | 'far';
}

/** What is known of the phases before they are placed; states stand in their phase's frame. */
export interface Measured {
  middleOf(state: string): number;
  sizeOf(phase: string): Size;
}

export interface Plan {
  /** Phases from the top down; those of one row stand beside one another and share the width. */
  readonly rows: readonly (readonly string[])[];
  /** The states of each phase from left to right. */
  readonly phases: Readonly<Record<string, readonly string[]>>;
  /** States that stand over one another, upper first: the spine is straight between them. */
  readonly aligned: readonly [string, string];
  readonly sizes: Readonly<Record<string, Size>>;
  readonly charPx: number;
  readonly labelHeightPx: number;
  readonly phaseHeadPx: number;
  readonly phasePadPx: number;
  /** Bare line on each side of a label between two states, or the whole gap where there is no label. */
  readonly gapPx: number;
  readonly rowGapPx: number;
  readonly besideGapPx: number;
  /** From the outer end of a line to a label there. */
  readonly farPx: number;
  /** Labels that differ from the line's own; null leaves it out. Lines are named `FROM → TO`. */
  readonly labels: Readonly<Record<string, string | null>>;
  readonly routes: (measured: Measured) => Readonly<Record<string, Route>>;
}

const north = (at: number): Joint => ({ side: 'NORTH', at });
const south = (at: number): Joint => ({ side: 'SOUTH', at });
const west = (at: number): Joint => ({ side: 'WEST', at });
const east = (at: number): Joint => ({ side: 'EAST', at });

/** How far lines that share a state stand from its middle. */
interface Spread {
  readonly drained: number;
  readonly waiting: number;
  readonly interrupting: number;
  readonly leaving: number;
}

const routesWith =
  (spread: Spread, besideGapPx: number): Plan['routes'] =>
  ({ middleOf, sizeOf }) => {
    const [startW, startH] = sizeOf('starting');
    const [exitW] = sizeOf('exited');
    const [halfW] = sizeOf('restarting');
    const [waiting, interrupting] = [middleOf('draining.waiting'), middleOf('draining.interrupting')];
    const up = (x: number): Route => ({ leave: north(x), enter: south(x), label: 'left' });
    const down = (x: number): Route => ({ leave: south(x), enter: north(x), label: 'right' });
    return {
      'starting → running.healthy': {
        leave: south(startW / 2),
        enter: north(middleOf('running.healthy')),
        label: 'on',
      },
      'starting → running.degraded': {
        leave: south(startW - 14),
        enter: north(middleOf('running.degraded')),
        label: 'on',
      },
      'starting → restarting': { leave: west(startH / 2), enter: west(18), label: 'far' },
      'starting → stopped': { leave: east(startH / 2), enter: east(18), label: 'far' },
      'draining.drained → running': up(middleOf('draining.drained') + spread.drained),
      'draining.waiting → running': up(waiting - spread.waiting),
      'running → draining.waiting': down(waiting + spread.waiting),
      'running → draining.interrupting': down(interrupting),
      'draining.waiting → restarting': {
        leave: south(waiting - 10),
        enter: north(Math.min(waiting - 10, halfW - 34)),
        label: 'on',
      },
      'draining.waiting → stopped': { leave: south(waiting + 10), enter: north(24), label: 'on' },
      'draining.interrupting → restarting': {
        leave: south(interrupting - spread.leaving),
        enter: north(Math.min(waiting + 12, halfW - 14)),
        label: 'on',
      },
      'draining.interrupting → stopped': {
        leave: south(interrupting + spread.interrupting),
        enter: north(interrupting + spread.interrupting - halfW - besideGapPx),
        label: 'left',
      },
      'restarting.closing → exited': {
        leave: south(middleOf('restarting.closing')),
        enter: north(exitW / 3),
        label: 'on',
      },
      'stopped.closing → exited': {
        leave: south(middleOf('stopped.closing')),
        enter: north((exitW * 2) / 3),
        label: 'on',
      },
    };
  };

const GATEWAY = {
  rows: [['starting'], ['running'], ['draining'], ['restarting', 'stopped'], ['exited']],
  phases: {
    running: ['healthy', 'degraded'],
    draining: ['drained', 'waiting', 'interrupting'],
    restarting: ['flushing', 'closing'],
    stopped: ['flushing', 'closing'],
  },
  aligned: ['running.healthy', 'draining.waiting'],
  charPx: 6.65,
} as const;

/** For 600 px and more. */
export const WIDE: Plan = {
  ...GATEWAY,
  sizes: {
    starting: [116, 46],
    healthy: [116, 46],
    degraded: [116, 46],
    drained: [98, 44],
    waiting: [122, 44],
    interrupting: [122, 44],
    flushing: [92, 34],
    closing: [88, 34],
    exited: [96, 34],
  },
  labelHeightPx: 16,
  phaseHeadPx: 30,
  phasePadPx: 14,
  gapPx: 20,
  rowGapPx: 13,
  besideGapPx: 56,
  farPx: 18,
  // One word between the two lines is enough: it stands beside both.
  labels: { 'draining.interrupting → restarting': null },
  routes: routesWith({ drained: 30, waiting: 24, interrupting: 51, leaving: 51 }, 56),
};

/** For a phone: 11 px text stays readable at its width, the labels that are missing are told by a tap. */
export const NARROW: Plan = {
  ...GATEWAY,
  sizes: {
    starting: [104, 46],
    healthy: [98, 46],
    degraded: [98, 46],
    drained: [76, 40],
    waiting: [98, 40],
    interrupting: [100, 40],
    flushing: [66, 30],
    closing: [62, 30],
    exited: [80, 30],
  },
  labelHeightPx: 15,
  phaseHeadPx: 26,
  phasePadPx: 8,
  gapPx: 8,
  rowGapPx: 11,
  besideGapPx: 20,
  farPx: 10,
  labels: {
    'starting → running.degraded': null,
    'starting → stopped': 'failed · stop',
    'running.healthy → running.degraded': null,
    'running.degraded → running.healthy': null,
    'running → draining.waiting': 'stop·drain',
    'draining.waiting → draining.interrupting': null,
    'draining.waiting → draining.drained': null,
    'draining.drained → draining.waiting': null,
    'draining → draining.interrupting': null,
    'draining.waiting → running': null,
    'draining.drained → running': null,
    'draining.waiting → restarting': 'restart',
    'draining.waiting → stopped': 'stop',
    'draining.interrupting → restarting': null,
    'draining.interrupting → stopped': null,
    'restarting → stopped': null,
    'restarting.flushing → restarting.closing': null,
    'stopped.flushing → stopped.closing': null,
    'restarting.closing → exited': null,
    'stopped.closing → exited': null,
  },
  routes: routesWith({ drained: 26, waiting: 16, interrupting: 14, leaving: 14 }, 20),
};
