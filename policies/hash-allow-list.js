// Only programs whose digest stands in the map `allowed_programs` may load. A digest covers the instructions and not the
// program's type, so an entry names that too: { "5f1d…": { "name": "tc_pass", "type": "sched_cls" } }
// `countersign inspect --json FILE` shows both.
import { deny, map_lookup } from "countersign";

export function bpf_prog_load(prog) {
  const entry = map_lookup("allowed_programs", prog.digest);
  if (entry == null) return deny(`digest ${prog.digest} is not in the map allowed_programs`);
  return entry.type === prog.type ? 0 : deny(`${entry.name} is allowed as ${entry.type}, not as ${prog.type}`);
}
