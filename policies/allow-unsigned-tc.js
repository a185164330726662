// Allows signed programs, and unsigned traffic-control programs that cannot read kernel memory.
import { deny, verify_program } from "countersign";

export function bpf_prog_load(prog) {
  if (verify_program(prog, "platform") === 0) return 0;
  if (prog.effects.reads_kernel_memory) return deny("reads kernel memory and is not signed");
  return prog.type === "sched_cls" ? 0 : deny("only tc programs may be unsigned");
}
