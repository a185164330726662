/**
 * The pins of a machine that its initramfs sealed: no path leads to them, whichever way the machine leaves the
 * initramfs, and root cannot have the kernel unmount them.
 */
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { cpio } from "../../../src/seal/initramfs/cpio.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { DRAIN_CONSOLE } from "../../../src/seal/virtual-machine/machine-start.js";
import { DRACUT_IMAGES, type DracutImage, debianInitramfs } from "./guests/debian-initramfs.js";
import { leavingInit, WAYS_TO_LEAVE } from "./guests/left-initramfs.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { runSystemd } from "./guests/systemd-machine.js";
import { testedKernels } from "./guests/tested-kernels.js";

const STAYS = "stays in the initramfs";
const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const RUN_INIT = "run-init of klibc";
const SOFT_REBOOT = "soft-reboot of systemd";
const STARTS = isNightly ? [STAYS, ...WAYS_TO_LEAVE, ...DRACUT_IMAGES, SOFT_REBOOT] : ["switch_root of busybox"];
const isOfDracut = (start: string): start is DracutImage => (DRACUT_IMAGES as readonly string[]).includes(start);

/** What programs/find-pins.c tries, one after the other. */
const TRIED = [
  ...["parent of the root", "mount namespace of the first process", "root of a kernel thread"],
  "mount namespaces of all processes",
  ...["directories of the root, elsewhere", "root, unmounted elsewhere", "root, unmounted in a user namespace"],
  ...["mount beneath the root", "recursive bind of the root", "parent of the root, moved", "root, moved"],
  "root, unmounted",
];

const SCRIPT = `
find-pins
loader --canary; echo "canary: $?"
`;

/** Restarts the user space once, in a bind mount of the root: systemd then changes its root directory. */
const SOFTLY = `
if mkdir /run/nextroot 2>/dev/null; then
  mount --bind / /run/nextroot
  systemctl soft-reboot
  sleep infinity
fi
mount | grep -q /run/nextroot || echo "restarted"
export PATH=$PATH:/
${SCRIPT}
echo "END 0"
# what find-pins unmounted, systemctl would need
${DRAIN_CONSOLE}
busybox poweroff -f
`;

function softlyRebooted(kernel: SealKernel): string {
  const ran = runSystemd(kernel, {
    list: (ofSystemd) => ofSystemd,
    units: {},
    files: {},
    programs: { "find-pins": compileProgram("find-pins"), loader: loaderBinary() },
    test: SOFTLY,
  });
  if (typeof ran === "string") return ran;
  if (!ran.output.includes("restarted")) throw new Error(ran.console.slice(-3000));
  return `${ran.console.match(/countersign: .*/g)?.join("\n")}\n${ran.output}`;
}

function boot(kernel: SealKernel, start: string, commandLine = ""): string {
  if (start === SOFT_REBOOT) return softlyRebooted(kernel);
  const ofDebian = isOfDracut(start) || start === RUN_INIT ? debianInitramfs() : null;
  if (typeof ofDebian === "string") return ofDebian;
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  guest.file("bin/loader", loaderBinary(), 0o755);
  guest.file("bin/find-pins", compileProgram("find-pins"), 0o755);
  guest.program("/usr/sbin/switch_root", "lib/switch_root");
  guest.file("etc/os-release", "ID=guest\n");
  for (const [path, bytes] of Object.entries(ofDebian?.runInit ?? {})) guest.file(path, bytes, 0o755);
  const seal = sealFragment({ mode: "enforce", list: listOfValues([1]) }, "halt");
  const isLeft = start !== STAYS && !isOfDracut(start);
  const init = () => cpio([{ path: "init", permissions: 0o755, contents: Buffer.from(leavingInit(start)) }]);
  const ran = guest.run(SCRIPT, {
    ...(isOfDracut(start) ? { initramfs: ofDebian!.image(start), memory: 1024 } : {}),
    fragments: isOfDracut(start) ? [] : [seal],
    following: isOfDracut(start) ? [seal] : isLeft ? [init()] : [],
    commandLine: `rdinit=${SEAL_INIT} root=/dev/nvme0n1 rootfstype=ext4 rw init=/init ${commandLine}`,
  });
  guest.remove();
  if (ran.status === null) throw new Error(ran.console.slice(-3000));
  return `${ran.console.match(/countersign: .*/g)?.join("\n")}\n${ran.output}`;
}

describe.each(testedKernels())("the pins of a machine sealed at boot on %s", (kernel) => {
  it.for(STARTS)("are out of reach if it leaves by: %s", { timeout: 900_000 }, (start, { skip }) => {
    const output = boot(kernel, start);
    if (!output.includes("\n")) return skip(output);
    expect(casesOf("pins")).toEqual(TRIED);
    const results = [...output.matchAll(/^(.*): (held (\d+) links|broken)/gm)].map(([, name, end, links]) => {
      return [name, end === "broken" ? end : "held", Number(links) > 5];
    });
    expect(results, output).toEqual(TRIED.map((name) => [name, "held", true]));
    // at least that of kdevtmpfs
    expect(output).toMatch(/^mount namespaces of all processes: held \d+ links, entered [1-9]/m);
    expect(output).toContain("canary: 0");
  });

  it("can be reached, which the loader says, without user namespaces", { timeout: 900_000 }, ({ skip }) => {
    if (!isNightly) return skip("takes a guest of its own: nightly");
    const output = boot(kernel, STAYS, "sysctl.user.max_user_namespaces=0");
    if (!output.includes("\n")) return skip(output);
    expect(output).toMatch(/^countersign: no user namespaces: .*\ncountersign: sealed\n/);
    expect(output).not.toContain("directories of the root, elsewhere: broken");
  });
});
