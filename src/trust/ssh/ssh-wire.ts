import { CountersignError, type ErrorCode } from "../../error.js";
import { asBuffer } from "../asn1/der.js";

/** Reads SSH's data types (RFC 4251 5) with bounds checks; each value has exactly one accepted encoding. */
export class SshReader {
  readonly #bytes: Buffer;
  #position = 0;

  /** `code` is the code of the errors: what is read is a signature or a key. */
  constructor(
    bytes: Uint8Array,
    readonly code: ErrorCode,
  ) {
    this.#bytes = asBuffer(bytes);
  }

  /** Takes `length` bytes. This and every other method throws an error with {@link code}. */
  take(length: number, what: string): Buffer {
    const end = this.#position + length;
    if (end > this.#bytes.length) throw this.#malformed(`${what} is cut short`);
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  byte(what: string): number {
    return this.take(1, what)[0] as number;
  }

  uint32(what: string): number {
    return this.take(4, what).readUInt32BE(0);
  }

  /** `string`: a length and that many bytes. */
  string(what: string): Buffer {
    return this.take(this.uint32(what), what);
  }

  /** A string of printable ASCII without spaces, such as the name of an algorithm. */
  name(what: string): string {
    const text = this.string(what).toString("latin1");
    if (!/^[!-~]*$/.test(text)) throw this.#malformed(`${what} is not a name`);
    return text;
  }

  /** `mpint`, which must not be negative: two's complement without redundant leading bytes. */
  mpint(what: string): bigint {
    const bytes = this.string(what);
    if (bytes.length > MAX_MPINT) throw this.#malformed(`${what} has ${bytes.length} bytes, more than ${MAX_MPINT}`);
    const [first = 1, second = 0] = bytes;
    if (first >= 0x80 || (first === 0 && second < 0x80)) throw this.#malformed(`${what} is negative or not minimal`);
    return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString("hex")}`);
  }

  finish(what: string): void {
    if (this.#position !== this.#bytes.length) throw this.#malformed(`unexpected bytes at the end of ${what}`);
  }

  #malformed(message: string): CountersignError {
    return new CountersignError(this.code, message, {
      place: `byte ${this.#position}`,
      remedy: "give the complete, unmodified file that ssh-keygen wrote",
    });
  }
}

/** Encodes a `string` (RFC 4251 5). */
export function sshString(bytes: Uint8Array | string): Buffer {
  const contents = Buffer.from(bytes);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(contents.length);
  return Buffer.concat([length, contents]);
}

/** In bytes: an RSA modulus of 16,384 bits and its sign byte. */
const MAX_MPINT = 2049;
