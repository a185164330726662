export const only_verified_programs_load = (prog, _current, decision, { verified }) =>
  verified(prog, "platform") === (decision.verdict === 0);
