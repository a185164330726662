// Only programs whose digest stands in the map `allowed_programs` may load. A digest covers the instructions and not
// the program's type, so an entry names that too: { "5f1d…": { "name": "tc_pass", "type": "sched_cls" } }, or a list of
// such entries where programs of several types have one digest. `countersign list --btf KERNEL FOLDER` writes the map.
import { deny, map_lookup } from "countersign";

export function bpf_prog_load(prog) {
  const entry = map_lookup("allowed_programs", prog.digest);
  if (entry == null) return deny(`digest ${prog.digest} is not in the map allowed_programs`);
  const entries = Array.isArray(entry) ? entry : [entry];
  if (entries.some(({ type }) => type === prog.type)) return 0;
  const others = entries.map(({ name, type }) => `${name} is allowed as ${type}`);
  return deny(`${others.join(", ")}, not as ${prog.type}`);
}
