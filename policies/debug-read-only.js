// The account for debugging may look, and change nothing. The map `debug_read_only` names it: { "uid": 1000 }; until it
// does, every account is held to this. What other accounts may load is for other policies to say.
import { deny, map_lookup } from "countersign";

export function bpf_prog_load(prog, current) {
  const uid = map_lookup("debug_read_only", "uid");
  if (prog.effects.read_only || (typeof uid === "number" && current.uid !== uid)) return 0;
  return deny(`uid ${current.uid} may load read-only programs only`);
}
