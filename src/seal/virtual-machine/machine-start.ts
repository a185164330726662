/** How guests start: the words of qemu and of the kernel's command line, and the first process. */

/** Without a display or devices. */
export const CONSOLE_ONLY = ["-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio"] as const;

/** A device that writes to memory when its registers say so (`dma-by-registers`), up to any address. */
export const DMA_DEVICE = ["-device", "edu,dma_mask=0xffffffffffffffff"] as const;

/** On a busy machine the kernel finds that the timer of a guest does not work, and stops: no_timer_check. */
export const COMMAND_LINE = "console=ttyS0 quiet loglevel=3 panic=-1 no_timer_check";

/** Waits until the console has all output (TCSADRAIN): what is in the buffer of its driver is lost at power-off. */
export const DRAIN_CONSOLE = "busybox stty opost < /dev/console";

/**
 * Runs `/script` as root with busybox, and powers off. The script's output is between the lines `BEGIN` and `END
 * STATUS`. What is mounted already, by a guard's fragment, stays.
 */
export const INIT = `#!/bin/sh
export PATH=/bin HOME=/root
/bin/busybox --install -s /bin 2>/dev/null
mount -t proc proc /proc 2>/dev/null
mount -t sysfs sys /sys 2>/dev/null
mount -t devtmpfs dev /dev 2>/dev/null
mount -t tmpfs tmp /tmp
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
echo
echo BEGIN
sh /script 2>&1
echo "END $?"
${DRAIN_CONSOLE}
poweroff -f
`;

/** What the script of a guest did, from all that its console has. */
export interface ScriptRun {
  /** Null if the guest did not come to its end. */
  readonly status: number | null;
  readonly output: string;
}

export function scriptRun(console: string): ScriptRun {
  const [, output = "", status] = /^BEGIN\r?\n(.*?)^END (\d+)\r?$/ms.exec(console) ?? [];
  return { status: status === undefined ? null : Number(status), output: output.replaceAll("\r", "") };
}
