/** What the guard enforces beside its list of programs, in words: the list of files, the classes and the mask. */
import type { GuardStatus } from "./guard-status.js";

/** One kind of rule, such as that for kernel modules, and what it lets pass. */
export interface GuardRule {
  readonly name: "modules" | "executables" | "classes" | "mask";
  readonly text: string;
}

/** A row for each kind, also for one that denies nothing. */
export function guardRules(status: GuardStatus): readonly GuardRule[] {
  const { files, classes, initramfsExempt } = status;
  const exempt = initramfsExempt ? "; files of the initramfs are exempt until init starts" : "";
  return [
    {
      name: "modules",
      text:
        files.modules === null
          ? "no rule: every module with a signature that the kernel trusts, but for those that are always denied"
          : `${listed(files.modules)}${byTicket(status)}`,
    },
    {
      name: "executables",
      text: files.executables === null ? "no rule: every file" : `${listed(files.executables)}${exempt}`,
    },
    {
      name: "classes",
      text: classes.admitted === 0 ? "none" : `${count(classes.admitted, "row")}, ${digestOf(classes)}`,
    },
    { name: "mask", text: maskText(classes) },
  ];
}

function listed(number: number): string {
  return `only those that are listed: ${count(number, "digest")}`;
}

function byTicket({ modulesByTicket, agent }: GuardStatus): string {
  if (!modulesByTicket) return "";
  return agent === null ? "; others by ticket, and there is no agent" : "; others by ticket of the agent";
}

function maskText({ maskedTypes, maskedHelpers }: GuardStatus["classes"]): string {
  if (maskedTypes + maskedHelpers === 0) return "denies nothing";
  return `denies ${count(maskedTypes, "program type")} and ${count(maskedHelpers, "helper")}`;
}

function digestOf({ sha256 }: { readonly sha256: string | null }): string {
  return `SHA-256 ${sha256 ?? "none"}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
