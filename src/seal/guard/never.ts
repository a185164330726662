import type { ProgramSubject } from "../../bpf/model/facts.js";
import { GUARD_HOOKS } from "./hooks.js";

/** The facts by which the guard recognises a program that can undo it. */
export type NeverFacts = Pick<ProgramSubject, "type" | "expected_attach_type" | "attach_to" | "helpers">;

/** A kind of program that the guard denies whatever a list, a signature or a ticket says. */
export interface NeverRule {
  readonly kind: string;
  readonly matches: (program: NeverFacts) => boolean;
  /** What such a program could do to the guard. */
  readonly why: string;
}

const HOOKS: ReadonlySet<string> = new Set(GUARD_HOOKS.map(({ hook }) => hook));

/**
 * What `can_undo_guard()` of never.bpf.h tests. That function has one rule more, which is about no file: a program that
 * attaches to a program of the guard, whose target the loader chooses. test/system/seal/never.test.ts loads programs of
 * each kind for each hook under the guard.
 */
const NEVER_RULES: readonly NeverRule[] = [
  {
    kind: "an LSM program on a hook of the guard",
    matches: ({ type, attach_to }) => type === "lsm" && HOOKS.has(functionOf(attach_to)),
    why: "it could replace the guard's verdicts there",
  },
  {
    kind: "a program that changes what a security_* function of the kernel returns",
    matches: ({ type, expected_attach_type: attachType, attach_to }) =>
      type === "tracing" && attachType === "modify_return" && functionOf(attach_to).startsWith("security_"),
    why: "the kernel would not ask the guard",
  },
  {
    kind: "a sysctl program that calls bpf_set_retval",
    matches: ({ type, helpers }) => type === "cgroup_sysctl" && helpers.includes("bpf_set_retval"),
    why: "it could replace the guard's verdicts about sysctls",
  },
];

/** Why the guard denies a program always; null if it does not. */
export function whyNever(program: NeverFacts): string | null {
  const rule = NEVER_RULES.find(({ matches }) => matches(program));
  return rule === undefined ? null : `the guard always denies ${rule.kind}: ${rule.why}`;
}

/** libbpf takes `vmlinux:NAME` for NAME. */
function functionOf(target: string | null): string {
  return target?.slice(target.indexOf(":") + 1) ?? "";
}
