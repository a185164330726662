import { ALU } from "./alu.js";
import { KIND, POINTERS } from "./kinds.js";
import type { Values } from "./values.js";

/** Kinds of numbers that were read from memory and may be pointers. */
const READ = KIND.OBJECT | KIND.KERNEL | KIND.HELD;

/**
 * Kinds that are addresses of the kernel. Not among them are pointers to user memory, which user space knows; pointers
 * to arenas, which hold addresses of user space; and numbers that were read from memory and may be pointers, since
 * reading them is an effect of its own. What the kernel gave the program has ADDRESS as well.
 */
const COUNTED = KIND.ADDRESS | (POINTERS & ~(KIND.USER | KIND.ARENA | READ));

/** A number that is computed from an address, as far as its kinds say. */
const NUMBER = KIND.NUMBER | KIND.ADDRESS;

/** All eight bytes of a register. */
export const ALL = 0xff;

/**
 * The bytes of a value that may be of an address, as bits, the lowest byte first. For a number they are stored in place
 * of the offset.
 */
export function addressBytes(values: Values, value: number): number {
  const kinds = values.kinds(value);
  if ((kinds & COUNTED) === 0) return 0;
  return kinds === NUMBER ? values.offset(value) : ALL;
}

/** The mask of the low bytes of a value, which a store of `size` bytes writes. */
export function lowBytes(size: number): number {
  return (1 << size) - 1;
}

/** Whether a value is only a number, computed from an address or not. */
export function isNumber(values: Values, value: number): boolean {
  return (values.kinds(value) | KIND.ADDRESS) === NUMBER;
}

/** The same number without its bytes of an address; other values as they are. */
export function withoutAddress(values: Values, value: number): number {
  if (values.kinds(value) !== NUMBER) return value;
  return values.number(values.lo(value), values.hi(value), values.mask(value), values.set(value));
}

/** The same value, of which these bytes may be of an address. Known bytes are not. */
export function withAddress(values: Values, value: number, bytes: number): number {
  if (bytes === 0) return value;
  const kinds = values.kinds(value);
  if (!isNumber(values, value)) return (kinds & COUNTED) === 0 ? values.marked(value, values.offset(value)) : value;
  const found = (bytes | addressBytes(values, value)) & ~values.mask(value);
  return found === 0 ? value : values.marked(value, found);
}

/** Pointers whose difference says nothing about where they point: to the same packet, or of one kind. */
const PACKET = KIND.PACKET | KIND.PACKET_END;

/**
 * The bytes of the result of `a op b` that may be of an address. The difference of two pointers of the same kind is a
 * length. A carry goes up only; other operations may put any byte anywhere.
 */
export function bytesAfter(values: Values, operation: number, wide: boolean, a: number, b: number): number {
  const left = addressBytes(values, a);
  const right = addressBytes(values, b);
  const width = wide ? ALL : 0x0f;
  const either = (left | right) & width;
  if (either === 0) return 0;
  switch (operation) {
    case ALU.SUB:
      return isDifference(values.kinds(a), values.kinds(b)) ? 0 : upwards(either) & width;
    case ALU.AND:
      return values.isConstant(b) ? either & bytesIn(values.lo(b), values.hi(b)) : either;
    case ALU.OR:
    case ALU.XOR:
      return either;
    case ALU.ADD:
    case ALU.MUL:
      return upwards(either) & width;
    case ALU.LSH:
      return (left & width) === 0 ? width : upwards(left & width) & width;
    default:
      return width;
  }
}

function isDifference(a: number, b: number): boolean {
  if (((a | b) & PACKET) !== 0) return ((a | b) & ~PACKET) === 0;
  const kind = a & ~KIND.ADDRESS;
  return kind === (b & ~KIND.ADDRESS) && kind !== KIND.NUMBER && (kind & (kind - 1)) === 0;
}

/** The lowest byte of a mask and all above it. */
function upwards(bytes: number): number {
  return -(bytes & -bytes) & ALL;
}

/** The bytes of a number that are not zero. */
function bytesIn(lo: number, hi: number): number {
  let bytes = 0;
  for (let byte = 0; byte < 8; byte++)
    if ((((byte < 4 ? lo : hi) >>> (8 * (byte & 3))) & 0xff) !== 0) bytes |= 1 << byte;
  return bytes;
}
