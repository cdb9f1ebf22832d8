/**
 * Where things lie: the home of a gateway and the files in it, the configuration file, what the package ships. Only
 * computes paths and asks what is there; whoever uses a path makes it. A working folder is always handed in, because it
 * may have been deleted: asked for then, by a relative path too, Node throws.
 */
import { accessSync, constants, existsSync, lstatSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError, systemCodeOf } from '../errors.ts';
import type { ConfigOrigin } from './schema.ts';

/** Longest path of the control socket, in bytes: the systems take 103 (macOS) and 107 (Linux). */
const SOCKET_PATH_BYTES_MAX = 100;

/** What others may do with a path, and the part of it that puts something there. */
const OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/** Its name in the home; elsewhere it has another. */
const SOCKET_IN_HOME = 'control.sock';

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

/** The working folder, absolute; undefined where it was deleted: then nothing relative can be found. */
export type WorkingFolder = string | undefined;

/** A path that somebody named, made absolute. Throws NO_WORKING_FOLDER for a relative one where there is none to count from. */
export function absolutePath(path: string, cwd: WorkingFolder): string {
  if (cwd !== undefined) return resolve(cwd, path);
  if (isAbsolute(path)) return resolve(path);
  throw new SluiceError('NO_WORKING_FOLDER', `${path} counts from the working folder, which was deleted`);
}

/**
 * The absolute home: the flag, else SLUICE_HOME, else the XDG state folder. An empty flag or variable counts as
 * absent, so that it never makes the working folder a home. Throws as `absolutePath`.
 */
export function resolveHome({
  flag,
  env,
  cwd,
}: {
  flag?: string | undefined;
  env: NodeJS.ProcessEnv;
  cwd: WorkingFolder;
}): string {
  const named = flag || env.SLUICE_HOME;
  return named
    ? absolutePath(named, cwd)
    : join(xdgFolder(env.XDG_STATE_HOME, env, '.local/state'), 'sluice');
}

/** Why this user may not look into that home, HOME_NO_PERMISSION; undefined where it may, and where there is none. */
export function homeDenial(home: string): SluiceError | undefined {
  try {
    accessSync(home, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (cause) {
    if (!['EACCES', 'EPERM'].includes(String(systemCodeOf(cause)))) return undefined;
    return new SluiceError('HOME_NO_PERMISSION', `${home} cannot be read by this user: permission denied`, {
      cause,
      hint: 'Ask as the user whose gateway it is, or name another home with --home or SLUICE_HOME.',
    });
  }
}

/**
 * The files of this home. The socket is the same for the same home, user and environment; a client that may have another
 * one takes it from the pid file.
 */
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

/** False for one that lies elsewhere, because its path in the home would be too long. */
export const isInHome = (socket: string): boolean => basename(socket) === SOCKET_IN_HOME;

/**
 * The configuration file: flag, SLUICE_CONFIG, `owned` (the file that the gateway of this home uses; for every
 * command but `run`), `sluice.yaml` in `cwd`, the one in the XDG config folder, else the built-in quickstart. A file
 * that is named is returned whether it exists or not, because to take another one silently would be worse. Throws as
 * `absolutePath`.
 */
export function findConfig(options: {
  flag?: string | undefined;
  env: NodeJS.ProcessEnv;
  cwd: WorkingFolder;
  owned?: string | undefined;
}): { path: string; origin: ConfigOrigin } {
  const { flag, env, cwd, owned } = options;
  const quickstart = packagedFile('quickstart.yaml');
  if (flag) return { path: absolutePath(flag, cwd), origin: 'flag' };
  if (env.SLUICE_CONFIG) return { path: absolutePath(env.SLUICE_CONFIG, cwd), origin: 'environment' };
  if (owned && owned !== quickstart) return { path: owned, origin: 'gateway' };
  if (owned) return { path: quickstart, origin: 'quickstart' };
  const inFolder = cwd === undefined ? undefined : join(cwd, 'sluice.yaml');
  if (inFolder !== undefined && existsSync(inFolder)) return { path: inFolder, origin: 'folder' };
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
  const inHome = join(home, SOCKET_IN_HOME);
  if (fits(inHome)) return inHome;
  // Loaded here because few homes need it and a CLI that starts in 40 ms would pay 5 of them.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const name = `${createHash('sha256').update(home).digest('hex').slice(0, 16)}.sock`;
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime && isAbsolute(runtime) && isOwn(statOf(runtime, statSync), WRITABLE_BY_OTHERS)) {
    const inRuntime = join(runtime, 'sluice', name);
    if (fits(inRuntime)) return inRuntime;
  }
  return join('/tmp', `sluice-${process.getuid?.() ?? 0}`, name);
}

/**
 * Throws HOME_NO_PERMISSION for a folder of the control socket that is another user's, or open to others. The one in /tmp
 * anybody could have made first, and whoever owns it would be spoken to in the gateway's place.
 */
export function requireOwnFolder(folder: string): void {
  const found = statOf(folder, lstatSync);
  if (found === undefined || isOwn(found, OTHERS)) return;
  const what = isOwn(found, 0) ? 'is open to other users' : 'is not a folder of this user';
  throw new SluiceError('HOME_NO_PERMISSION', `${folder}, for the control socket, ${what}`, {
    hint: 'Move it away: the gateway makes it anew. Or use a home with a shorter path.',
  });
}

/** True for a folder of this user that gives others none of these modes. */
const isOwn = (found: Stats | undefined, forOthers: number): boolean =>
  found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & forOthers) === 0;

/** Undefined for what is not there, and for what may not be looked at. */
function statOf(path: string, stat: (path: string) => Stats): Stats | undefined {
  try {
    return stat(path);
  } catch {
    return undefined;
  }
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX;
}
