import { SWITCHING_INIT } from "./switched-root.js";

/** Commands by which a first process leaves the initramfs for `/new`, and runs `/bin/start` there. */
const LEAVING: Readonly<Record<string, string>> = {
  "switch_root of busybox": "exec switch_root /new /bin/sh /bin/start",
  "switch_root of util-linux": "exec /lib/switch_root /new /bin/sh /bin/start",
  "run-init of klibc": "exec /lib/run-init /new /bin/sh /bin/start",
  // as systemd does where the kernel allows it
  pivot_root: "cd /new; mkdir old; pivot_root . old && umount -l /old; exec chroot . /bin/sh /bin/start",
  "mount --move": "cd /new; mount --move . /; exec chroot . /bin/sh /bin/start",
};

export const WAYS_TO_LEAVE: readonly string[] = Object.keys(LEAVING);

/** A first process that leaves the initramfs in one of these ways. */
export function leavingInit(way: string): string {
  const [before] = SWITCHING_INIT.split("exec switch_root");
  return `${before}${LEAVING[way]}\n`;
}
