import type { Btf } from "../../bpf/btf/btf.js";
import { CountersignError } from "../../error.js";
import { mapContents } from "../code/map-contents.js";
import type { LinkReport, MapReport, ProgramReport } from "../model/objects.js";
import type { StructOpsPlace } from "../model/places.js";
import type { Reads } from "../reads/reads.js";
import type { KernelTypes } from "../views/kernel-types.js";

/**
 * The programs of maps of struct_ops, which stand in the kernel's structure for its functions: user space reads the id
 * of a program in the place of a pointer (bpf_struct_ops_map_update_elem of kernel/bpf/bpf_struct_ops.c). A map that
 * was not registered has none.
 */
export function structOpsPlaces(
  reads: Reads,
  maps: readonly MapReport[],
  programs: readonly ProgramReport[],
  links: readonly LinkReport[],
  types: KernelTypes,
): readonly StructOpsPlace[] {
  const ids = new Set(programs.filter(({ type }) => type === "struct_ops").map(({ id }) => id));
  const linked = new Set(links.filter(({ type }) => type === "struct_ops").map(({ target }) => target.map_id));
  return maps.flatMap((map) => {
    const { kernelType } = map;
    if (map.type !== "struct_ops" || kernelType === null) return [];
    if ((map.flags & ONLY_BY_LINK) !== 0 && !linked.has(map.id)) return [];
    const btf = types.btf(kernelType.btfObject === 0 ? types.vmlinux : kernelType.btfObject);
    // it has one value, whatever the number of processors
    const contents = mapContents(reads, map, 1);
    if (btf === null || typeof contents === "number") return [];
    const value = Buffer.from(contents.buffer, contents.byteOffset + map.keySize, contents.byteLength - map.keySize);
    return functionsIn(btf, kernelType.btfId).flatMap(({ name, offset }): StructOpsPlace[] => {
      const program = offset + 8 <= value.length ? Number(value.readBigUInt64LE(offset)) : 0;
      return ids.has(program) ? [{ at: "struct_ops", program, map: map.id, member: name }] : [];
    });
  });
}

/** BPF_F_LINK of linux/bpf.h. */
const ONLY_BY_LINK = 1 << 13;

interface StructFunction {
  readonly name: string;
  /** In bytes, in the value of the map. */
  readonly offset: number;
}

/** The pointers to functions in the structure that a map's value has as its member `data`. */
function functionsIn(btf: Btf, type: number): readonly StructFunction[] {
  try {
    const data = btf.members(type).find(({ name }) => name === "data");
    if (data === undefined) return [];
    return btf
      .members(btf.resolve(data.type))
      .filter((member) => {
        const pointer = btf.resolve(member.type);
        return btf.kind(pointer) === "ptr" && btf.kind(btf.resolve(btf.target(pointer))) === "func_proto";
      })
      .map(({ name, bit }) => ({ name, offset: (data.bit + bit) / 8 }));
  } catch (error) {
    if (error instanceof CountersignError && error.code === "BTF_MALFORMED") return [];
    throw error;
  }
}
