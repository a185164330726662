// Every program must be what a key of the keyring `platform` signed. The one-liner that Countersign began with.
import { verify_program } from "countersign";

export const bpf_prog_load = (prog) => verify_program(prog, "platform");
