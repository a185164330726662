import type { LinearTerm } from "../shared/atom.js";

/** Every finite double is a multiple of 2^-1074. */
const SCALE = 1074n;

/** A finite double times 2^1074, exactly. */
export function scaled(value: number): bigint {
  if (Number.isInteger(value)) return BigInt(value) << SCALE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  // A subnormal number has no leading 1
  const magnitude = exponent === 0n ? fraction : ((1n << 52n) | fraction) << (exponent - 1n);
  return bits >> 63n === 1n ? -magnitude : magnitude;
}

/** The value of a term times 2^1074, exactly. */
export function termValue({ constant, of }: LinearTerm, numberOf: (name: string) => number): bigint {
  let sum = BigInt(constant) << SCALE;
  for (const [coefficient, name] of of) sum += BigInt(coefficient) * scaled(numberOf(name));
  return sum;
}

/** The value of a term as JavaScript has it. */
export function termNumber(term: LinearTerm, numberOf: (name: string) => number): number {
  const [only] = term.of;
  if (term.constant === "0" && term.of.length === 1 && only![0] === "1") return numberOf(only![1]);
  return Number(termValue(term, numberOf) >> SCALE);
}

/** The double that is a multiple of 2^-1074; null if there is none. */
export function doubleOf(multiple: bigint): number | null {
  const magnitude = multiple < 0n ? -multiple : multiple;
  const excess = Math.max(0, magnitude.toString(2).length - 53);
  const mantissa = magnitude >> BigInt(excess);
  if (mantissa << BigInt(excess) !== magnitude || excess > 1074 + 971) return null;
  // Both factors and the product are doubles: 2 ** -1074 is the smallest one
  const double = Number(mantissa) * 2 ** (excess - 1074);
  return multiple < 0n ? -double : double;
}

/** The largest multiple of 2^-1074 that is a double, apart from its sign, and not larger than this one. */
export function withoutExcess(multiple: bigint): bigint {
  const excess = BigInt(Math.max(0, (multiple < 0n ? -multiple : multiple).toString(2).length - 53));
  return multiple < 0n ? -((-multiple >> excess) << excess) : (multiple >> excess) << excess;
}
