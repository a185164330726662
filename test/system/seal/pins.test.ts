/**
 * The pins of a machine that its initramfs sealed: no path leads to them, whichever way the machine leaves the
 * initramfs, and root cannot have the kernel unmount them.
 */
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { cpio } from "../../../src/seal/initramfs/cpio.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { leavingInit, WAYS_TO_LEAVE } from "./guests/left-initramfs.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const STAYS = "stays in the initramfs";
const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const STARTS = isNightly ? [STAYS, ...WAYS_TO_LEAVE] : ["switch_root of busybox"];

/** What programs/find-pins.c tries, one after the other. */
const TRIED = [
  ...["parent of the root", "mount namespace of the first process", "root of a kernel thread"],
  ...["directories of the root, elsewhere", "root, unmounted elsewhere", "root, unmounted in a user namespace"],
  ...["mount beneath the root", "recursive bind of the root", "parent of the root, moved", "root, moved"],
  "root, unmounted",
];

function boot(kernel: SealKernel, start: string, commandLine = ""): string {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  guest.file("bin/loader", loaderBinary(), 0o755);
  guest.file("bin/find-pins", compileProgram("find-pins"), 0o755);
  guest.program("/usr/sbin/switch_root", "lib/switch_root");
  const init = { path: "init", permissions: 0o755, contents: Buffer.from(start === STAYS ? "" : leavingInit(start)) };
  const ran = guest.run(`find-pins\nloader --canary; echo "canary: $?"\n`, {
    fragments: [sealFragment({ mode: "enforce", list: listOfValues([1]) }, "halt")],
    following: start === STAYS ? [] : [cpio([init])],
    commandLine: `rdinit=${SEAL_INIT} ${commandLine}`,
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
