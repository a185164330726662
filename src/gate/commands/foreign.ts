import type { HookName } from "../../hooks/catalogue.js";
import type { Call, Denied } from "../call/call.js";
import type { Notification } from "../call/notification.js";
import { AUDIT_ARCH_X86_64, I386, X32, X32_BIT } from "../filter.js";
import { NR } from "../sys/numbers.js";

/** Whether a call uses another ABI than x86-64, so that its number and registers have another meaning. */
export function isForeign({ arch, call }: Notification): boolean {
  return arch !== AUDIT_ARCH_X86_64 || (call & X32_BIT) !== 0;
}

/**
 * Denies a system call of the i386 or x32 ABI. Programs of these ABIs make many calls, so only the first denial of each
 * system call number is logged.
 */
export function denyForeign(call: Call): Denied {
  const { arch, call: number } = call.notification;
  const is386 = arch !== AUDIT_ARCH_X86_64;
  const own = is386 ? number : number & ~X32_BIT;
  const name = `${is386 ? "i386" : "x32"} system call ${own}`;
  const loads = (Object.keys(HOOK_OF) as (keyof typeof HOOK_OF)[]).find((each) => (is386 ? I386 : X32)[each] === own);
  const reason = `${name}${loads === undefined ? "" : ` (${loads})`}: the gate can read only arguments of the x86-64 ABI`;
  return call.denyRepeatable("foreign_call", loads === undefined ? "bpf" : HOOK_OF[loads], { name }, reason, name);
}

/** The hook at which the x86-64 call of the same name is decided. */
const HOOK_OF = {
  bpf: "bpf",
  init_module: "kernel_read_file",
  finit_module: "kernel_read_file",
  kexec_load: "kernel_read_file",
  kexec_file_load: "kernel_read_file",
} as const satisfies Record<string, HookName>;

/**
 * Denies a call that has no hook: kexec, and calls that a container's seccomp profile sends to the gate although the
 * gate does not handle them.
 */
export function denyUnserved(call: Call): Denied {
  const { call: number } = call.notification;
  const name = Object.keys(KEXEC).find((each) => KEXEC[each] === number);
  if (name !== undefined)
    return call.deny("kexec", "kernel_read_file", { name }, `${name}: a new kernel would run without the gate`);
  const subject = { name: `system call ${number}` };
  return call.deny(
    "unknown_call",
    "bpf",
    subject,
    `the seccomp profile sends system call ${number} to the gate, which does not handle it`,
  );
}

const KEXEC: Readonly<Record<string, number>> = { kexec_load: NR.kexec_load, kexec_file_load: NR.kexec_file_load };
