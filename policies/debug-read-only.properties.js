import { map_lookup } from "countersign";

export const read_only_programs_load = (prog, _current, decision) => !prog.effects.read_only || decision.verdict === 0;

// Until the map names the account, every account is held to read-only programs.
export const all_accounts_are_held_without_a_uid = (prog, _current, decision) =>
  typeof map_lookup("debug_read_only", "uid") === "number" || prog.effects.read_only || decision.verdict !== 0;
