/**
 * Holds the one view and tells the drawing about a change at most once a frame, so that a burst of events
 * costs one drawing and the newest wins.
 */
import type { View } from './view.ts';

export interface Store {
  readonly view: () => View;
  readonly change: (change: (view: View) => View) => void;
  /** Draws the view as it is, at the next frame: for what changes by time alone. */
  readonly redraw: () => void;
}

export function createStore(first: View, draw: (view: View) => void): Store {
  let view = first;
  let scheduled = false;
  const redraw = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      draw(view);
    });
  };
  return {
    view: () => view,
    change: (change) => {
      view = change(view);
      redraw();
    },
    redraw,
  };
}
