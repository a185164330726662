import { ERRNO } from "../../errno.js";
import type { Answer, Call } from "../call/call.js";

/** PROC_USER_INIT_INO of linux/proc_ns.h: the user namespace that a machine starts with. */
const INITIAL_USER_NAMESPACE = 0xeffffffd;

/**
 * Where tokens can be, none is made: it would be the gate's and not the task's. In the initial user namespace the kernel makes
 * none for anybody, whatever attr holds (bpf_token_create of kernel/bpf/token.c), and says so itself: every libbpf that finds
 * a BPF file system asks.
 */
export function createToken(call: Call, name: string): Answer {
  if (call.asker.current.namespaces.user === INITIAL_USER_NAMESPACE) return "continue";
  // ENOENT: as where nothing is delegated, which loaders take without a word
  return call.refuse("bpf_token_create", name, -ERRNO.ENOENT, "the gate cannot carry it out for another task");
}
