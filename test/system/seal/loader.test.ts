import { describe, expect, it } from "vitest";
import { imageOf } from "../../../src/seal/image/image.js";
import { GUARD_VERSION } from "../../../src/seal/list/list-header.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileObject, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const SCRIPT = `
loader --canary; echo "canary before: $?"
loader --log /lib/guard.image
loader --canary; echo "canary after: $?"
ls /sys/fs/bpf/countersign
echo 0 > /proc/sys/kernel/ftrace_enabled
cat /proc/sys/kernel/ftrace_enabled
loader /lib/guard.image
`;

/** What the script wrote, by line; each guest is booted once. */
const booted = new Map<SealKernel, readonly string[] | string>();

function linesOf(kernel: SealKernel): readonly string[] | string {
  const known = booted.get(kernel);
  if (known !== undefined) return known;
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  guest.file("bin/loader", loaderBinary(), 0o755);
  guest.file(
    "lib/guard.image",
    imageOf(compileObject("minimal"), { mode: 2, guardVersion: GUARD_VERSION, onFailure: "halt" }),
  );
  const lines = guest.run(SCRIPT).output.trim().split("\n");
  guest.remove();
  booted.set(kernel, lines);
  return lines;
}

describe("the loader on Debian's kernels", () => {
  it.for(testedKernels())("%s: seals, after which loads are denied", (kernel, { skip }) => {
    const lines = linesOf(kernel);
    if (typeof lines === "string") return skip(lines);
    const [before, sealed, after, pin, write, ftrace, again] = lines;
    expect([before, after]).toEqual(["canary before: 1", "canary after: 0"]);
    expect(JSON.parse(sealed!)).toMatchObject({ sealed: true, mode: "enforce", version: GUARD_VERSION });
    expect([pin, write, ftrace]).toEqual(["minimal_token", expect.stringContaining("Operation not permitted"), "1"]);
    expect(JSON.parse(again!)).toMatchObject({ sealed: false, step: "running" });
  });

  it("6.1: refuses, and names the hook that Linux has since 6.9", ({ skip }) => {
    const lines = linesOf("6.1");
    if (typeof lines === "string") return skip(lines);
    const [before, sealed, after] = lines;
    expect(JSON.parse(sealed!)).toEqual({
      sealed: false,
      step: "kernel",
      place: "BTF of vmlinux",
      errno: null,
      detail: expect.stringMatching(/^kernel 6\.1\.\S+ has no function `bpf_lsm_bpf_prog_load`$/),
    });
    expect([before, after]).toEqual(["canary before: 1", "canary after: 1"]);
  });
});
