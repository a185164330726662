import { HELPERS } from "../../bpf/tables/names.gen.js";
import type { Callee, KernelView } from "../../bpf/translated-program.js";
import { CALLEE_SYMBOLS } from "./callee-symbols.gen.js";
import type { KernelSymbol, KernelSymbols } from "./kernel-symbols.js";

/** The symbol to which the `imm` of a call is relative (BPF_CALL_IMM of include/linux/filter.h). */
const BASE = "__bpf_call_base";

/** Functions that the verifier puts in place of a helper besides those of CALLEE_SYMBOLS. */
const INLINED: Readonly<Record<string, Callee>> = {
  // map_gen_lookup of kernel/bpf/hashtab.c
  __htab_map_lookup_elem: { inlined: "hash_lookup" },
  rhtab_lookup_elem: { inlined: "hash_lookup" },
  // bpf_gen_ld_abs of net/core/filter.c
  bpf_skb_load_helper_8_no_cache: { inlined: "packet_load" },
  bpf_skb_load_helper_16_no_cache: { inlined: "packet_load" },
  bpf_skb_load_helper_32_no_cache: { inlined: "packet_load" },
  arch_bpf_timed_may_goto: { inlined: "loop_check" },
};

/**
 * bpf_get_branch_snapshot: what static_call_update sets perf_snapshot_branch_stack to (arch/x86/events). Its argument
 * for the size is then a number of entries.
 */
const BRANCH_SNAPSHOTS = [
  "intel_pmu_snapshot_branch_stack",
  "intel_pmu_snapshot_arch_branch_stack",
  "amd_pmu_v2_snapshot_branch_stack",
];

/** Variants of kfuncs that specialize_kfunc of kernel/bpf/verifier.c chooses. */
const KFUNC_VARIANTS: Readonly<Record<string, string>> = {
  bpf_dynptr_from_skb_rdonly: "bpf_dynptr_from_skb",
  bpf_set_dentry_xattr_locked: "bpf_set_dentry_xattr",
  bpf_remove_dentry_xattr_locked: "bpf_remove_dentry_xattr",
  bpf_dynptr_from_file_sleepable: "bpf_dynptr_from_file",
  bpf_arena_alloc_pages_non_sleepable: "bpf_arena_alloc_pages",
  bpf_arena_free_pages_non_sleepable: "bpf_arena_free_pages",
};

/** Functions of two helpers, of which programs that trace have the second, which does more. */
const OF_TRACING: Readonly<Record<string, string>> = {
  bpf_skb_event_output: "bpf_skb_output",
  bpf_xdp_event_output: "bpf_xdp_output",
};
const TRACING: ReadonlySet<string> = new Set(["tracing", "ext", "lsm", "struct_ops"]);

/** Helpers that the kernel leaves to its compiler of machine code, by their id (bpf_jit_inlines_helper_call). */
const LEFT: ReadonlySet<number> = new Set(
  ["bpf_get_smp_processor_id", "bpf_get_current_task", "bpf_get_current_task_btf"].map((name) => HELPERS.indexOf(name)),
);

/** By function. Of two helpers, the first has it: see OF_TRACING. */
const HELPER_OF: ReadonlyMap<string, Callee> = new Map<string, Callee>([
  ...Object.entries(INLINED),
  ...BRANCH_SNAPSHOTS.map((symbol) => [symbol, { helper: HELPERS.indexOf("bpf_get_branch_snapshot") }] as const),
  ...CALLEE_SYMBOLS.toReversed().flatMap(([helper, symbols]) =>
    symbols.split(/\s+/).map((symbol) => [symbol, { helper: HELPERS.indexOf(`bpf_${helper}`) }] as const),
  ),
]);

/** Why no callee can be named: the remedy is the administrator's. */
const HIDDEN =
  "calls functions whose addresses the kernel hides: set sysctl `kernel.kptr_restrict` to 0 or 1, and run as root";

/** The functions that translated programs of one kernel call. */
export class Callees {
  readonly #base: { readonly low: number; readonly high: number } | null;
  readonly #isHidden: boolean;

  /**
   * @param symbols of the kernel that translated the programs
   * @param machine its architecture, as node spells it (`x64`)
   */
  constructor(
    readonly symbols: KernelSymbols,
    readonly machine: string,
  ) {
    const base = symbols.address(BASE);
    this.#isHidden = symbols.isHidden;
    this.#base = base !== null && (base.low !== 0 || base.high !== 0) ? base : null;
  }

  /** What a program of this type refers to. */
  viewOf(type: string): KernelView {
    return {
      callee: (imm, isKfunc) => this.#callee(imm, isKfunc, type),
      symbol: (low, high) => (low === 0 && high === 0 ? null : (this.symbols.at(low, high)[0]?.name ?? null)),
    };
  }

  #callee(imm: number, isKfunc: boolean, type: string): Callee {
    if (this.#base === null) {
      if (this.#isHidden || imm === 0) return { because: HIDDEN };
      return { because: `calls functions by their distance from \`${BASE}\`, which /proc/kallsyms does not have` };
    }
    if (imm === 0) return { because: HIDDEN };
    if (!isKfunc && LEFT.has(imm)) return { helper: imm, keepsRegisters: true };
    const names = this.#namesAt(imm);
    if (names.length === 0) return { because: `calls an address at which no function of the kernel begins` };
    if (isKfunc) return this.#kfunc(names);
    // Names of one address are those of one function.
    const known = names.flatMap((name) => helperOf(name, type) ?? []);
    const [first, ...others] = known.map((each) => JSON.stringify(each));
    if (first === undefined) return { because: `calls \`${names[0]}\`, which is not known` };
    return others.every((other) => other === first)
      ? known[0]!
      : { because: `calls \`${names[0]}\`, which is one of several helpers` };
  }

  /** Elsewhere, `imm` may be the BTF id of a kfunc (bpf_jit_supports_far_kfunc_call). */
  #kfunc(names: readonly string[]): Callee {
    if (this.machine !== "x64") return { because: "calls a kfunc, whose name is not known on this architecture" };
    const [name, other] = names;
    if (other !== undefined) return { because: `calls kfunc \`${name}\`, which has several names` };
    return { kfunc: KFUNC_VARIANTS[name!] ?? name! };
  }

  /** The names of the function at a distance from the base, without those of modules and generated code. */
  #namesAt(imm: number): readonly string[] {
    const low = (this.#base!.low >>> 0) + imm;
    const carry = Math.floor(low / 2 ** 32);
    const found = this.symbols.at(low | 0, (this.#base!.high + carry) | 0);
    return found.some(({ module }) => module !== null) ? [] : [...new Set(found.map(nameOf))];
  }
}

function helperOf(name: string, type: string): Callee | undefined {
  const traced = TRACING.has(type) ? OF_TRACING[name] : undefined;
  return traced === undefined ? HELPER_OF.get(name) : { helper: HELPERS.indexOf(traced) };
}

/** The name of a function in the source: a compiler with link-time optimisation adds to it. */
function nameOf({ name }: KernelSymbol): string {
  return name.replace(/\.llvm\.\d+$/, "");
}
