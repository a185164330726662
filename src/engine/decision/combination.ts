import { ERRNO } from "../../errno.js";
import type { HookDefault } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";

/**
 * Combines the answers of attachments, which are added in order. The enforced verdict is
 * 1. the first denial of an enforcing attachment, where a fault is a denial unless its `on_fault` is `allow`;
 * 2. else 0, if an enforcing attachment answered 0 itself: a fault that `on_fault` allows is no answer;
 * 3. else the hook's default.
 * Attachments in audit never change the enforced verdict. The dispatcher and the prover use this class, with denials of
 * their own: it does not look into them.
 */
export class Combination<D> {
  /** The denial that is enforced; null if there is none so far. */
  deniedBy: D | null = null;
  /** Denials that are recorded only. */
  readonly auditDenials: D[] = [];
  #enforcing = false;
  #answered = false;

  /** Whether an attachment of this mode can change {@link deniedBy} after what was added so far. */
  canChange(mode: Mode): boolean {
    return mode === "enforce" && this.deniedBy === null;
  }

  add(mode: Mode, denial: D | null, isFault: boolean): void {
    if (mode === "audit") {
      if (denial !== null) this.auditDenials.push(denial);
      return;
    }
    this.#enforcing = true;
    this.#answered ||= !isFault;
    this.deniedBy ??= denial;
  }

  /**
   * Applies the hook's default after the last answer. `denial` makes its denial; `asked` says whether an enforcing
   * attachment was added.
   */
  close(rule: HookDefault, denial: (rule: "deny" | "audit", asked: boolean) => D): void {
    if (this.deniedBy !== null || this.#answered || rule === "allow") return;
    const denied = denial(rule, this.#enforcing);
    if (rule === "deny") this.deniedBy = denied;
    else this.auditDenials.push(denied);
  }
}

/** What counts in place of the verdict of an attachment that failed. */
export function faultVerdict(onFault: "deny" | "allow"): number {
  return onFault === "allow" ? 0 : -ERRNO.EPERM;
}

/** The verdict that is applied: in mode `audit` nothing is denied. */
export function appliedVerdict<V>(mode: Mode, enforced: V): V | 0 {
  return mode === "enforce" ? enforced : 0;
}
