/**
 * How much the verifier of each kernel looks at to load the guard. It rejects a program of which it would look at above
 * a million instructions, and how many that are depends on the kernel and on the compiler.
 */
import { describe, expect, it } from "vitest";
import { encodeFileList, parseFileList } from "../../../src/seal/files.js";
import { SEAL_INIT, type SealOptions, sealFragment } from "../../../src/seal/sealing.js";
import { ProgramSigner } from "./guests/program-signer.js";
import { SealGuest } from "./guests/seal-guest.js";
import { compileProgram, listOfValues } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

/** Half of BPF_COMPLEXITY_LIMIT_INSNS (include/linux/bpf.h): a kernel that looks at twice as many still loads it. */
const BOUND = 500_000;
/** Every rule is on: code of one that is off is removed before it counts. */
const OPTIONS: SealOptions = {
  mode: "audit",
  list: listOfValues([1, 2]),
  files: parseFileList(
    encodeFileList({ modules: ["11".repeat(32)], executables: ["22".repeat(32)], modulesByTicket: true }),
  ),
  keys: { programs: [ProgramSigner.make().certificate] },
};

describe("the guard's programs", () => {
  it.for(testedKernels())("%s: take at most half of what the verifier looks at", (kernel, { skip }) => {
    const guest = SealGuest.make(kernel);
    if (typeof guest === "string") return skip(guest);
    guest.file("bin/verified-instructions", compileProgram("verified-instructions"), 0o755);
    const ran = guest.run("verified-instructions", {
      fragments: [sealFragment(OPTIONS, "halt")],
      commandLine: `rdinit=${SEAL_INIT}`,
    });
    guest.remove();
    const counts = [...ran.output.matchAll(/^guard_\w+ (\d+)$/gm)].map(([, count]) => Number(count));
    expect(counts.length, ran.console.slice(-3000)).toBeGreaterThan(15);
    expect(Math.max(...counts), ran.output).toBeLessThanOrEqual(BOUND);
  });
});
