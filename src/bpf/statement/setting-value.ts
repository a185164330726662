import type { Btf } from "../btf/btf.js";
import type { ByteOrder } from "../insn/insn.js";
import type { SettingValue } from "./content.js";

/** How the bytes of a variable become a value. */
export interface Scalar {
  /** In bytes. */
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
}

/** BTF_INT_SIGNED of linux/btf.h. */
const SIGNED = 1;
const SIZES: ReadonlySet<number> = new Set([1, 2, 4, 8]);

/** The integer or enum that a type is; null for everything else, of which the value is hexadecimal. */
export function scalarOf(btf: Btf, type: number): Scalar | null {
  const at = btf.resolve(type);
  const kind = btf.kind(at);
  const size = btf.size(at) as Scalar["size"];
  if (!SIZES.has(size)) return null;
  if (kind === "int") return { size, signed: ((btf.int(at)?.encoding ?? 0) & SIGNED) !== 0 };
  return kind === "enum" || kind === "enum64" ? { size, signed: btf.flag(at) } : null;
}

/** A number up to 32 bits, decimal digits for 64 bits, otherwise lower-case hex. */
export function readValue(bytes: Uint8Array, scalar: Scalar | null, order: ByteOrder): SettingValue {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (scalar === null) return raw.toString("hex");
  const little = order === "little" ? Buffer.from(raw) : Buffer.from(raw).reverse();
  if (scalar.size === 8) return (scalar.signed ? little.readBigInt64LE() : little.readBigUInt64LE()).toString();
  return scalar.signed ? little.readIntLE(0, scalar.size) : little.readUIntLE(0, scalar.size);
}

/** Maximum length of a value on the command line: longer text is rejected without being parsed. */
const MAX_TEXT = 1 << 20;

/**
 * The value that text on the command line gives: decimal or `0x…` for an integer or enum, `true` and `false`, hex for
 * everything else. Null if the text is no value of this size and sign.
 */
export function parseValue(text: string, size: number, scalar: Scalar | null): SettingValue | null {
  if (text.length > MAX_TEXT) return null;
  if (scalar === null) {
    const hex = text.toLowerCase().replace(/^0x/, "");
    return hex.length === 2 * size && /^[0-9a-f]*$/.test(hex) ? hex : null;
  }
  const number = WORDS.get(text) ?? (/^(?:-?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+)$/.test(text) ? BigInt(text) : null);
  if (number === null) return null;
  const bits = BigInt(8 * scalar.size);
  const [low, high] = scalar.signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
  if (number < low || number > high) return null;
  return scalar.size === 8 ? number.toString() : Number(number);
}

const WORDS: ReadonlyMap<string, bigint> = new Map([
  ["true", 1n],
  ["false", 0n],
]);
