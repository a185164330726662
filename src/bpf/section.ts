import { ATTACH_TYPES, PROGRAM_TYPES } from "./tables/names.gen.js";
import { KERNEL_PROBES } from "./tables/rejected-stores.js";
import { SECTIONS } from "./tables/sections.gen.js";

/** The meaning of a section's name to libbpf. */
export interface SectionRole {
  /** As bpftool spells it; `unknown` if libbpf does not know the section's name. */
  readonly type: string;
  readonly expectedAttachType: string | null;
  /** The part after the slash: a kernel function, `category/tracepoint`, an LSM hook and so on; or null. */
  readonly attachTo: string | null;
}

const definitions = new Map(SECTIONS.map((row) => [row[0], row]));

/** Program type and attach type for a section name of libbpf. A leading `?` (loaded only on request) is ignored. */
export function roleOf(section: string): SectionRole {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const exact = definitions.get(name);
  if (exact !== undefined) return role(exact[1], exact[2], null);
  // No name that can have a target contains a slash, so the target starts after the first one.
  const slash = name.indexOf("/");
  const prefix = slash === -1 ? undefined : definitions.get(name.slice(0, slash));
  if (prefix?.[3] !== true) return { type: "unknown", expectedAttachType: null, attachTo: null };
  return role(prefix[1], prefix[2], name.slice(slash + 1) || null);
}

/** Whether libbpf attaches the section's program to a kernel function by a kprobe: the section names the function. */
export function isKernelProbe(section: string): boolean {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const slash = name.indexOf("/");
  return slash !== -1 && slash + 1 < name.length && KERNEL_PROBES.has(name.slice(0, slash));
}

function role(type: number, attachType: number, attachTo: string | null): SectionRole {
  const name = programTypeName(type);
  return { type: name, expectedAttachType: attachTypeName(name, attachType), attachTo };
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
