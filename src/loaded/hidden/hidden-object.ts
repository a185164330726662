import type { ObjectName } from "../model/references.js";

/** Ways to see an object. Each can be deceived by code in the kernel; a rootkit has to deceive all. */
export const SIGHTS = {
  list: "the list of ids (BPF_*_GET_NEXT_ID)",
  id: "its id (BPF_*_GET_FD_BY_ID)",
  memory: "the kernel's memory (/proc/kcore)",
  symbols: "the kernel's symbols (/proc/kallsyms)",
  link: "a link",
  program: "a program",
  place: "where it is attached",
  descriptor: "a descriptor of a process",
  pin: "a pin",
  functions: "the functions that are traced (enabled_functions)",
  targets: "the targets of programs",
  modules: "/proc/modules",
  sysfs: "/sys/module",
  btf: "/sys/kernel/btf",
  btf_ids: "the list of BTF objects",
  traceable: "the functions that can be traced (available_filter_functions)",
} as const;

export type Sight = keyof typeof SIGHTS;

/** An object of the kernel that some ways see, and others do not, which should. */
export interface HiddenObject {
  readonly kind: ObjectName["kind"] | "symbol" | "function" | "module";
  /** Of a program, map or link; null for others, and for a program of which only the symbol is known. */
  readonly id: number | null;
  /** Null if no way that sees it says its name. */
  readonly name: string | null;
  /** Of a program, as 16 hex digits; null if it is not known. */
  readonly tag: string | null;
  readonly seenBy: readonly Sight[];
  readonly notSeenBy: readonly Sight[];
}

/** Ids that were not tried. */
export interface UntriedIds {
  readonly kind: ObjectName["kind"];
  /** All ids up to this one. */
  readonly upTo: number;
}

/** What a comparison of the views found. */
export interface Comparison {
  readonly hidden: readonly HiddenObject[];
  /** Ids that were not tried one by one: it would have taken too long. */
  readonly untried: readonly UntriedIds[];
  /** What could not be compared, and why. */
  readonly unread: readonly { readonly sight: Sight; readonly reason: string }[];
  /** The letters of the kernel's taints that a module has caused, and none that is listed; empty if there are none. */
  readonly taints: string;
}
