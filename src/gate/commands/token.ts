import { TOKEN } from "../../bpf/model/commands.js";
import type { Call } from "../call/call.js";
import { deny } from "../call/failure.js";

/** PROC_USER_INIT_INO of linux/proc_ns.h: the inode number of the initial user namespace. */
const INITIAL_USER_NAMESPACE = 0xeffffffd;

/**
 * Decides at `bpf_token_create` if an attachment serves that hook, but never creates a token. In the initial user
 * namespace the kernel creates none for any attr (bpf_token_create of kernel/bpf/token.c), so the kernel executes the
 * call and returns its error; libbpf makes this call whenever it finds a BPF file system. In another user namespace a
 * token would belong to the gate and not to the task, so the gate denies the call.
 */
export function createToken(call: Call, name: string): "continue" {
  if (call.serves("bpf_token_create")) call.decide("bpf_token_create", TOKEN);
  if (call.caller.userNamespace === INITIAL_USER_NAMESPACE) return "continue";
  // the errno is that of a BPF file system that delegates nothing, which loaders accept without a message
  return deny("token_create", "the gate cannot make a token for another task", {
    about: { hook: "bpf_token_create", subject: { name } },
  });
}
