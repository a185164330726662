import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cpio } from "../../src/seal/initramfs/cpio.js";

/** Lines as depmod(8) of kmod 34 writes them for Debian's 6.12, for a few modules. */
export const DEPMOD = {
  "modules.dep": [
    "kernel/fs/jbd2/jbd2.ko.xz: kernel/lib/libcrc32c.ko.xz",
    "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/lib/libcrc32c.ko.xz",
    "kernel/lib/libcrc32c.ko.xz:",
    "kernel/crypto/crc32c_generic.ko.xz:",
    "kernel/arch/x86/crypto/crc32c-intel.ko.xz:",
    "kernel/drivers/net/virtio_net.ko.xz: kernel/net/core/failover.ko.xz",
    "kernel/net/core/failover.ko.xz:",
    "kernel/net/netfilter/nf_tables.ko.xz: kernel/lib/libcrc32c.ko.xz",
    "kernel/net/sched/sch_ingress.ko.xz:",
    "kernel/drivers/hid/usbhid/usbhid.ko.xz:",
    "kernel/fs/overlayfs/overlay.ko.xz:",
    "kernel/drivers/nvme/host/nvme.ko.xz:",
    "kernel/drivers/leds/leds-of-device.ko.xz:",
  ],
  "modules.alias": [
    "# Aliases extracted from modules themselves.",
    "alias crypto-crc32c crc32c_generic",
    "alias crypto-crc32c crc32c_intel",
    "alias virtio:d00000001v* virtio_net",
    "alias pci:v*d*sv*sd*bc01sc08i02* nvme",
    "alias platform:leds-of-device leds_of_device",
    "alias fs-ext4 ext4",
  ],
  "modules.softdep": ["softdep ext4 pre: crypto-crc32c", "softdep overlay post: usbhid"],
  "modules.weakdep": ["weakdep nvme sch-ingress"],
  "modules.builtin": ["kernel/fs/fuse/fuse.ko"],
} as const;

/** A root directory with the modules of a release, each a copy of `module`. */
export function writeModuleTree(root: string, release: string, module: string): void {
  const folder = join(root, "lib/modules", release);
  for (const line of DEPMOD["modules.dep"]) {
    const path = join(folder, line.split(":")[0]!);
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(module, path);
  }
  for (const [name, lines] of Object.entries(DEPMOD))
    writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(""));
}

/** Adds loaded modules and devices to a root directory. */
export function writeMachine(root: string, loaded: readonly string[], devices: readonly string[]): void {
  mkdirSync(join(root, "proc"), { recursive: true });
  writeFileSync(join(root, "proc/modules"), loaded.map((name) => `${name} 16384 0 - Live 0x0\n`).join(""));
  for (const [index, alias] of devices.entries()) {
    const folder = join(root, `sys/devices/pci0000:00/device${index}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "modalias"), `${alias}\n`);
  }
}

/** An archive with modules of a release, as an initramfs has them. */
export function initramfsWith(release: string, names: readonly string[]): Uint8Array {
  const folders = ["usr", "usr/lib", "usr/lib/modules", `usr/lib/modules/${release}`];
  return cpio([
    ...folders.map((path) => ({ path, permissions: 0o755, contents: null })),
    ...names.map((name) => ({
      path: `usr/lib/modules/${release}/${name}.ko.xz`,
      permissions: 0o644,
      contents: Buffer.from(`contents of ${name}`),
    })),
  ]);
}
