import type { Btf } from "../btf/btf.js";
import type { Access } from "./access.js";
import { isEnum } from "./compatible.js";
import { coreError } from "./core-error.js";
import { familyOf, RELO } from "./relo-kind.js";
import { elementOf, sizeOfType } from "./type-size.js";
import type { LibbpfVariant } from "./variant.js";

/** The value of a relocation for the local or the kernel's type. */
export interface Value {
  /** 64 bits, unsigned. */
  readonly value: bigint;
  /** Size in bytes and type of the field, by which the size of a load or store is checked; 0 if it must not change. */
  readonly size: number;
  readonly type: number;
  /** Whether the compiler's instruction must have the local value. */
  readonly checked: boolean;
}

/**
 * Computes the value of a relocation (bpf_core_calc_field_relo, bpf_core_calc_type_relo, bpf_core_calc_enumval_relo).
 * `access` is null if no type of the kernel matches; the result is null if the instruction is poisoned in that case.
 */
export function relocationValue(kind: number, access: Access | null, variant: LibbpfVariant): Value | null {
  switch (familyOf(kind)) {
    case "type":
      return typeValue(kind, access);
    case "enumerator":
      return enumeratorValue(kind, access);
    default:
      return fieldValue(kind, access, variant);
  }
}

function plain(value: bigint | number, checked = true): Value {
  return { value: BigInt.asUintN(64, BigInt(value)), size: 0, type: 0, checked };
}

function typeValue(kind: number, access: Access | null): Value {
  if (access === null) return plain(0);
  if (kind === RELO.TYPE_SIZE) return plain(sizeOfType(access.btf, access.root));
  // Do not check the instruction: linking renumbers types, but not always the ids in instructions.
  return kind === RELO.TYPE_ID_TARGET ? plain(access.root, false) : plain(1);
}

function enumeratorValue(kind: number, access: Access | null): Value | null {
  if (kind === RELO.ENUMVAL_EXISTS) return plain(access === null ? 0 : 1);
  if (access === null) return null;
  const { type, index } = access.accessors[0]!;
  return plain(access.btf.enumerator(type, index)!.value);
}

function fieldValue(kind: number, access: Access | null, variant: LibbpfVariant): Value | null {
  if (kind === RELO.FIELD_EXISTS) return plain(access === null ? 0 : 1);
  if (access === null) return null;
  const last = access.accessors.at(-1)!;
  return last.name === null ? elementValue(kind, access, last.type, variant) : memberValue(kind, access, variant);
}

function elementValue(kind: number, { btf, bit }: Access, type: number, variant: LibbpfVariant): Value {
  if (kind === RELO.FIELD_BYTE_SIZE) return plain(sizeOfType(btf, type));
  if (kind !== RELO.FIELD_BYTE_OFFSET)
    throw coreError("CORE_MALFORMED", "an element of an array has neither sign nor shifts");
  return { value: BigInt(bit >>> 3), size: loadSize(btf, type, variant), type, checked: true };
}

function memberValue(kind: number, access: Access, variant: LibbpfVariant): Value {
  const { btf, bit } = access;
  const last = access.accessors.at(-1)!;
  const member = btf.member(last.type, last.index)!;
  const type = btf.resolve(member.type);
  const isBitField = member.bits > 0;
  const place = isBitField
    ? bitFieldPlace(btf, type, bit, member.bits)
    : { start: bit >>> 3, size: sizeOfType(btf, type) };
  const bits = isBitField ? member.bits : Number(BigInt.asUintN(32, BigInt(place.size) * 8n));
  switch (kind) {
    case RELO.FIELD_BYTE_OFFSET:
      if (isBitField) return plain(place.start, false);
      return { value: BigInt(place.start), size: loadSize(btf, type, variant), type, checked: true };
    case RELO.FIELD_BYTE_SIZE:
      return plain(place.size, !isBitField);
    case RELO.FIELD_SIGNED:
      return plain(isSigned(btf, type) ? 1 : 0);
    case RELO.FIELD_LSHIFT_U64:
      return plain(leftShift(btf, bit, bits, place), !isBitField);
    default:
      return plain((64 - bits) >>> 0);
  }
}

interface FieldPlace {
  /** In bytes. */
  readonly start: number;
  readonly size: number;
}

/** The smallest aligned integer that holds a bit field. */
function bitFieldPlace(btf: Btf, type: number, bit: number, bits: number): FieldPlace {
  let size = btf.size(type);
  if (size === 0) throw coreError("CORE_MALFORMED", `a bit field has type ${type}, which has no size`);
  let start = Math.floor((bit >>> 3) / size) * size;
  while (bit + bits - start * 8 > size * 8) {
    if (size >= 8) throw coreError("CORE_UNSUPPORTED", "a bit field cannot be read with one load of 64 bits");
    size *= 2;
    start = Math.floor((bit >>> 3) / size) * size;
  }
  return { start, size };
}

function leftShift(btf: Btf, bit: number, bits: number, { start, size }: FieldPlace): number {
  const shift = btf.order === "little" ? 64 - (bit + bits - start * 8) : (8 - size) * 8 + (bit - start * 8);
  return shift >>> 0;
}

function isSigned(btf: Btf, type: number): boolean {
  return isEnum(btf.kind(type)) ? btf.flag(type) : ((btf.int(type)?.encoding ?? 0) & 1) === 1;
}

/** The size that a load of the field has. Since libbpf 1.6, a load of an array is one of an element. */
function loadSize(btf: Btf, type: number, variant: LibbpfVariant): number {
  return sizeOfType(btf, variant === "libbpf-1.6" ? elementOf(btf, type) : type);
}
