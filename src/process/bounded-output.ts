/**
 * Keeps the beginning and the end of an output stream of any length in at most `bytesMax` bytes of memory,
 * and passes the whole of it on, decoded, to a listener.
 *
 * One buffer holds both parts. It fills from the front until it is full; from then on its second half is a
 * ring that always holds the newest bytes. The beginning says what a program set out to do, the end how it
 * finished; what is lost lies between.
 */
import { TextDecoder } from 'node:util';
import { counted } from '../messages/amounts.ts';

export class BoundedOutput {
  readonly #bytesMax: number;
  readonly #headBytesMax: number;
  readonly #tailBytesMax: number;
  readonly #onText: ((text: string) => void) | undefined;
  readonly #decoder: TextDecoder | undefined;
  #kept = Buffer.alloc(0);
  #totalBytes = 0;

  /**
   * `onText` gets the text as it comes: a code point that two chunks share arrives whole with the second,
   * invalid bytes arrive as U+FFFD. It must not throw.
   */
  constructor(bytesMax: number, onText?: (text: string) => void) {
    this.#bytesMax = bytesMax;
    this.#headBytesMax = Math.ceil(bytesMax / 2);
    this.#tailBytesMax = bytesMax - this.#headBytesMax;
    this.#onText = onText;
    this.#decoder = onText === undefined ? undefined : new TextDecoder('utf-8', { ignoreBOM: true });
  }

  push(chunk: Buffer): void {
    if (this.#decoder !== undefined) this.#pass(this.#decoder.decode(chunk, { stream: true }));
    const first = chunk.subarray(0, Math.max(0, this.#bytesMax - this.#totalBytes));
    this.#append(first);
    this.#overwriteOldest(chunk.subarray(first.length));
  }

  /** How many bytes are kept so far. */
  get keptBytes(): number {
    return Math.min(this.#totalBytes, this.#bytesMax);
  }

  /**
   * Ends the stream: the listener gets what a cut-off code point left over. Of what is kept at most `bytesMax` bytes
   * are given, again the beginning and the end; `text` has a line in place of the `cutBytes` that are missing.
   */
  finish(bytesMax = this.#bytesMax): { text: string; cutBytes: number } {
    if (this.#decoder !== undefined) this.#pass(this.#decoder.decode());
    const kept = this.#inOrder();
    if (this.#totalBytes <= bytesMax) return { text: kept.toString(), cutBytes: 0 };
    const headBytes = Math.ceil(bytesMax / 2);
    const head = withoutCutOffEnd(kept.subarray(0, headBytes));
    const tail = withoutCutOffStart(kept.subarray(kept.length - (bytesMax - headBytes)));
    const cutBytes = this.#totalBytes - head.length - tail.length;
    return {
      text: `${head.toString()}\n[… ${counted(cutBytes, 'byte')} cut …]\n${tail.toString()}`,
      cutBytes,
    };
  }

  /** What is kept, oldest first. */
  #inOrder(): Buffer {
    if (this.#totalBytes <= this.#bytesMax) return this.#kept.subarray(0, this.#totalBytes);
    const oldest = this.#headBytesMax + this.#ringOffset(this.#totalBytes);
    const [head, ring] = [this.#kept.subarray(0, this.#headBytesMax), this.#kept.subarray(oldest)];
    return Buffer.concat([head, ring, this.#kept.subarray(this.#headBytesMax, oldest)]);
  }

  #pass(text: string): void {
    if (text !== '') this.#onText?.(text);
  }

  #append(bytes: Buffer): void {
    const neededBytes = this.#totalBytes + bytes.length;
    if (bytes.length > 0 && neededBytes > this.#kept.length) {
      const grown = Buffer.allocUnsafe(
        Math.min(this.#bytesMax, Math.max(neededBytes, 2 * this.#kept.length)),
      );
      this.#kept.copy(grown, 0, 0, this.#totalBytes);
      this.#kept = grown;
    }
    bytes.copy(this.#kept, this.#totalBytes);
    this.#totalBytes = neededBytes;
  }

  #overwriteOldest(bytes: Buffer): void {
    const newest = bytes.subarray(Math.max(0, bytes.length - this.#tailBytesMax));
    const offset = this.#ringOffset(this.#totalBytes + bytes.length - newest.length);
    const untilEnd = newest.subarray(0, this.#tailBytesMax - offset);
    untilEnd.copy(this.#kept, this.#headBytesMax + offset);
    newest.copy(this.#kept, this.#headBytesMax, untilEnd.length);
    this.#totalBytes += bytes.length;
  }

  /** Where in the ring the byte with this number of the stream belongs. */
  #ringOffset(byteNumber: number): number {
    return this.#tailBytesMax === 0 ? 0 : (byteNumber - this.#headBytesMax) % this.#tailBytesMax;
  }
}

/** Longest character in UTF-8. */
const CODE_POINT_BYTES_MAX = 4;

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** Without the first bytes of a code point whose rest is missing. */
function withoutCutOffEnd(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > bytes.length - CODE_POINT_BYTES_MAX && isContinuation(bytes[start])) start -= 1;
  return codePointBytes(bytes[start] ?? 0) > bytes.length - start ? bytes.subarray(0, start) : bytes;
}

/** Without the last bytes of a code point whose beginning is missing. */
function withoutCutOffStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < CODE_POINT_BYTES_MAX - 1 && isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start);
}

/** How many bytes the code point has that begins with this byte. */
function codePointBytes(leadByte: number): number {
  if (leadByte >= 0xf0) return 4;
  if (leadByte >= 0xe0) return 3;
  return leadByte >= 0xc0 ? 2 : 1;
}
