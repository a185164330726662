import { ATTACH_TYPES, PROGRAM_TYPES } from "./tables/names.gen.js";
import { KERNEL_PROBES } from "./tables/rejected-stores.js";
import { SECTIONS } from "./tables/sections.gen.js";

/** What libbpf makes of a section's name. */
export interface SectionRole {
  /** As bpftool writes it; `unknown` where libbpf knows no such name. */
  readonly type: string;
  readonly expectedAttachType: string | null;
  /** What stands behind the slash: a kernel function, `category/tracepoint`, an LSM hook … or null. */
  readonly attachTo: string | null;
}

const definitions = new Map(SECTIONS.map((row) => [row[0], row]));

/** Program and attach type by libbpf's section names; an opening `?` (not loaded unless asked for) is no part of it. */
export function roleOf(section: string): SectionRole {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const exact = definitions.get(name);
  if (exact !== undefined) return role(exact[1], exact[2], null);
  // of the names that may have a target behind them none has a slash, so the first slash is where it starts
  const slash = name.indexOf("/");
  const prefix = slash === -1 ? undefined : definitions.get(name.slice(0, slash));
  if (prefix?.[3] !== true) return { type: "unknown", expectedAttachType: null, attachTo: null };
  return role(prefix[1], prefix[2], name.slice(slash + 1) || null);
}

/** Whether libbpf attaches a section's program to a function of the kernel, by a kprobe: it names the function. */
export function isKernelProbe(section: string): boolean {
  const name = section.startsWith("?") ? section.slice(1) : section;
  const slash = name.indexOf("/");
  return slash !== -1 && slash + 1 < name.length && KERNEL_PROBES.has(name.slice(0, slash));
}

function role(type: number, attachType: number, attachTo: string | null): SectionRole {
  const name = programTypeName(type);
  return { type: name, expectedAttachType: attachTypeName(name, attachType), attachTo };
}

/** The name of an enum bpf_prog_type; `unknown` for one that is newer than the tables, and for `unspec`. */
export function programTypeName(type: number): string {
  return (type === 0 ? undefined : PROGRAM_TYPES[type]) ?? "unknown";
}

/**
 * The name of an enum bpf_attach_type for a program type; null for 0, which says nothing, except where the first of the
 * enumeration is meant (cgroup_skb); `unknown` for one that is newer than the tables.
 */
export function attachTypeName(programType: string, attachType: number): string | null {
  if (attachType === 0 && programType !== "cgroup_skb") return null;
  return ATTACH_TYPES[attachType] ?? "unknown";
}
