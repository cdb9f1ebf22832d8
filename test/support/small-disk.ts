/**
 * A disk of its own that can be filled and made read-only: a tmpfs of 64 KB in a fresh folder. It takes a Linux
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

const SIZE_KB = 64;

export const SMALL_DISK_MISSING: string | undefined = whatIsMissing();

export function mountSmallDisk(): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'sluice-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_KB}k,mode=0700`, 'sluice-test', path]);
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      try {
        for (let kb = 0; kb <= SIZE_KB; kb += 1) appendFileSync(filler, Buffer.alloc(1024));
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
