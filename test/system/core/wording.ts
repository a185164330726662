import type { Variant } from "../../../src/bpf/core/variant.js";
import type { ErrorCode } from "../../../src/error.js";
import type { Refusal } from "./recording.js";

/** How a loader says why it refuses a program. */
export interface Wording {
  /** The attach target, or the table of struct_ops, does not exist. */
  readonly targets: readonly RegExp[];
  /** The program got a type from the recorder, because the loader knows none for its section. */
  readonly type: readonly RegExp[];
  /** What the relocator says too, with its code. */
  readonly reasons: readonly (readonly [RegExp, ErrorCode])[];
  /** The kernel's configuration lacks an option, which is the first group. */
  readonly option: RegExp;
  readonly noType: RegExp;
  readonly unused: RegExp;
  /** What the loader cannot load on any kernel, and the relocator does not look at. */
  readonly unsupported: readonly RegExp[];
}

const NEVER = /(?!)/;

const LIBBPF: Wording = {
  targets: [
    /failed to find kernel BTF type ID of/,
    /^libbpf: struct_ops init_kern: struct \S+ is not found in kernel BTF$/,
    /^libbpf: struct_ops init_kern \S+: Cannot find member \S+ in kernel BTF$/,
    /is not found in prog's BTF$/,
  ],
  type: [],
  reasons: [
    [/field offset ambiguity|relocation decision ambiguity/, "CORE_AMBIGUOUS"],
    [/value too big/, "CORE_UNSUPPORTED"],
    [/^libbpf: extern '\S+' \(ksym\): resolution is ambiguous/, "CORE_AMBIGUOUS"],
    [/^libbpf: extern \((?:var|func) ksym\) '\S+': not found in kernel/, "CORE_UNRESOLVED"],
    [/^libbpf: extern \(var ksym\) '\S+': incompatible types/, "CORE_UNRESOLVED"],
    [/^libbpf: extern \(func ksym\) '\S+': func_proto \[\d+\] incompatible with/, "CORE_UNRESOLVED"],
    [/^libbpf: extern '\S+' \(strong\): not resolved/, "CORE_UNRESOLVED"],
  ],
  option: /^libbpf: extern '(CONFIG_\w+)' \(strong\): not resolved$/,
  noType: /missing BPF prog type/,
  unused: /program isn't referenced anywhere/,
  unsupported: [],
};

const CILIUM: Wording = {
  targets: [/: attach [\w/]+: .* not supported$/],
  type: [/^the section has no program type$/],
  reasons: [
    [/: multiple types match: ambiguous relocation$/, "CORE_AMBIGUOUS"],
    [/: offset \d+ exceeds MaxInt16$/, "CORE_UNSUPPORTED"],
    [/: target \S+: unknown: not supported$/, "CORE_UNSUPPORTED"],
    [/: invalid immediate -?\d+, expected \d+ \(/, "CORE_MALFORMED"],
    [/: fixing up kfuncs: kfunc "\w+": (?:not supported|function .* mismatch)/, "CORE_UNRESOLVED"],
  ],
  option: /: resolve \.kconfig: config option "(CONFIG_\w+)" does not exists for this kernel$/,
  noType: NEVER,
  unused: NEVER,
  unsupported: [
    // `module:function`
    /: attach [\w/]+: \w+ \w+:\w+ not supported$/,
    /: resolve \.kconfig: variable LINUX_KERNEL_VERSION must be a 32 bits integer, got Typedef/,
  ],
};

export const WORDINGS: Readonly<Record<Variant, Wording>> = {
  "libbpf-1.5": LIBBPF,
  "libbpf-1.6": LIBBPF,
  cilium: CILIUM,
};

/** The line that gives the reason: a warning about an instruction that is never reached can come before it. */
export function reasonIn({ log }: Refusal, { targets, type, option, noType, unused, unsupported }: Wording): string {
  const all = [...targets, ...type, option, noType, unused, ...unsupported];
  return log.find((line) => all.some((pattern) => pattern.test(line))) ?? log[0] ?? "";
}

export function isSameReason({ log }: Refusal, code: ErrorCode, { reasons }: Wording): boolean {
  return reasons.some(([pattern, its]) => its === code && log.some((line) => pattern.test(line)));
}
