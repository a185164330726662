import type { TokenSubject } from "../../hooks/subject.js";
import type { Answer, Call } from "../call/call.js";

/** PROC_USER_INIT_INO of linux/proc_ns.h: the user namespace that a machine starts with. */
const INITIAL_USER_NAMESPACE = 0xeffffffd;

/**
 * Hook `bpf_token_create` is asked where an attachment serves it, but no token is ever made: in the initial user
 * namespace the kernel creates no token for any task, whatever attr holds (bpf_token_create of kernel/bpf/token.c), so
 * it executes the call and returns the error; libbpf asks whenever it finds a BPF file system. In another user
 * namespace a token would belong to the gate and not to the task.
 */
export function createToken(call: Call, name: string): Answer {
  if (call.serves("bpf_token_create")) {
    const { verdict } = call.decide("bpf_token_create", TOKEN);
    if (verdict < 0) return { result: verdict };
  }
  if (call.caller.current.namespaces.user === INITIAL_USER_NAMESPACE) return "continue";
  // the errno is that of a bpffs that delegates nothing, which loaders accept without a message
  return call.deny("token_create", "bpf_token_create", { name }, "the gate cannot make a token for another task");
}

/**
 * The registers tell nothing about a token. A single frozen object, so that the sandbox builds the subject only once.
 */
export const TOKEN: TokenSubject = Object.freeze({ name: "BPF_TOKEN_CREATE", digest: "" });
