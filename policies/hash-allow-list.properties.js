import { map_lookup } from "countersign";

export const what_is_not_listed_is_denied = (prog, _current, decision) =>
  map_lookup("allowed_programs", prog.digest) != null || decision.verdict !== 0;
