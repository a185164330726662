// Unsigned programs are for traffic control, and cannot read kernel memory.
export const unsigned_programs_are_tc = (prog, _current, decision, { verified }) =>
  verified(prog, "platform") ||
  decision.verdict !== 0 ||
  (prog.type === "sched_cls" && !prog.effects.reads_kernel_memory);

export const signed_programs_load = (prog, _current, decision, { verified }) =>
  !verified(prog, "platform") || decision.verdict === 0;
