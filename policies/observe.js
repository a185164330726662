// For a dry run: allows every program, and has the decision log record the statement that a key of the keyring
// `platform` signed, and whose key that is. `countersign learn` makes a policy of such a log (`log.level: inputs`).
import { signer_of, statement_of } from "countersign";

export function bpf_prog_load(prog) {
  statement_of(prog, "platform");
  signer_of(prog, "platform");
  return 0;
}
