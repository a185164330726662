import type { LinkReport } from "../model/objects.js";

/** With what a program was loaded, as far as the kernel shows it. */
export interface LoadedFor {
  /** As bpftool spells it; `none` if it was loaded without one; null if it is not known. */
  readonly attachType: string | null;
  /** The function or hook, without the prefix of the kernel's BTF; null if it is not known. */
  readonly attachTo: string | null;
}

/** Prefixes of types in the kernel's BTF, and the attach type of programs that are loaded for them. */
const TRACEPOINT = "btf_trace_";
/** Of iterators, but also other functions, which can be traced, have it. */
const ITERATOR = "bpf_iter_";
const LSM = "bpf_lsm_";

/** By type of link: programs of other attach types cannot have such a link (bpf_prog_attach_check_attach_type). */
const OF_LINKS: Readonly<Record<string, string>> = {
  iter: "trace_iter",
  // Also of sessions, whose programs decide more.
  kprobe_multi: "trace_kprobe_session",
  uprobe_multi: "trace_uprobe_multi",
};

/**
 * The attach type of a program, which the kernel does not report: from its links, or from what it was loaded for. One
 * that is said instead of several possible ones gives at least their effects.
 *
 * @param target the name in BTF of what it was loaded for (`attach_btf_id`); null if there is none, or it is not known
 */
export function loadedFor(type: string, links: readonly LinkReport[], target: string | null): LoadedFor {
  const attachTo = attachToOf(target);
  const [first, ...others] = links.map((link) => typeOfLink(type, link));
  const same = first !== undefined && first !== null && others.every((other) => other === first);
  return { attachType: same ? first : typeOfTarget(type, target), attachTo };
}

/** The function or hook of a name in BTF, without the prefix of the kernel. */
export function attachToOf(target: string | null): string | null {
  return target === null ? null : target.replace(/^(bpf_lsm_|btf_trace_|bpf_iter_)/, "");
}

function typeOfLink(program: string, { type, target }: LinkReport): string | null {
  if (type === "tracing" || type === "cgroup")
    return typeof target.attach_type === "string" && target.attach_type !== "unknown" ? target.attach_type : null;
  // BPF_PROG_TYPE_KPROBE of another attach type cannot have it
  if (type === "perf_event") return program === "kprobe" ? "none" : null;
  return OF_LINKS[type] ?? null;
}

/**
 * A `tracing` program that is no iterator and traces no tracepoint is attached before or after a function, where it
 * returns 0, or changes what the function returns: the last has the effects of all.
 */
function typeOfTarget(type: string, target: string | null): string | null {
  if (type !== "tracing" || target === null || target.startsWith(ITERATOR) || target.startsWith(LSM)) return null;
  return target.startsWith(TRACEPOINT) ? "trace_raw_tp" : "modify_return";
}
