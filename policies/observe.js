// For a dry run: allows every program, and has the decision log record the statement that a key of the keyring
// `platform` signed, and whose key that is. `countersign learn` makes a policy of such a log (`log.level: inputs`).
import { signer_of, statement_of } from "countersign";

/** The log has the calls of helpers with their results: nothing else is to be done with these. */
const record = (_statement, _signer) => 0;

export const bpf_prog_load = (prog) => record(statement_of(prog, "platform"), signer_of(prog, "platform"));
