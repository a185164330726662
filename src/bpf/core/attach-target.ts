import type { BtfKind } from "../btf/btf-type.js";
import { essentialName } from "../btf/essential-name.js";
import type { Kernel } from "./kernel.js";

/** What a program attaches to when it is loaded: a BTF type of the kernel, or a function of another program. */
export interface AttachTarget {
  /** As the object names it: `function`, `module:function`, `struct.member` for struct_ops. */
  readonly name: string;
  /** Null if this kernel has no such target, and for a target in another program, which the loader chooses. */
  readonly found: FoundTarget | null;
  /** Whether the target is a function of another program (`freplace`). */
  readonly inProgram: boolean;
}

export interface FoundTarget {
  /** attach_btf_id. */
  readonly id: number;
  /** The module whose BTF has it; null for vmlinux. */
  readonly module: string | null;
  /** Of struct_ops the index of the member, which is the expected attach type; null for others. */
  readonly member: number | null;
}

export interface Attachment {
  /** As bpftool spells them. */
  readonly type: string;
  readonly expectedAttachType: string | null;
  readonly attachTo: string | null;
}

/**
 * Kind and name prefix of attach targets in the kernel's BTF, by expected attach type (btf_get_kernel_prefix_kind of
 * libbpf).
 */
export const ATTACH_TARGETS: Readonly<Record<string, { readonly kind: BtfKind; readonly prefix: string }>> = {
  trace_fentry: { kind: "func", prefix: "" },
  trace_fexit: { kind: "func", prefix: "" },
  modify_return: { kind: "func", prefix: "" },
  trace_raw_tp: { kind: "typedef", prefix: "btf_trace_" },
  trace_iter: { kind: "func", prefix: "bpf_iter_" },
  lsm_mac: { kind: "func", prefix: "bpf_lsm_" },
  lsm_cgroup: { kind: "func", prefix: "bpf_lsm_" },
};

/** Finds the attach target of a program; null for a program that has none when it is loaded. */
export function findAttachTarget(attachment: Attachment, kernel: Kernel): AttachTarget | null {
  const { type, expectedAttachType, attachTo: name } = attachment;
  if (name === null) return null;
  if (type === "ext") return { name, found: null, inProgram: true };
  if (type === "struct_ops") return { name, found: findMember(name, kernel), inProgram: false };
  const row = ATTACH_TARGETS[expectedAttachType ?? ""];
  return row === undefined ? null : { name, found: findNamed(name, row.kind, row.prefix, kernel), inProgram: false };
}

/**
 * Looks in vmlinux, then in modules (find_kernel_btf_id). As in libbpf, the module of `module:function` may be cut
 * short, and a module's BTF includes that of vmlinux.
 */
function findNamed(target: string, kind: BtfKind, prefix: string, kernel: Kernel): FoundTarget | null {
  const colon = target.indexOf(":");
  const module = colon === -1 ? null : target.slice(0, colon);
  const name = `${prefix}${target.slice(colon + 1)}`;
  if (name.length >= MAX_NAME) return null;
  const id = module === null || "vmlinux".startsWith(module) ? kernel.vmlinux.find(kind, name) : 0;
  if (id !== 0) return { id, module: null, member: null };
  for (const each of kernel.modules) {
    if (module !== null && !each.name.startsWith(module)) continue;
    const found = each.btf.find(kind, name);
    if (found !== 0) return { id: found, module: each.name, member: null };
  }
  return null;
}

/** BTF_MAX_NAME_SIZE of libbpf; a longer name is cut, and not found. */
const MAX_NAME = 128;

/** The struct and member of a struct_ops program (bpf_map__init_kern_struct_ops). */
function findMember(target: string, kernel: Kernel): FoundTarget | null {
  const [struct = "", name] = target.split(".");
  const found = kernel.find("struct", essentialName(struct));
  if (found === null || name === undefined) return null;
  const { btf, id, module } = found;
  const count = btf.length(id);
  for (let member = 0; member < count; member++)
    if (btf.member(id, member)!.name === name) return { id, module, member };
  return null;
}
