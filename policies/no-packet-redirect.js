// Packets go where routing sends them: no program may redirect one to another interface, socket or CPU.
import { deny } from "countersign";

export const bpf_prog_load = (prog) => (prog.effects.redirects ? deny("may redirect packets") : 0);
