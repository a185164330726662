let zeros = new ArrayBuffer(0);

/**
 * Bytes of a recorded subject of which only the digest and the length are known. All of them share one buffer of zeros.
 * A reader must reject them: what depends on their content is not known.
 */
export class AbsentBytes extends Uint8Array {
  /** SHA-256 in lower-case hex. */
  sha256 = "";
  /** The fact that has the bytes, such as `object.data`. */
  path = "";

  /** Throws RangeError if the machine has no memory for so many bytes. */
  static known(length: number, sha256: string, path: string): AbsentBytes {
    if (length > zeros.byteLength) zeros = new ArrayBuffer(length);
    return Object.assign(new AbsentBytes(zeros, 0, length), { sha256, path });
  }
}
