/**
 * Which state or line of the chart a person looks at: under the pointer, focused, or selected. The keyboard
 * walks it as one stop: arrows go from state to state, Enter selects one, Enter again its transitions.
 */
import type { SceneNode } from '../scene.ts';
import { edgeMeta, isWithin } from './chart-data.ts';
import type { Drawing } from './chart-drawing.ts';

export type Subject =
  | { readonly sort: 'state'; readonly id: string }
  | { readonly sort: 'edge'; readonly id: string };

const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class ChartFocus {
  readonly #drawing: () => Drawing;
  readonly #onChange: () => void;
  #hovered: Subject | null = null;
  #focused: Subject | null = null;
  #selected: Subject | null = null;
  /** The state whose transitions the keyboard walks. */
  #leaving: string | null = null;

  /** Listens on `canvas`, which holds one drawing at a time. */
  constructor(canvas: HTMLElement, drawing: () => Drawing, onChange: () => void) {
    this.#drawing = drawing;
    this.#onChange = onChange;
    this.#listen(canvas);
    this.adopt();
  }

  /** What the line under the chart should speak of; null: of the last transition. */
  get subject(): Subject | null {
    return this.#hovered ?? this.#focused ?? this.#selected;
  }

  /** Sets the keyboard into the chart, at `state`; at the first one where that is not known. */
  enter(state: string | null): void {
    const [first] = this.#drawing().nodes;
    this.#focusState(state ?? first?.id ?? '');
  }

  deselect(): void {
    this.#select(null);
  }

  /** Takes a new drawing in use: after the phone was turned. */
  adopt(): void {
    const [first] = this.#drawing().nodes;
    first?.group.setAttribute('tabindex', '0');
    this.#select(this.#selected);
  }

  #listen(canvas: HTMLElement): void {
    canvas.addEventListener('pointerover', ({ target }) => {
      this.#hovered = subjectAt(target);
      this.#onChange();
    });
    canvas.addEventListener('pointerleave', () => {
      this.#hovered = null;
      this.#onChange();
    });
    canvas.addEventListener('focusin', ({ target }) => {
      this.#focused = subjectAt(target);
      this.#onChange();
    });
    canvas.addEventListener('focusout', () => {
      this.#focused = null;
      this.#onChange();
    });
    canvas.addEventListener('click', ({ target }) => {
      const subject = subjectAt(target);
      this.#select(same(subject, this.#selected) ? null : subject);
    });
    canvas.addEventListener('keydown', (event) => {
      const subject = subjectAt(event.target);
      if (subject === null || !this.#press(subject, event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** True where the key means something in the chart. */
  #press(subject: Subject, key: string): boolean {
    const direction = ARROWS[key];
    if (key === 'Enter' || key === ' ') this.#activate(subject);
    else if (key === 'Escape') this.#leave();
    else if (direction === undefined) return false;
    else if (subject.sort === 'edge') this.#step(subject, direction[0] + direction[1]);
    else this.#move(subject.id, direction);
    return true;
  }

  /** Enter: selects; on what is selected already, or on one of a state's transitions, goes to the next transition. */
  #activate(subject: Subject): void {
    const isWalking = subject.sort === 'edge' && this.#leaving !== null;
    if (!isWalking && !same(subject, this.#selected)) {
      this.#select(subject);
      return;
    }
    if (subject.sort === 'state') this.#leaving = subject.id;
    this.#step(subject, 1);
  }

  /** To the next transition of the state that is walked, or the one before; round and round. */
  #step(subject: Subject, by: number): void {
    const leaving = this.#leaving;
    if (leaving === null) return;
    const lines = this.#drawing().edges.filter(({ id }) => isWithin(leaving, edgeMeta(id).from));
    const at = subject.sort === 'edge' ? lines.findIndex(({ id }) => id === subject.id) : -1;
    lines.at((at + by) % lines.length)?.group.focus();
  }

  #move(from: string, direction: readonly [number, number]): void {
    const next = neighbour(this.#drawing(), from, direction);
    if (next !== null) this.#focusState(next);
  }

  /** Escape: from a transition back to its state, from there out of the chart. */
  #leave(): void {
    if (this.#focused?.sort === 'edge' && this.#leaving !== null) {
      this.#focusState(this.#leaving);
      return;
    }
    this.#select(null);
    if (document.activeElement instanceof SVGElement) document.activeElement.blur();
  }

  #focusState(state: string): void {
    this.#leaving = null;
    for (const { id, group } of this.#drawing().nodes) {
      group.setAttribute('tabindex', id === state ? '0' : '-1');
      if (id === state) group.focus();
    }
  }

  #select(subject: Subject | null): void {
    this.#selected = subject;
    const { nodes, edges } = this.#drawing();
    for (const { id, group } of nodes) mark(group, same(subject, { sort: 'state', id }));
    for (const { id, group } of edges) mark(group, same(subject, { sort: 'edge', id }));
    this.#onChange();
  }
}

function mark(group: SVGGElement, isSelected: boolean): void {
  group.setAttribute('aria-pressed', String(isSelected));
}

function same(one: Subject | null, other: Subject | null): boolean {
  return one?.sort === other?.sort && one?.id === other?.id;
}

function subjectAt(target: EventTarget | null): Subject | null {
  const group = target instanceof Element ? target.closest('[data-state], [data-edge]') : null;
  const edge = group?.getAttribute('data-edge');
  if (edge) return { sort: 'edge', id: edge };
  const state = group?.getAttribute('data-state');
  return state ? { sort: 'state', id: state } : null;
}

/** The nearest state in a direction; what lies aside counts double, and a phase is passed over for its states. */
function neighbour(drawing: Drawing, from: string, [dx, dy]: readonly [number, number]): string | null {
  const nodes = drawing.nodes.map(({ node }) => node);
  const start = nodes.find(({ id }) => id === from);
  if (start === undefined) return null;
  const [x, y] = centre(start);
  let best: { id: string; cost: number } | null = null;
  for (const node of nodes) {
    const along = (centre(node)[0] - x) * dx + (centre(node)[1] - y) * dy;
    const aside = Math.abs((centre(node)[0] - x) * dy) + Math.abs((centre(node)[1] - y) * dx);
    const cost = along + 2 * aside;
    if (node.c || along <= 1 || (best !== null && best.cost <= cost)) continue;
    best = { id: node.id, cost };
  }
  return best?.id ?? null;
}

function centre({ x, y, w, h }: SceneNode): readonly [number, number] {
  return [x + w / 2, y + h / 2];
}
