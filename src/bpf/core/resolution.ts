import type { Btf } from "../btf/btf.js";
import type { Access } from "./access.js";
import type { Value } from "./value.js";

/** How the instruction of a relocation changes (struct bpf_core_relo_res of libbpf). */
export interface Resolution {
  /** Whether the kernel has nothing that the instruction could refer to, so that it must never run. */
  readonly poison: boolean;
  /** 64 bits, unsigned. */
  readonly from: bigint;
  readonly to: bigint;
  /** Whether the instruction must have `from`. */
  readonly checked: boolean;
  /** Sizes in bytes of the field that is loaded or stored; 0 if they do not matter. */
  readonly fromSize: number;
  readonly toSize: number;
  /** Whether a load or store cannot get the other size without changing what it reads. */
  readonly fixedSize: boolean;
}

const POISON: Resolution = {
  poison: true,
  ...{ from: 0n, to: 0n, checked: true, fromSize: 0, toSize: 0, fixedSize: false },
};

/** Compares the values for the local and the kernel's type (bpf_core_calc_relo). */
export function resolutionOf(local: Access, ours: Value | null, kernel: Access | null, its: Value | null): Resolution {
  if (ours === null || its === null) return POISON;
  return {
    poison: false,
    from: ours.value,
    to: its.value,
    checked: ours.checked,
    fromSize: ours.size,
    toSize: its.size,
    fixedSize: ours.size !== its.size && kernel !== null && !canResize(local.btf, ours.type, kernel.btf, its.type),
  };
}

const SIGNED = 1;

/** A load zero-extends: that is right for pointers of 32 bits and for unsigned integers. */
function canResize(local: Btf, ours: number, kernel: Btf, its: number): boolean {
  if (local.kind(ours) === "ptr" && kernel.kind(its) === "ptr") return true;
  const [one, other] = [local.int(ours), kernel.int(its)];
  return one !== null && other !== null && one.encoding !== SIGNED && other.encoding !== SIGNED;
}
