/**
 * The single place that reads the process' environment. Apart from `load.ts`, because every short command needs
 * it and none of them may pay for a schema library.
 */

/** The value of a variable; undefined where it is not set. A file may name any, `constructor` too, which every object has. */
export function variableOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

/** A snapshot; later changes of the process' environment do not show in it. */
export function readEnvironment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: the one reader; everybody else is handed what it returns.
  return { ...process.env };
}
