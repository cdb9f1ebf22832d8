/**
 * Is a folder on another machine's disk? SQLite's locks are advice of the file system, and its log is shared memory:
 * over a network the first may not hold and the second cannot, so that two gateways would own one home and break its store.
 *
 * Linux numbers its file systems (statfs(2)); one made in user space has one number for all kinds, so its kind is looked
 * up where it is mounted. macOS gives its file systems no lasting numbers: nothing is recognised there.
 */
import { readFileSync, realpathSync, statfsSync } from 'node:fs';

/** By the number that statfs gives, as linux/magic.h and the file systems' own headers have it. */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xfe534d42, 'smb2'],
  [0xff534d42, 'cifs'],
  [0x01021997, '9p'],
  [0x73757245, 'coda'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'afs'],
  [0x00c36400, 'ceph'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x19830326, 'beegfs'],
]);

/** Made in user space: what it is, its mount says. */
const FUSE_TYPE = 0x65735546;

/** Mounts of user space whose files lie elsewhere, as /proc/mounts names them. */
const NETWORK_MOUNTS: ReadonlySet<string> = new Set(
  [
    ...['sshfs', 'glusterfs', 's3fs', 'rclone', 'gcsfuse', 'goofys', 'mount-s3', 'mountpoint-s3', 'blobfuse'],
    ...['blobfuse2', 'davfs', 'curlftpfs', 'smbnetfs', 'smb-network', 'juicefs', 'seaweedfs', 'weed', 'mfs'],
    ...[
      'moosefs',
      'lizardfs',
      'ceph',
      'ceph-fuse',
      'nfs',
      'afpfs',
      'hdfs',
      'onedriver',
      'google-drive-ocamlfuse',
    ],
  ].map((kind) => `fuse.${kind}`),
);

/** What a running system tells of a folder; another one only in tests. */
export interface FileSystems {
  /** The number of the file system that a folder lies on. */
  typeOf(path: string): number;
  /** What is mounted where, as /proc/self/mounts has it. */
  mounts(): string;
}

const SYSTEM: FileSystems = {
  typeOf: (path) => statfsSync(path).type,
  mounts: () => readFileSync('/proc/self/mounts', 'utf8'),
};

/**
 * The name of the network file system that an existing folder lies on; undefined where it lies on none, or where nobody
 * can tell. Never throws: a folder that cannot be asked about is judged by what is done with it.
 */
export function networkFileSystemOf(path: string, systems: FileSystems = SYSTEM): string | undefined {
  try {
    // Where a number is 32 bits wide, the large ones come out negative.
    const type = systems.typeOf(path) >>> 0;
    if (type !== FUSE_TYPE) return NETWORK_TYPES.get(type);
    const kind = mountedAt(realpathSync(path), systems.mounts());
    return kind !== undefined && NETWORK_MOUNTS.has(kind) ? kind : undefined;
  } catch {
    return undefined;
  }
}

/** The kind of the mount that holds this path: the deepest, and of those at one place the last, which covers the others. */
function mountedAt(path: string, mounts: string): string | undefined {
  let found: { readonly point: string; readonly kind: string | undefined } | undefined;
  for (const line of mounts.split('\n')) {
    const [, point, kind] = line.split(' ').map(unescaped);
    if (point === undefined || !`${path}/`.startsWith(point === '/' ? '/' : `${point}/`)) continue;
    if (found === undefined || point.length >= found.point.length) found = { point, kind };
  }
  return found?.kind;
}

/** Blanks and backslashes of a path stand there as octal numbers. */
const unescaped = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
