import type { TokenSubject } from "../../hooks/subject.js";
import type { Answer, Call } from "../call/call.js";

/** PROC_USER_INIT_INO of linux/proc_ns.h: the user namespace that a machine starts with. */
const INITIAL_USER_NAMESPACE = 0xeffffffd;

/**
 * Hook `bpf_token_create` is asked where an attachment serves it, but no token is ever made: in the initial user
 * namespace the kernel makes none for anybody, whatever attr holds (bpf_token_create of kernel/bpf/token.c), and says
 * so itself; every libbpf that finds a BPF file system asks. In any other user namespace a token would be the gate's
 * and not the task's.
 */
export function createToken(call: Call, name: string): Answer {
  if (call.serves("bpf_token_create")) {
    const { verdict } = call.decide("bpf_token_create", TOKEN);
    if (verdict < 0) return { result: verdict };
  }
  if (call.asker.current.namespaces.user === INITIAL_USER_NAMESPACE) return "continue";
  // the errno is that of a bpffs that delegates nothing, which loaders accept without a message
  return call.deny("token_create", "bpf_token_create", { name }, "the gate cannot make a token for another task");
}

/** What registers tell of a token: nothing. One frozen object, which the sandbox then knows. */
export const TOKEN: TokenSubject = Object.freeze({ name: "BPF_TOKEN_CREATE", digest: "" });
