import { guardRules } from "../status/guard-rules.js";
import type { GuardStatus } from "../status/guard-status.js";
import type { DoctorFinding } from "./checks.js";

/** What the guard's rules are called in a list of findings. */
const NAMES = { modules: "kernel modules", executables: "executables", classes: "classes", mask: "mask" } as const;

/**
 * The rules of the guard that is in force. `differences`: what a new list has otherwise, so that it cannot replace the
 * one in force; null if no list is named.
 */
export function guardFindings(status: GuardStatus, differences: readonly string[] | null): readonly DoctorFinding[] {
  const rules = guardRules(status).map(({ name, text }): DoctorFinding => {
    if (name !== "executables" || !status.initramfsExempt)
      return { name: NAMES[name], state: "ok", detail: text, remedy: null };
    const remedy = "list the init of the root file system, and start it: from then on nothing is exempt";
    return { name: NAMES[name], state: "weak", detail: text, remedy };
  });
  return differences === null ? rules : [...rules, replacementFinding(differences)];
}

function replacementFinding(differences: readonly string[]): DoctorFinding {
  const name = "the named list";
  if (differences.length === 0)
    return { name, state: "ok", detail: "it has the classes and files that are in force", remedy: null };
  return {
    name,
    state: "weak",
    detail: `it has ${differences.join(", and ")} than is in force, so that it cannot replace the list in force`,
    remedy: "write the initramfs fragment with it, and boot",
  };
}
