import { describe, expect, it } from "vitest";
import { OPEN_UNTIL_LOCK } from "../../../src/seal/sealing.js";
import { compiled } from "./guard/described-programs.js";
import { Loads } from "./guard/sealed-loads.js";
import { testedKernels } from "./guests/tested-kernels.js";

/** What guard/open.c printed; the second word of a load is the reason that the guard counted. */
function linesOf(kernel: Parameters<typeof Loads.run>[0], words: string, open: number): readonly string[] | string {
  const ran = compiled("open", (file) =>
    Loads.run(kernel, file, `loader --log /lib/guard.image && open ${words}`, { entries: [], open }, { seconds: 850 }),
  );
  return typeof ran === "string" ? ran : ran.output.split("\n").filter((line) => /^[a-z_ ,]+: /.test(line));
}

const LOCKED = ["unlisted after the lock: EPERM locked_down", "another latch after the lock: EPERM"];

describe.for(testedKernels())("a guard that is open until its lock, on %s,", (kernel) => {
  it("records and allows loads, protects itself, and denies every load once root has locked it", ({ skip }) => {
    const lines = linesOf(kernel, "", OPEN_UNTIL_LOCK);
    if (typeof lines === "string") return skip(lines);
    expect(lines).toEqual([
      "unlisted: loaded unlisted",
      "test program: EPERM canary",
      "fmod_ret on security_bpf: EPERM never",
      "map of the guard: -1",
      "lock by a user: EPERM",
      "another latch: EPERM",
      "unlisted, still: loaded unlisted",
      "lock by root: EALREADY",
      ...LOCKED,
    ]);
  });

  it("locks by itself at its deadline", ({ skip }) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes a guest of its own: nightly");
    const lines = linesOf(kernel, "wait", 1);
    if (typeof lines === "string") return skip(lines);
    expect(lines).toEqual(LOCKED);
  });
});
