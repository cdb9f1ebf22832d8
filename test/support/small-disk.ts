/**
 * A disk of its own that can be filled and made read-only: a small tmpfs in a fresh folder. It takes a Linux
 * and root; `SMALL_DISK_MISSING` says in words what is missing, for the name of a test that is skipped.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Writes until no byte is left. */
  fill(): void;
  empty(): void;
  makeReadOnly(): void;
}

const USUAL_SIZE_KB = 64;

/** Enough for a home with a store, and little enough that the store makes no reserve. */
export const HOME_SIZE_KB = 4096;

export const SMALL_DISK_MISSING: string | undefined = whatIsMissing();

export function mountSmallDisk(sizeKb = USUAL_SIZE_KB): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k,mode=0700`, 'sluice-test', path]);
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      try {
        for (let kb = 0; kb <= sizeKb; kb += 1) appendFileSync(filler, Buffer.alloc(1024));
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === 'ENOSPC') return;
        throw thrown;
      }
      throw new Error('the disk did not become full');
    },
    empty: () => rmSync(filler),
    makeReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', path]),
    [Symbol.dispose]() {
      // Lazily: what a failed test still holds open must not keep the mount behind.
      execFileSync('umount', ['-l', path]);
      rmdirSync(path);
    },
  };
}

function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root to mount';
  try {
    mountSmallDisk()[Symbol.dispose]();
    return undefined;
  } catch {
    return 'may not mount here';
  }
}
