// Tier edge, and containers whose labels nobody could read, load signed programs only.
export function edge_loads_signed_programs_only(prog, { container }, decision, { verified }) {
  if (container === null || (container.labels !== null && container.labels.tier !== "edge")) return true;
  return verified(prog, "platform") || decision.verdict !== 0;
}

export function prod_signs_what_is_not_read_only(prog, { container }, decision, { verified }) {
  if (container === null || container.labels === null || container.labels.tier !== "prod") return true;
  return prog.effects.read_only || verified(prog, "platform") || decision.verdict !== 0;
}

export const the_host_loads_anything = (_prog, { container }, decision) => container !== null || decision.verdict === 0;
