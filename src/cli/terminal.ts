/**
 * A terminal that a command draws on. What is written here is obeyed, so whoever draws lets nothing but text of
 * others get there; `output.ts` is for everything that is only printed.
 */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
  write(text: string): void;
  /** Calls `listener` when its size changes, until disposed. */
  onResize(listener: () => void): Disposable;
}

/** Of a terminal that does not say. */
const USUAL_SIZE = { columns: 80, rows: 24 } as const;

/** Undefined where stdout is none, or one that can only be written to line by line. */
export function terminalOf(stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Terminal | undefined {
  if (!stdout.isTTY || env.TERM === 'dumb') return undefined;
  return {
    get columns() {
      return stdout.columns || USUAL_SIZE.columns;
    },
    get rows() {
      return stdout.rows || USUAL_SIZE.rows;
    },
    colour: !env.NO_COLOR,
    write: (text) => void stdout.write(text),
    onResize(listener) {
      stdout.on('resize', listener);
      return { [Symbol.dispose]: () => void stdout.off('resize', listener) };
    },
  };
}
