import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { cpio } from "../../../../src/seal/initramfs/cpio.js";
import { type List, parseList } from "../../../../src/seal/list.js";
import { SEAL_INIT, sealFragment } from "../../../../src/seal/sealing.js";
import { DRAIN_CONSOLE } from "../../../../src/seal/virtual-machine/machine-start.js";
import { own } from "../../../support/workplace.js";
import type { Ran } from "../../guest/guest.js";
import { debianRoot } from "./debian-root.js";
import { SealGuest } from "./seal-guest.js";
import type { SealKernel } from "./seal-kernels.js";

/** A guest with Debian's systemd. */
export interface SystemdMachine {
  /** Makes the list with which the initramfs seals the machine, from the one of systemd's programs; null: no seal. */
  readonly list: ((ofSystemd: List) => List) | null;
  /** Services, by the names of their units. */
  readonly units: Readonly<Record<string, string>>;
  /** Scripts and other texts, by their paths in the root directory. */
  readonly files: Readonly<Record<string, string>>;
  /** Programs, by their names in the root directory. */
  readonly programs: Readonly<Record<string, Uint8Array>>;
  /** What a service runs by sh after systemd has started. The guest then ends. */
  readonly test: string;
}

/** Of docs/seal.md. */
const CONFIGURATION = "version: 1\nattachments: []\nseal: { admit: [cgroup_device, cgroup_firewall, cgroup_bind] }\n";

/** The first process of the initramfs, after the loader if there is one. */
const INIT = `#!/bin/sh
/bin/busybox --install -s /bin
for each in proc sysfs devtmpfs; do mount -t $each $each /\${each%fs} 2>/dev/null; done
mount -t devtmpfs dev /dev
until mount -t ext4 /dev/nvme0n1 /newroot 2>/dev/null; do sleep 1; done
cp -a /add/. /newroot/
for each in proc sys dev; do mount --move /$each /newroot/$each; done
exec switch_root /newroot /lib/systemd/systemd systemd.show_status=0
`;

const TEST_UNIT = `[Unit]
After=systemd-logind.service systemd-udevd.service
[Service]
Type=oneshot
ExecStart=/bin/sh /test
StandardOutput=tty
StandardError=inherit
TTYPath=/dev/ttyS0
`;

/** Boots the machine, or returns the reason why it cannot. Takes minutes. */
export function runSystemd(kernel: SealKernel, machine: SystemdMachine): Ran | string {
  const root = debianRoot();
  if (typeof root === "string") return root;
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const { list, units, files, programs, test } = machine;
  try {
    const sealed = list === null ? null : list(listOfSystemd(guest.kernel.image, root.objects));
    guest.file("newroot/.keep", "");
    for (const [name, text] of Object.entries({ ...units, "test.service": TEST_UNIT }))
      guest.file(`add/etc/systemd/system/${name}`, text);
    const ended = `\necho; echo BEGIN\n${test}\necho "END 0"\n${DRAIN_CONSOLE}\nsystemctl poweroff -ff\n`;
    for (const [name, text] of Object.entries({ ...files, test: ended })) guest.file(`add/${name}`, text);
    for (const [name, program] of Object.entries(programs)) guest.file(`add/${name}`, program, 0o755);
    const init = cpio([{ path: "init", permissions: 0o755, contents: Buffer.from(INIT) }]);
    return guest.run("", {
      fragments: sealed === null ? [] : [sealFragment({ mode: "enforce", list: sealed }, "halt")],
      following: [gzipSync(init)],
      commandLine: [
        ...(sealed === null ? [] : [`rdinit=${SEAL_INIT}`]),
        ...["systemd.wants=test.service", "systemd.mask=serial-getty@ttyS0.service"],
      ].join(" "),
      seconds: 1500,
      memory: 1536,
      devices: [
        ...["-drive", `file=${root.image},if=none,id=root,snapshot=on,format=raw`],
        ...["-device", "nvme,drive=root,serial=root"],
      ],
    });
  } finally {
    guest.remove();
  }
}

/** What `seal build` lists of the files of systemd that have BPF objects. */
function listOfSystemd(kernel: string, objects: string): List {
  const folder = mkdtempSync(join(tmpdir(), "seal-debian-"));
  try {
    writeFileSync(join(folder, "c.yaml"), CONFIGURATION);
    const lists = join(folder, "lists");
    const words = ["seal", "build", "--modules", "all-signed", "--config", join(folder, "c.yaml"), "--btf", kernel];
    execFileSync(process.execPath, [own("bin/countersign.js"), ...words, "--out", lists, objects], { stdio: "ignore" });
    const [name] = readdirSync(lists);
    return parseList(readFileSync(join(lists, name!)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The rest of each line of the script's output that begins so. */
export const linesWith = ({ output }: Ran, beginning: string): readonly string[] =>
  output
    .split("\n")
    .filter((line) => line.startsWith(beginning))
    .map((line) => line.slice(beginning.length));
