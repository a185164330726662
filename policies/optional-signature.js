// A program needs no signature, but one that has it must deserve it: a tampered program does not pass for an unsigned
// one. The signature may be beside the file or, as kernels from 6.18 on take it, in bpf(2) itself, with the keyring that
// it is meant for (`gate.keyrings` of the configuration says which one that is here).
import { PKCS7, verify_signature } from "countersign";

const verify = (data, signature, keyring) =>
  signature === null ? 0 : verify_signature(data, signature, keyring ?? "platform", PKCS7);

export const bpf_prog_load = (prog) =>
  verify(prog.insns, prog.signature, null) || verify(prog.raw_insns, prog.kernel_signature, prog.kernel_keyring);
