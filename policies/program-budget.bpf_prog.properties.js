// What the verifier walked is known only of programs that are loaded.
export const programs_that_are_not_loaded_pass = (prog, _current, decision) =>
  prog.loaded !== null || decision.verdict === 0;
