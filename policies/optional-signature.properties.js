import { ENODATA, PKCS7, verify_program, verify_signature } from "countersign";

// A program that a signature does not verify does not pass for an unsigned one.
export const a_tampered_program_is_denied = (prog, _current, decision) =>
  verify_program(prog, "platform") === 0 || verify_program(prog, "platform") === -ENODATA || decision.verdict !== 0;

export const a_wrong_signature_beside_the_file_is_denied = (prog, _current, decision) =>
  prog.signature === null ||
  verify_signature(prog.insns, prog.signature, "platform", PKCS7) === 0 ||
  decision.verdict !== 0;
