/**
 * What `security_locked_down()` is asked about (enum lockdown_reason of include/linux/security.h), and what the guard
 * answers after the latch. Numbers differ between kernels, so names are compared: see lockdown.bpf.h.
 */
export interface LockdownReason {
  readonly name: string;
  readonly denied: boolean;
  readonly why: string;
}

/** All reasons of 6.12 to 7.3 without the limits of the two levels. A newer one is denied if it is one of integrity. */
export const LOCKDOWN_REASONS: readonly LockdownReason[] = [
  { name: "MODULE_SIGNATURE", denied: true, why: "A module without a valid signature is any code in the kernel." },
  { name: "DEV_MEM", denied: true, why: "/dev/mem and /dev/port write memory and devices." },
  { name: "EFI_TEST", denied: true, why: "/dev/efi_test calls the firmware with any arguments." },
  { name: "KEXEC", denied: true, why: "kexec_load starts another kernel, which is not sealed." },
  { name: "HIBERNATION", denied: true, why: "A changed image would be read back (/dev/snapshot, /sys/power/resume)." },
  { name: "PCI_ACCESS", denied: true, why: "Writes of PCI configuration have devices write to memory." },
  { name: "IOPORT", denied: true, why: "iopl and ioperm give a process the ports of devices." },
  {
    name: "MSR",
    denied: true,
    why: "Writes of model-specific registers change where the processor enters the kernel.",
  },
  { name: "ACPI_TABLES", denied: true, why: "Replaced tables contain code that the kernel runs." },
  { name: "DEVICE_TREE", denied: true, why: "Changes of the device tree give drivers other addresses." },
  { name: "PCMCIA_CIS", denied: true, why: "A replaced description of a card gives drivers other addresses." },
  { name: "TIOCSSERIAL", denied: true, why: "A serial port gets another I/O address." },
  { name: "MODULE_PARAMETERS", denied: true, why: "Unsafe parameters of modules name addresses of devices." },
  { name: "MMIOTRACE", denied: true, why: "The tracer writes to devices." },
  { name: "DEBUGFS", denied: true, why: "Files of drivers in debugfs write registers and memory." },
  { name: "XMON_WR", denied: true, why: "The debugger writes kernel memory." },
  { name: "BPF_WRITE_USER", denied: false, why: "Asked while a program is loaded, about which the list has decided." },
  { name: "DBG_WRITE_KERNEL", denied: true, why: "kgdb and kdb write kernel memory." },
  { name: "RTAS_ERROR_INJECTION", denied: true, why: "The firmware of POWER machines injects errors." },
  { name: "XEN_USER_ACTIONS", denied: true, why: "Hypercalls of user space write memory." },
  {
    name: "KCORE",
    denied: true,
    why: "/proc/kcore is all memory: it shows where the guard's maps are, for a write by other means.",
  },
  {
    name: "KPROBES",
    denied: false,
    why: "A probe only reads (memory too, by its arguments), and BPF programs behind it are listed.",
  },
  { name: "BPF_READ_KERNEL", denied: false, why: "It only reads memory. The guard's own programs need it." },
  { name: "DBG_READ_KERNEL", denied: false, why: "It only reads memory." },
  { name: "PERF", denied: false, why: "It only reads memory." },
  { name: "TRACEFS", denied: false, why: "It only reads." },
  { name: "XMON_RW", denied: false, why: "Writes are XMON_WR." },
  { name: "XFRM_SECRET", denied: false, why: "It only reads keys." },
];
