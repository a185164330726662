import { ATTACH_TYPES, PROGRAM_TYPES } from "../tables/names.gen.js";
import { KERNEL_PROBES } from "../tables/rejected-stores.js";
import { SECTIONS } from "../tables/sections.gen.js";

/** The meaning of a section's name to libbpf. */
export interface SectionRole {
  /** As bpftool spells it; `unknown` if libbpf does not know the section's name. */
  readonly type: string;
  readonly expectedAttachType: string | null;
  /** The part after the slash: a kernel function, `category/tracepoint`, an LSM hook and so on; or null. */
  readonly attachTo: string | null;
}

/** What libbpf passes to PROG_LOAD for a program of the section: numbers of bpf_attr. */
export interface SectionNumbers {
  readonly type: number;
  /** 0 if there is none. A `usdt` program has BPF_TRACE_UPROBE_MULTI on kernels that support it. */
  readonly expectedAttachType: number;
  readonly flags: number;
  /** The part after the slash, or null. */
  readonly target: string | null;
}

const definitions = new Map(SECTIONS.map((row) => [row[0], row]));

/** BPF_F_SLEEPABLE and BPF_F_XDP_HAS_FRAGS of linux/bpf.h. */
const SLEEPABLE = 1 << 4;
const XDP_HAS_FRAGS = 1 << 5;

/** The numbers for a section name of libbpf; null if libbpf does not know the name. A leading `?` is ignored. */
export function sectionNumbers(section: string): SectionNumbers | null {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const exact = definitions.get(name);
  if (exact !== undefined) return numbers(exact, null);
  // No name that can have a target contains a slash, so the target starts after the first one.
  const slash = name.indexOf("/");
  const prefix = slash === -1 ? undefined : definitions.get(name.slice(0, slash));
  return prefix?.[3] === true ? numbers(prefix, name.slice(slash + 1) || null) : null;
}

/** The flags are those of SEC_SLEEPABLE and SEC_XDP_FRAGS in libbpf's table of sections. */
function numbers([name, type, expectedAttachType]: (typeof SECTIONS)[number], target: string | null): SectionNumbers {
  const sleepable = name.endsWith(".s") || name === "syscall" ? SLEEPABLE : 0;
  const frags = name === "xdp.frags" || name.startsWith("xdp.frags/") ? XDP_HAS_FRAGS : 0;
  return { type, expectedAttachType, flags: sleepable | frags, target };
}

/** Program type and attach type for a section name of libbpf. A leading `?` (loaded only on request) is ignored. */
export function roleOf(section: string): SectionRole {
  const found = sectionNumbers(section);
  if (found === null) return { type: "unknown", expectedAttachType: null, attachTo: null };
  const type = programTypeName(found.type);
  return { type, expectedAttachType: attachTypeName(type, found.expectedAttachType), attachTo: found.target };
}

/** Whether libbpf attaches the section's program to a kernel function by a kprobe: the section names the function. */
export function isKernelProbe(section: string): boolean {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const slash = name.indexOf("/");
  return slash !== -1 && slash + 1 < name.length && KERNEL_PROBES.has(name.slice(0, slash));
}

/** The name of an enum bpf_prog_type; `unknown` for 0 (`unspec`) and for a type that is newer than the tables. */
export function programTypeName(type: number): string {
  return (type === 0 ? undefined : PROGRAM_TYPES[type]) ?? "unknown";
}

/**
 * The name of an enum bpf_attach_type. 0 means that none is given and returns null, except for cgroup_skb, where it is
 * a valid type. `unknown` for a type that is newer than the tables.
 */
export function attachTypeName(programType: string, attachType: number): string | null {
  if (attachType === 0 && programType !== "cgroup_skb") return null;
  return ATTACH_TYPES[attachType] ?? "unknown";
}
