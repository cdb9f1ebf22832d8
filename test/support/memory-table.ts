/** A table in memory whose changes can be taken back: what `MemoryTables` is made of. */

/** What was changed since `begin`, and how to take it back. */
export class Changes {
  #undo: (() => void)[] = [];

  begin(): void {
    this.#undo = [];
  }

  /** `undo` brings back what was there before a change. */
  note(undo: () => void): void {
    this.#undo.push(undo);
  }

  takeBack(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
  }
}

/** Rows by their key, in the order in which they were added. */
export class Table<V> {
  readonly #rows = new Map<string, V>();
  readonly #changes: Changes;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  get(key: string): V | undefined {
    return this.#rows.get(key);
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  values(): V[] {
    return [...this.#rows.values()];
  }

  /** Throws where the key is taken. */
  add(key: string, value: V): void {
    if (this.#rows.has(key)) throw new Error(`${key} is there already`);
    this.set(key, value);
  }

  set(key: string, value: V): void {
    const before = this.#rows.get(key);
    this.#changes.note(() => {
      if (before === undefined) this.#rows.delete(key);
      else this.#rows.set(key, before);
    });
    this.#rows.set(key, value);
  }

  /** Removes the row for good: no unit takes that back. */
  remove(key: string): void {
    this.#rows.delete(key);
  }
}
