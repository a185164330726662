// Allows programs that change nothing. A first policy: see with it what else is loaded here, then write your own.
import { deny } from "countersign";

export const bpf_prog_load = (prog) => (prog.effects.read_only ? 0 : deny("may change something"));
