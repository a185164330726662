// Allows signed programs, and unsigned traffic-control programs that cannot read kernel memory.
import { deny, PKCS7, verify_signature } from "countersign";

export function bpf_prog_load(prog) {
  if (verify_signature(prog.insns, prog.signature, "platform", PKCS7) === 0) return 0;
  if (prog.effects.reads_kernel_memory) return deny("reads kernel memory and is not signed");
  return prog.type === "sched_cls" ? 0 : deny("only tc programs may be unsigned");
}
