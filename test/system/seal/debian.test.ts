/** Debian with systemd on a machine that its initramfs has sealed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { cpio } from "../../../src/seal/initramfs/cpio.js";
import { type List, parseList } from "../../../src/seal/list.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { guardReason } from "../../../src/seal/status/reasons.js";
import { own } from "../../support/workplace.js";
import type { Ran } from "../guest/guest.js";
import { debianRoot } from "./guests/debian-root.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram } from "./guests/sealed-guest.js";

/** Of docs/seal.md. */
const CONFIGURATION = "version: 1\nattachments: []\nseal: { admit: [cgroup_device, cgroup_firewall, cgroup_bind] }\n";

/** The first process of the initramfs after the loader. */
const INIT = `#!/bin/sh
/bin/busybox --install -s /bin
for each in proc sysfs devtmpfs; do mount -t $each $each /\${each%fs} 2>/dev/null; done
mount -t devtmpfs dev /dev
until mount -t ext4 /dev/nvme0n1 /newroot 2>/dev/null; do sleep 1; done
cp -a /add/. /newroot/
for each in proc sys dev; do mount --move /$each /newroot/$each; done
exec switch_root /newroot /lib/systemd/systemd systemd.show_status=0
`;

/** Each rule of this unit is a BPF program. */
const LIMITED = `[Service]
Type=oneshot
DevicePolicy=closed
IPAddressDeny=any
SocketBindDeny=any
RestrictNetworkInterfaces=lo
RestrictFileSystems=~tracefs
ExecStart=/bin/sh /test-limits
`;
const LIMITS = `
dd if=/dev/nvme0n1 of=/dev/null count=1 2>&1 | grep -q "not permitted" && echo "rule: device"
echo x > /dev/null && echo "rule: null"
busybox ping -c 1 -W 2 127.0.0.1 2>&1 | grep -q "not permitted" && echo "rule: address"
busybox nc -l -p 5555 -w 1 2>&1 </dev/null | grep -q "not permitted" && echo "rule: bind"
busybox cat /sys/kernel/tracing/current_tracer 2>&1 | grep -q "not permitted" && echo "rule: file system"
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
/** Without `&`, which sed replaces. */
const COMMAND = "echo in the container; if echo x > /dev/null; then echo null is open; fi";
const TEST = `
echo; echo BEGIN
systemctl start systemd-networkd.service; systemctl start limited.service; echo "limited: $?"
# the unit may not open the console
journalctl --sync; journalctl -u limited.service --no-pager -o cat
mkdir -p /run/bundle/rootfs/bin && cd /run/bundle && cp /usr/bin/busybox rootfs/bin/ && ln -s busybox rootfs/bin/sh
runc spec && sed -i 's/"terminal": true/"terminal": false/; s|"sh"|"sh","-c","${COMMAND}"|' config.json
runc run test; echo "runc: $?"
systemctl list-units --failed --no-legend --plain | sed 's/^/failed: /'
journalctl -b --no-pager -o cat | grep -iE "bpf|proceeding without|firewalling" | sed 's/^/journal: /'
/denials
echo "END 0"
systemctl poweroff -ff
`;

function listFor(kernel: string, objects: string): List {
  const folder = mkdtempSync(join(tmpdir(), "seal-debian-"));
  try {
    writeFileSync(join(folder, "c.yaml"), CONFIGURATION);
    const words = [
      "seal",
      "build",
      "--config",
      join(folder, "c.yaml"),
      "--btf",
      kernel,
      "--out",
      join(folder, "lists"),
    ];
    execFileSync(process.execPath, [own("bin/countersign.js"), ...words, objects], { stdio: "ignore" });
    const [name] = readdirSync(join(folder, "lists"));
    return parseList(readFileSync(join(folder, "lists", name!)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function boot(kernel: SealKernel): Ran | string {
  const root = debianRoot();
  if (typeof root === "string") return root;
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  try {
    const list = listFor(guest.kernel.image, root.objects);
    guest.file("newroot/.keep", "");
    guest.file("add/test", TEST);
    guest.file("add/test-limits", LIMITS);
    guest.file("add/denials", compileProgram("denials"), 0o755);
    guest.file("add/etc/systemd/system/limited.service", LIMITED);
    guest.file("add/etc/systemd/system/test.service", TEST_UNIT);
    return guest.run("", {
      fragments: [sealFragment({ mode: "enforce", list }, "halt")],
      following: [gzipSync(cpio([{ path: "init", permissions: 0o755, contents: Buffer.from(INIT) }]))],
      commandLine: `rdinit=${SEAL_INIT} systemd.wants=test.service systemd.mask=serial-getty@ttyS0.service`,
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

const lines = ({ output }: Ran, beginning: string) =>
  output
    .split("\n")
    .filter((line) => line.startsWith(beginning))
    .map((line) => line.slice(beginning.length));

describe.for(["6.12", "7.3"] as const)("Debian with systemd, sealed by its initramfs, on %s", (kernel) => {
  it("loses no rule of a unit, and starts a container of runc", ({ skip }) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes minutes: nightly");
    const ran = boot(kernel);
    if (typeof ran === "string") return skip(ran);
    expect(ran.status, ran.console.slice(-3000)).toBe(0);
    expect(lines(ran, "rule: ")).toEqual(["device", "null", "address", "bind", "file system"]);
    expect(lines(ran, "limited: ")).toEqual(["0"]);
    expect(ran.output).toContain("in the container\nnull is open\n");
    expect(lines(ran, "runc: ")).toEqual(["0"]);
    expect(lines(ran, "failed: ")).toEqual([]);
    expect(ran.output).not.toMatch(/Proceeding WITHOUT|does not support|BPF.*[Ff]ailed|Failed.*BPF/);
    // libbpf asks for a token and does without one; systemd-networkd does without its monitor of sysctls
    const denied = new Set(lines(ran, "denial ").map((line) => guardReason(Number(line.split(" ")[0])).name));
    expect([...denied].filter((name) => !["canary", "token", "own_hook"].includes(name))).toEqual([]);
  });
});
