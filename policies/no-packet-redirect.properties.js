export const only_programs_that_redirect_are_denied = (prog, _current, decision) =>
  prog.effects.redirects === (decision.verdict !== 0);
