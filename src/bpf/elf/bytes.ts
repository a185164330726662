import { CountersignError, type ErrorCode } from "../../error.js";
import type { ByteOrder } from "../insn/insn.js";
import { REBUILD } from "./remedies.js";

/**
 * Untrusted bytes, which are read at offsets that they contain themselves. Every read is checked; a read beyond the end
 * throws an error with the given code and the place.
 */
export class Bytes {
  readonly length: number;
  /** The same bytes, for `text`. */
  #buffer: Buffer | undefined;
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(
    readonly raw: Uint8Array,
    readonly order: ByteOrder,
    readonly code: ErrorCode,
    /** Name of these bytes for messages, such as `section .BTF`. */
    readonly place: string,
  ) {
    this.length = raw.length;
    this.#view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    this.#little = order === "little";
  }

  u8(at: number): number {
    this.#within(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    this.#within(at, 2);
    return this.#view.getUint16(at, this.#little);
  }

  u32(at: number): number {
    this.#within(at, 4);
    return this.#view.getUint32(at, this.#little);
  }

  /** A 64-bit number. Above 2^53 it is rounded, which does not matter: no offset or size in a file is that large. */
  u64(at: number): number {
    this.#within(at, 8);
    const high = this.#view.getUint32(at + (this.#little ? 4 : 0), this.#little);
    const low = this.#view.getUint32(at + (this.#little ? 0 : 4), this.#little);
    return high * 0x1_0000_0000 + low;
  }

  /** A view of a part of the bytes, not a copy. */
  part(at: number, size: number): Uint8Array {
    this.#within(at, size);
    return this.raw.subarray(at, at + size);
  }

  /** The NUL-terminated UTF-8 string at an offset. */
  text(at: number): string {
    this.#within(at, 1);
    this.#buffer ??= Buffer.from(this.raw.buffer, this.raw.byteOffset, this.raw.length);
    const end = this.#buffer.indexOf(0, at);
    if (end === -1) throw this.error(`the string at offset ${at} has no end`);
    return this.#buffer.toString("utf8", at, end);
  }

  error(message: string, remedy: string = REBUILD): CountersignError {
    return new CountersignError(this.code, message, { place: this.place, remedy });
  }

  #within(at: number, size: number): void {
    if (!(at >= 0 && at + size <= this.length))
      throw this.error(`${size} bytes at offset ${at} are beyond its ${this.length}`);
  }
}
