// What the guard's digest costs on this machine: `npm run bench:seal-digest`. Needs root, clang-19, gcc and libbpf. It
// runs the guard's code from a program of type syscall, since not each kernel loads LSM programs, and compares the
// digests with this project's.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importSources } from "../scripts/sources.mjs";
import { judged, printed } from "./report.mjs";
import { writeResults } from "./results.mjs";

const COUNTS = [2, 1000, 10_000, 100_000];
/** Nanoseconds for an instruction of a program that has 1,000 or more. */
const LIMIT = 65;
const SUBJECT = "The guard's digest";
const measured = [];
const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
const at = (name) => fileURLToPath(new URL(`seal/${name}`, import.meta.url));

try {
  const { clearMapReferences, insns } = await importSources(`
    import { readFileSync } from "node:fs";
    import { programPartOf } from "./src/bpf/statement.js";
    export { clearMapReferences } from "./src/bpf/insn/digest.js";
    const { programs } = programPartOf(readFileSync(${JSON.stringify(fileURLToPath(new URL("../src/seal/guard/guard.bpf.o", import.meta.url)))}));
    export const insns = Buffer.from(programs.find(({ name }) => name === "guard_prog_load").insns, "base64");
  `);
  writeFileSync(join(folder, "insns"), insns);
  const flags = ["-O2", "-g", "-mcpu=v3", "-target", "bpf", "-D__TARGET_ARCH_x86", "-I/usr/include/x86_64-linux-gnu"];
  execFileSync("clang-19", [...flags, "-c", at("digest.bpf.c"), "-o", join(folder, "digest.o")]);
  execFileSync("gcc", ["-O2", "-o", join(folder, "digest"), at("digest.c"), "-lbpf"]);
  const args = [join(folder, "digest.o"), join(folder, "insns"), ...COUNTS.map(String)];
  const lines = execFileSync(join(folder, "digest"), args, { encoding: "utf8" }).trim().split("\n");
  for (const { count, nanoseconds, digest } of lines.map((line) => JSON.parse(line))) {
    const bytes = Buffer.alloc(8 * count);
    for (let start = 0; start < bytes.length; start += insns.length) insns.copy(bytes, start);
    clearMapReferences(bytes, "little");
    if (createHash("sha256").update(bytes).digest("hex") !== digest) throw new Error(`another digest for ${count}`);
    const [unit, figure] = ["ns for each instruction", nanoseconds / count];
    const limit = count < 1000 ? {} : { limit: LIMIT };
    measured.push({ name: `a program of ${count} instructions`, figure, unit, ...limit });
  }
  const { rows, missed } = judged(measured);
  console.log(printed(SUBJECT, rows));
  writeResults({ [SUBJECT]: rows });
  if (missed > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
