import type { HookName } from "../../hooks/catalogue.js";
import { NR } from "../../sys/numbers.js";
import { deny } from "../call/failure.js";
import { AUDIT_ARCH_X86_64, I386, X32, X32_BIT } from "../call/filter.js";
import type { Notification } from "../task/blocking/notification.js";

/** Whether a call uses another ABI than x86-64, so that its number and registers have another meaning. */
export function isForeign({ arch, call }: Notification): boolean {
  return arch !== AUDIT_ARCH_X86_64 || (call & X32_BIT) !== 0;
}

/**
 * Denies a system call of the i386 or x32 ABI. Programs of these ABIs make many calls, so only the first denial of each
 * system call number is logged.
 */
export function denyForeign({ arch, call: number }: Notification): never {
  const is386 = arch !== AUDIT_ARCH_X86_64;
  const own = is386 ? number : number & ~X32_BIT;
  const name = `${is386 ? "i386" : "x32"} system call ${own}`;
  const loads = (Object.keys(HOOK_OF) as (keyof typeof HOOK_OF)[]).find((each) => (is386 ? I386 : X32)[each] === own);
  const called = loads === undefined ? name : `${name} (${loads})`;
  const reason = `${called}: the gate can read only arguments of the x86-64 ABI`;
  const hook = loads === undefined ? "bpf" : HOOK_OF[loads];
  deny("foreign_call", reason, { about: { hook, subject: { name } }, repeatKey: name });
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
export function denyUnserved({ call: number }: Notification): never {
  const name = Object.keys(KEXEC).find((each) => KEXEC[each] === number);
  if (name !== undefined)
    deny("kexec", `${name}: a new kernel would run without the gate`, {
      about: { hook: "kernel_read_file", subject: { name } },
    });
  deny("unknown_call", `the seccomp profile sends system call ${number} to the gate, which does not handle it`, {
    about: { hook: "bpf", subject: { name: `system call ${number}` } },
  });
}

const KEXEC: Readonly<Record<string, number>> = { kexec_load: NR.kexec_load, kexec_file_load: NR.kexec_file_load };
