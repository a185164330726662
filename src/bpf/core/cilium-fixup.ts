import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { ciliumTypesAreCompatible, type TypeIn } from "./cilium-compatible.js";
import { ciliumFields } from "./cilium-field.js";
import { isEnum } from "./compatible.js";
import { coreError } from "./core-error.js";
import { familyOf, RELO } from "./relo-kind.js";
import { type CoreRelocation, MAX_ACCESS } from "./relocation.js";
import type { Steps } from "./steps.js";
import { sizeOfType } from "./type-size.js";

/** COREFixup of cilium/ebpf, whose values have 32 bits. */
export interface Fixup {
  readonly from: number;
  readonly to: number;
  readonly poison: boolean;
  readonly checked: boolean;
}

const POISON: Fixup = { from: 0, to: 0, poison: true, checked: true };
const MISSING: Fixup = { from: 1, to: 0, poison: false, checked: true };

const EXISTENCE: ReadonlySet<number> = new Set([RELO.FIELD_EXISTS, RELO.TYPE_EXISTS, RELO.ENUMVAL_EXISTS]);

/** What an instruction becomes if the kernel has nothing that its relocation could refer to. */
export function missingFixup(kind: number): Fixup {
  return EXISTENCE.has(kind) ? MISSING : POISON;
}

/** Whether a fixup counts against a candidate. */
export function isMiss(kind: number, { poison, to }: Fixup): boolean {
  return poison || (EXISTENCE.has(kind) && to === 0);
}

/** Computes the fixup of one relocation for one candidate type (coreCalculateFixup of cilium/ebpf). */
export function ciliumFixup(
  { typeId, kind, access: text }: CoreRelocation,
  btf: Btf,
  kernel: TypeIn,
  steps: Steps,
): Fixup {
  const access = ciliumAccess(text);
  const local: TypeIn = { btf, id: typeId };
  switch (kind === RELO.TYPE_MATCHES ? null : familyOf(kind)) {
    case "type":
      return typeFixup(kind, local, access, kernel, steps);
    case "enumerator":
      return enumeratorFixup(kind, local, access, kernel, steps);
    case "field":
      return fieldFixup(kind, local, access, kernel, steps);
    default:
      throw coreError("CORE_UNSUPPORTED", `cilium/ebpf does not know relocations of kind ${kind}`);
  }
}

export function ciliumAccess(text: string): readonly number[] {
  const access =
    text.length <= 11 * MAX_ACCESS && /^\d{1,10}(?::\d{1,10})*$/.test(text) ? text.split(":").map(Number) : [];
  if (access.length === 0 || access.some((index) => index > 0x7fff_ffff))
    throw coreError("CORE_MALFORMED", `access \`${text.slice(0, 80)}\` is not a list of indexes`);
  return access;
}

function fixup(from: number | bigint, to: number | bigint, checked = true): Fixup {
  const u32 = (value: number | bigint) => Number(BigInt.asUintN(32, BigInt(value)));
  return { from: u32(from), to: u32(to), poison: false, checked };
}

function typeFixup(kind: number, local: TypeIn, access: readonly number[], kernel: TypeIn, steps: Steps): Fixup {
  if (access.length > 1 || access[0] !== 0) throw coreError("CORE_MALFORMED", "a type has no fields to access");
  if (!ciliumTypesAreCompatible(local, kernel, steps)) return missingFixup(kind);
  if (kind === RELO.TYPE_EXISTS) return fixup(1, 1);
  if (kind === RELO.TYPE_ID_TARGET) return fixup(local.id, kernel.id);
  return fixup(sizeOfType(local.btf, local.id), sizeOfType(kernel.btf, kernel.id));
}

function enumeratorFixup(kind: number, local: TypeIn, access: readonly number[], kernel: TypeIn, steps: Steps): Fixup {
  const ours = local.btf.resolve(local.id);
  const value =
    isEnum(local.btf.kind(ours)) && access.length === 1 ? local.btf.enumerator(ours, access[0]!) : undefined;
  if (value === undefined) throw coreError("CORE_MALFORMED", "is not an enumerator");
  const its = kernel.btf.resolve(kernel.id);
  const wanted = essentialName(value.name);
  const count = isEnum(kernel.btf.kind(its)) ? kernel.btf.length(its) : 0;
  for (let index = 0; index < count; index++) {
    steps.take();
    const other = kernel.btf.enumerator(its, index)!;
    if (essentialName(other.name) === wanted)
      return kind === RELO.ENUMVAL_EXISTS ? fixup(1, 1) : fixup(value.value, other.value);
  }
  return missingFixup(kind);
}

function fieldFixup(kind: number, from: TypeIn, access: readonly number[], to: TypeIn, steps: Steps): Fixup {
  if (to.btf.kind(to.btf.resolve(to.id)) === "fwd") return missingFixup(kind);
  const fields = ciliumFields(from, access, to, steps);
  if (fields === null) return missingFixup(kind);
  const { local, kernel } = fields;
  const isBitField = local.bits > 0;
  const bits = kernel.bits > 0 ? kernel.bits : 8 * sizeIfNeeded(kind, kernel);
  switch (kind) {
    case RELO.FIELD_EXISTS:
      return fixup(1, 1);
    case RELO.FIELD_BYTE_OFFSET:
      return fixup(local.offset, kernel.offset, !isBitField);
    case RELO.FIELD_BYTE_SIZE:
      return fixup(sizeOfType(local.btf, local.id), sizeOfType(kernel.btf, kernel.id), !isBitField);
    case RELO.FIELD_LSHIFT_U64:
      if (kernel.btf.order === "little") return fixup(0, 64 - kernel.bit - bits, false);
      return fixup(0, 64 - 8 * sizeOfType(kernel.btf, kernel.id) + kernel.bit, false);
    case RELO.FIELD_RSHIFT_U64:
      return fixup(0, 64 - bits, false);
    default:
      return signFixup(local, kernel);
  }
}

const SHIFTS: ReadonlySet<number> = new Set([RELO.FIELD_LSHIFT_U64, RELO.FIELD_RSHIFT_U64]);

function sizeIfNeeded(kind: number, { btf, id }: TypeIn): number {
  return SHIFTS.has(kind) ? sizeOfType(btf, id) : 0;
}

const SIGNED = 1;

function signFixup(local: TypeIn, kernel: TypeIn): Fixup {
  const [ours, its] = [local.btf.resolve(local.id), kernel.btf.resolve(kernel.id)];
  if (isEnum(local.btf.kind(ours)) && isEnum(kernel.btf.kind(its)))
    return fixup(local.btf.flag(ours) ? 1 : 0, kernel.btf.flag(its) ? 1 : 0);
  const [one, other] = [local.btf.int(ours), kernel.btf.int(its)];
  if (one !== null && other !== null) return fixup(one.encoding & SIGNED, other.encoding & SIGNED);
  throw coreError("CORE_UNSUPPORTED", "cilium/ebpf knows the sign of integers and enums only");
}
