// Properties that every configuration may want to have. `countersign prove property` proves or refutes them.
import { EKEYREVOKED, verify_program } from "countersign";

// No policy fails, whatever it is asked about.
export const never_faults = (_subject, _current, decision) => decision.answers.every(({ fault }) => fault === null);

// What may be loaded is what a key of one of the keyrings signed.
export const nothing_unsigned_loads = (prog, _current, decision, { verified }) =>
  verified(prog) || decision.verdict !== 0;

// A program that a keyring rejects because its signer is revoked may not be loaded, unless another one verifies it.
export const revoked_signers_never_load = (prog, _current, decision, { keyrings, verified }) =>
  !keyrings.some((keyring) => verify_program(prog, keyring) === -EKEYREVOKED) ||
  verified(prog) ||
  decision.verdict !== 0;

// A dry run denies nothing, and otherwise decides as if it enforced.
export function audit_equals_enforce(subject, current, _decision, { decide }) {
  const audit = decide(subject, current, { mode: "audit" });
  const enforce = decide(subject, current, { mode: "enforce" });
  if (audit.verdict !== 0 || audit.attachment !== enforce.attachment) return false;
  return audit.enforced_verdict === enforce.verdict;
}

// What is denied to a container whose labels are known is denied to it, too, if they cannot be read.
export function unknown_labels_allow_no_more(subject, current, decision, { change, decide }) {
  const { container } = current;
  if (container === null || container.labels === null || decision.enforced_verdict === 0) return true;
  const unknown = change(current, { container: change(container, { labels: null }) });
  return decide(subject, unknown).enforced_verdict !== 0;
}
