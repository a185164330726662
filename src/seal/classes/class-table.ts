/**
 * struct guard_classes of guard/interface.h: the classes that the guard admits, and its mask. All integers are
 * little-endian. test/unit/seal compares the layouts with the header.
 */

/** Programs that load without being listed. Numbers are those of linux/bpf.h. */
export interface ProgramClass {
  readonly type: number;
  /** expected_attach_type; loaders that name none give 0. */
  readonly attachTypes: readonly number[];
  readonly helpers: readonly number[];
  readonly mapTypes: readonly number[];
  /** The most instructions and maps. */
  readonly instructions: number;
  readonly maps: number;
}

export interface GuardClasses {
  readonly admit: readonly ProgramClass[];
  /** Programs that are denied whatever allows them: of these types, or with one of these helpers. */
  readonly mask: { readonly types: readonly number[]; readonly helpers: readonly number[] };
}

export const NO_CLASSES: GuardClasses = { admit: [], mask: { types: [], helpers: [] } };

/** GUARD_CLASSES and GUARD_CLASS_ROWS. */
export const CLASSES_MAP = "guard_classes";
export const CLASS_ROWS = 16;
/** The greatest numbers that have a bit. */
export const MAX_TYPE = 63;
export const MAX_HELPER = 255;

/** Byte offsets in struct guard_class. */
export const CLASS = {
  attach_types: 0,
  map_types: 8,
  helpers: 16,
  prog_type: 48,
  instructions: 52,
  maps: 56,
  reserved: 60,
} as const;
export const CLASS_SIZE = 64;

/** Byte offsets in struct guard_classes. */
export const CLASSES = { mask: 0, admit: 40 } as const;
/** Byte offsets in its mask. */
const MASK = { types: 0, helpers: 8 } as const;
export const CLASSES_SIZE = CLASSES.admit + CLASS_ROWS * CLASS_SIZE;

/** There are at most CLASS_ROWS classes. */
export function encodeClasses({ admit, mask }: GuardClasses): Buffer {
  const bytes = Buffer.alloc(CLASSES_SIZE);
  setBits(bytes, CLASSES.mask + MASK.types, mask.types);
  setBits(bytes, CLASSES.mask + MASK.helpers, mask.helpers);
  for (const [index, row] of admit.entries()) {
    const at = CLASSES.admit + index * CLASS_SIZE;
    setBits(bytes, at + CLASS.attach_types, row.attachTypes);
    setBits(bytes, at + CLASS.map_types, row.mapTypes);
    setBits(bytes, at + CLASS.helpers, row.helpers);
    bytes.writeUInt32LE(row.type, at + CLASS.prog_type);
    bytes.writeUInt32LE(row.instructions, at + CLASS.instructions);
    bytes.writeUInt32LE(row.maps, at + CLASS.maps);
  }
  return bytes;
}

/** CLASSES_SIZE bytes. Rows after the first unused one are left out; {@link encodeClasses} of the result shows them. */
export function decodeClasses(bytes: Buffer): GuardClasses {
  const admit: ProgramClass[] = [];
  for (let at: number = CLASSES.admit; at < CLASSES_SIZE; at += CLASS_SIZE) {
    const type = bytes.readUInt32LE(at + CLASS.prog_type);
    if (type === 0) break;
    admit.push({
      type,
      attachTypes: bits(bytes, at + CLASS.attach_types, MAX_TYPE),
      helpers: bits(bytes, at + CLASS.helpers, MAX_HELPER),
      mapTypes: bits(bytes, at + CLASS.map_types, MAX_TYPE),
      instructions: bytes.readUInt32LE(at + CLASS.instructions),
      maps: bytes.readUInt32LE(at + CLASS.maps),
    });
  }
  const mask = {
    types: bits(bytes, CLASSES.mask + MASK.types, MAX_TYPE),
    helpers: bits(bytes, CLASSES.mask + MASK.helpers, MAX_HELPER),
  };
  return { admit, mask };
}

// Bit n of little-endian 64-bit words is bit n % 8 of byte n / 8
function setBits(bytes: Buffer, at: number, numbers: readonly number[]): void {
  for (const number of numbers) bytes[at + (number >> 3)]! |= 1 << (number & 7);
}

function bits(bytes: Buffer, at: number, last: number): readonly number[] {
  return Array.from({ length: last + 1 }, (_, number) => number).filter(
    (number) => (bytes[at + (number >> 3)]! & (1 << (number & 7))) !== 0,
  );
}
