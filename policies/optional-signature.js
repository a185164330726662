// A program needs no signature, but one that has it must deserve it: a tampered program does not pass for an unsigned
// one. It may have a signed statement, a signature over its instructions beside the file or, as kernels from 6.18 on
// take it, one in bpf(2) itself, with the keyring that it is meant for (`gate.keyrings` of the configuration says which
// one that is here).
import { ENODATA, PKCS7, verify_program, verify_signature } from "countersign";

const verify = (data, signature, keyring) =>
  signature === null ? 0 : verify_signature(data, signature, keyring ?? "platform", PKCS7);

export function bpf_prog_load(prog) {
  const verdict = verify_program(prog, "platform");
  if (verdict !== 0 && verdict !== -ENODATA) return verdict;
  return verify(prog.insns, prog.signature, null) || verify(prog.raw_insns, prog.kernel_signature, prog.kernel_keyring);
}
