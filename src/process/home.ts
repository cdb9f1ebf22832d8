/** The folder a gateway lives in: made, checked and given its token before anything else happens in it. */
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, SluiceError } from '../errors.ts';
import { readRegularFile } from '../regular-file.ts';
import { type FileSystems, networkFileSystemOf } from './file-system.ts';
import { replaceFile } from './whole-file.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TOKEN_BYTES = 32;

/** Largest file that is read as a token. */
const TOKEN_FILE_BYTES_MAX = 4096;

/** Of a folder that others may put things in: group and everybody, as ssh looks at its own. */
const WRITABLE_BY_OTHERS = 0o022;

const ROOT_UID = 0;

/**
 * Makes the home where it is missing. Throws HOME_NO_PERMISSION when this user cannot work in it, or when others could
 * put files of theirs in the place of the gateway's, and HOME_ON_NETWORK when it lies on another machine's disk.
 * `systems`: what is known of its file system; another one only in tests.
 */
export function prepareHome(home: string, systems?: FileSystems): void {
  try {
    makeFolder(home);
    if (!statSync(home).isDirectory()) throw new Error('it is not a folder');
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new SluiceError('HOME_NO_PERMISSION', `the home ${home} cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
  refuseOpenHome(home);
  const network = networkFileSystemOf(home, systems);
  if (network === undefined) return;
  throw new SluiceError('HOME_ON_NETWORK', `the home ${home} is on a network file system (${network})`);
}

/** Node's own way of making the folders above it goes on for ever below `/proc`. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, FOLDER_MODE);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const above = dirname(path);
    if (code !== 'ENOENT' || existsSync(above)) throw error;
    makeFolder(above);
    mkdirSync(path, FOLDER_MODE);
  }
}

function refuseOpenHome(home: string): void {
  const { uid, mode } = statSync(home);
  // Also for root: what lies in a home is run, so its owner would run as root.
  if (uid !== process.getuid?.() && uid !== ROOT_UID) {
    throw new SluiceError('HOME_NO_PERMISSION', `the home ${home} belongs to another user (uid ${uid})`);
  }
  if ((mode & WRITABLE_BY_OTHERS) === 0) return;
  const text = (mode & 0o777).toString(8);
  throw new SluiceError(
    'HOME_NO_PERMISSION',
    `the home ${home} may be written by other users (mode ${text})`,
    {
      hint: `Take that away with: chmod go-w ${home}`,
    },
  );
}

/**
 * The home's token, made at the first start. On a full disk a new one may not fit: then it is good for this
 * life only, and `onProblem` hears of it.
 */
export function readToken(path: string, onProblem: (message: string) => void): string {
  const known = tokenAt(path);
  if (known !== undefined) {
    closeToOthers(path);
    return known;
  }
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  try {
    replaceFile(path, `${token}\n`);
  } catch (error) {
    onProblem(`the token could not be written to ${path}: ${messageOf(error)}`);
  }
  return token;
}

/**
 * Puts the token back where somebody deleted it, or put something else in its place that is no file. Never throws: where
 * it finds no room, the next time may.
 */
export function keepToken(path: string, token: string): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return;
    replaceFile(path, `${token}\n`);
  } catch {
    // Who has the token goes on being let in; it is only not to be read there yet.
  }
}

/** The token in this file; undefined where there is none that can be read, whatever lies there. */
export function tokenAt(path: string): string | undefined {
  try {
    const text = readRegularFile(path, TOKEN_FILE_BYTES_MAX).toString('utf8').trim();
    return text.length < TOKEN_BYTES || text.length > TOKEN_FILE_BYTES_MAX ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A copy or an editor may have left it open to others. */
function closeToOthers(path: string): void {
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, FILE_MODE);
  } catch {
    // It is another user's, or gone: what was read holds.
  }
}
