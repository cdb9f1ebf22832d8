/**
 * Reading whatever lies at a path as if it were a regular file, without ever waiting: opening a named pipe waits for its
 * other end, reading a device may never end, and with a synchronous call the whole process would wait. Every command of
 * the CLI loads this, so it imports next to nothing.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** A file that has grown since it was looked at is read on in pieces of this. */
const FURTHER_BYTES = 64 * 1024;

/** What lies at the path is a folder, a pipe, a socket or a device. */
export class NotRegularFile extends Error {
  readonly isFolder: boolean;

  constructor(path: string, isFolder: boolean) {
    super(`${path} is ${isFolder ? 'a folder' : 'not a regular file'}`);
    this.name = 'NotRegularFile';
    this.isFolder = isFolder;
  }
}

/** The bytes of a regular file, one more than allowed at most. Throws NotRegularFile, or the system's error. */
export function readRegularFile(path: string, bytesMax: number): Buffer {
  const descriptor = openRegularFile(path, constants.O_RDONLY);
  try {
    const { size } = fstatSync(descriptor);
    const chunks: Buffer[] = [];
    for (let length = 0; length <= bytesMax; ) {
      const wanted = Math.max(size - length, 0) + 1;
      const room = Math.min(bytesMax + 1 - length, length === 0 ? wanted : Math.max(wanted, FURTHER_BYTES));
      const chunk = Buffer.allocUnsafe(room);
      const read = readSync(descriptor, chunk, 0, room, null);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      length += read;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}

/** The last bytes of a regular file, at most so many. Throws as `readRegularFile`. */
export function readEndOfRegularFile(path: string, bytesMax: number): Buffer {
  const descriptor = openRegularFile(path, constants.O_RDONLY);
  try {
    const { size } = fstatSync(descriptor);
    const bytes = Buffer.alloc(Math.min(size, bytesMax));
    const begins = size - bytes.length;
    for (let length = 0; length < bytes.length; ) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, begins + length);
      if (read === 0) return bytes.subarray(0, length);
      length += read;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * A descriptor of a regular file, opened with these flags and closed by whoever asked for it. Throws NotRegularFile, or
 * the system's error: to be written, a pipe that nobody reads is ENXIO there.
 */
export function openRegularFile(path: string, flags: number, mode?: number): number {
  const descriptor = openSync(path, flags | constants.O_NONBLOCK, mode);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new NotRegularFile(path, found.isDirectory());
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
