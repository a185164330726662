// Every program must be signed by a key of the keyring `platform`. The one-liner that Countersign began with.
import { PKCS7, verify_signature } from "countersign";

export const bpf_prog_load = (prog) => verify_signature(prog.insns, prog.signature, "platform", PKCS7);
