export const only_programs_that_read_kernel_memory_are_denied = (prog, _current, decision) =>
  prog.effects.reads_kernel_memory === (decision.verdict !== 0);
