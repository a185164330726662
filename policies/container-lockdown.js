// A container's label `tier` decides how strictly it is held:
//   edge, or labels that nobody could read    programs signed by the keyring `platform`, and no others
//   prod                                      those, and unsigned ones that are read-only
//   anything else, or no container            any program
import { deny, verify_program } from "countersign";

export function bpf_prog_load(prog, current) {
  if (current.container === null) return 0;
  const tier = current.container.labels === null ? "edge" : current.container.labels.tier;
  if (tier !== "edge" && tier !== "prod") return 0;

  const verdict = verify_program(prog, "platform");
  if (verdict === 0) return 0;
  if (tier === "edge") return deny("a container of tier edge loads signed programs only", -verdict);
  return prog.effects.read_only ? 0 : deny("a container of tier prod signs what is not read-only", -verdict);
}
