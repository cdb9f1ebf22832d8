/**
 * Where things lie: the home of a gateway and the files in it, the configuration file, what the package ships. Only
 * computes paths and asks whether files exist; whoever uses a path makes it.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../errors.ts';
import type { ConfigOrigin } from './schema.ts';

/** Longest path of the control socket, in bytes: the systems take 103 (macOS) and 107 (Linux). */
const SOCKET_PATH_BYTES_MAX = 100;

/** Everything in a home, as absolute paths. */
export interface HomePaths {
  readonly store: string;
  readonly lock: string;
  readonly pid: string;
  readonly status: string;
  /** In the home, or where that path would be too long, in a folder that whoever binds it makes with mode 0700. */
  readonly socket: string;
  readonly token: string;
  /** A copy of the last configuration that reached `running`. */
  readonly lastGood: string;
  /** A folder. */
  readonly logs: string;
  /** Space given up when the disk is full. */
  readonly reserve: string;
  /** What was written in chats before. */
  readonly chatHistory: string;
}

/**
 * The absolute home: the flag, else SLUICE_HOME, else the XDG state folder. An empty flag or variable counts as
 * absent, so that `--home "$UNSET"` never makes the working folder a home.
 */
export function resolveHome({ flag, env }: { flag?: string | undefined; env: NodeJS.ProcessEnv }): string {
  const named = flag || env.SLUICE_HOME;
  return named ? resolve(named) : join(xdgFolder(env.XDG_STATE_HOME, env, '.local/state'), 'sluice');
}

/** The files of this home. The same home and environment give the same socket, for daemon and clients alike. */
export function homePaths(home: string, env: NodeJS.ProcessEnv): HomePaths {
  return {
    store: join(home, 'sluice.db'),
    lock: join(home, 'lock'),
    pid: join(home, 'sluice.pid'),
    status: join(home, 'status.json'),
    socket: socketPath(home, env),
    token: join(home, 'token'),
    lastGood: join(home, 'last-good.yaml'),
    logs: join(home, 'logs'),
    reserve: join(home, 'reserve'),
    chatHistory: join(home, 'chat-history'),
  };
}

/**
 * The configuration file: flag, SLUICE_CONFIG, `owned` (the file that the gateway of this home uses; for every
 * command but `run`), `sluice.yaml` in `cwd`, the one in the XDG config folder, else the built-in quickstart. A file
 * that is named is returned whether it exists or not, because to take another one silently would be worse.
 */
export function findConfig(options: {
  flag?: string | undefined;
  env: NodeJS.ProcessEnv;
  cwd: string;
  owned?: string | undefined;
}): { path: string; origin: ConfigOrigin } {
  const { flag, env, cwd, owned } = options;
  const quickstart = packagedFile('quickstart.yaml');
  if (flag) return { path: resolve(cwd, flag), origin: 'flag' };
  if (env.SLUICE_CONFIG) return { path: resolve(cwd, env.SLUICE_CONFIG), origin: 'environment' };
  if (owned && owned !== quickstart) return { path: owned, origin: 'gateway' };
  if (owned) return { path: quickstart, origin: 'quickstart' };
  const inFolder = join(cwd, 'sluice.yaml');
  if (existsSync(inFolder)) return { path: inFolder, origin: 'folder' };
  const inXdg = userConfigPath(env);
  if (existsSync(inXdg)) return { path: inXdg, origin: 'xdg' };
  return { path: quickstart, origin: 'quickstart' };
}

/** The configuration of this user, for every folder that has none of its own. */
export function userConfigPath(env: NodeJS.ProcessEnv): string {
  return join(xdgFolder(env.XDG_CONFIG_HOME, env, '.config'), 'sluice', 'sluice.yaml');
}

/**
 * A file of the package's `config` folder. The bundle lies one level below the package's root, this source two; the
 * nearer one is tried first, because beside an installed package there may be another one named `config`.
 */
export function packagedFile(name: string): string {
  const candidates = ['../config/', '../../config/'].map((up) =>
    fileURLToPath(new URL(up + name, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new SluiceError('CONFIG_UNREADABLE', `${name} of the package is not at ${candidates.join(' or ')}`, {
    hint: 'Install sluice again.',
  });
}

/** An XDG base folder; the specification has relative ones ignored. */
function xdgFolder(value: string | undefined, env: NodeJS.ProcessEnv, below: string): string {
  if (value && isAbsolute(value)) return value;
  return join(env.HOME && isAbsolute(env.HOME) ? env.HOME : homedir(), below);
}

function socketPath(home: string, env: NodeJS.ProcessEnv): string {
  const inHome = join(home, 'control.sock');
  if (fits(inHome)) return inHome;
  // Loaded here because few homes need it and a CLI that starts in 40 ms would pay 5 of them.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const name = `${createHash('sha256').update(home).digest('hex').slice(0, 16)}.sock`;
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime && isAbsolute(runtime)) {
    const inRuntime = join(runtime, 'sluice', name);
    if (fits(inRuntime)) return inRuntime;
  }
  return join('/tmp', `sluice-${process.getuid?.() ?? 0}`, name);
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX;
}
