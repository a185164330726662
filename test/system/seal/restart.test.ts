/**
 * A guard that audits is stopped, and another one is started at once. The kernel frees maps in the background, so that
 * the loader can find the status of the first one, which is gone when it stops it.
 */
import { describe, expect, it } from "vitest";
import { sealImage } from "../../../src/seal/sealing.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { listOfValues, loaderBinary } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === undefined ? 2 : 50;

const SCRIPT = `
loader /lib/audit.image
for round in $(seq ${ROUNDS}); do
  loader --stop > /dev/null
  loader /lib/audit.image
done
loader --stop > /dev/null
loader /lib/guard.image
loader --canary; echo "canary: $?"
`;

function linesOn(kernel: SealKernel): readonly string[] | string {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  guest.file("bin/loader", loaderBinary(), 0o755);
  const list = listOfValues([1]);
  for (const [name, mode] of [["guard", "enforce"] as const, ["audit", "audit"] as const])
    guest.file(`lib/${name}.image`, sealImage({ mode, list }));
  const { status, output, console } = guest.run(SCRIPT, { seconds: 1700 });
  guest.remove();
  if (status === null) throw new Error(console.slice(-3000));
  return output.trim().split("\n");
}

describe("a guard under audit", () => {
  const timeout = 1_800_000;
  it.for(testedKernels())("%s: can be stopped and started again at once", { timeout }, (kernel, { skip }) => {
    const lines = linesOn(kernel);
    if (typeof lines === "string") return skip(lines);
    const starts = lines.slice(0, -1).map((line) => JSON.parse(line));
    const audits = Array.from({ length: ROUNDS + 1 }, () => ({ mode: "audit", sealed: false, step: undefined }));
    const ended = starts.map(({ mode, sealed, step }) => ({ mode, sealed, step }));
    expect(ended, lines.join("\n")).toEqual([...audits, { mode: "enforce", sealed: true, step: undefined }]);
    expect(lines.at(-1)).toBe("canary: 0");
  });
});
