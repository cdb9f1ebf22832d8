/** The folder a gateway lives in: made, checked and given its token before anything else happens in it. */
import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { messageOf, SluiceError } from '../errors.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TOKEN_BYTES = 32;

/** Makes the home where it is missing. Throws HOME_NO_PERMISSION when this user cannot work in it. */
export function prepareHome(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: FOLDER_MODE });
    if (!statSync(home).isDirectory()) throw new Error('it is not a folder');
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new SluiceError('HOME_NO_PERMISSION', `the home ${home} cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * The home's token, made at the first start. On a full disk a new one may not fit: then it is good for this
 * life only, and `onProblem` hears of it.
 */
export function readToken(path: string, onProblem: (message: string) => void): string {
  const known = tokenAt(path);
  if (known !== undefined) return known;
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  try {
    writeFileSync(path, `${token}\n`, { mode: FILE_MODE });
    chmodSync(path, FILE_MODE);
  } catch (error) {
    onProblem(`the token could not be written to ${path}: ${messageOf(error)}`);
  }
  return token;
}

function tokenAt(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text.length >= TOKEN_BYTES ? text : undefined;
  } catch {
    return undefined;
  }
}
