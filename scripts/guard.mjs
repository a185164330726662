// Compiles the BPF object of the guard, src/seal/guard/guard.bpf.o. With --check it reports an object that differs from
// what the sources compile to. Exits with 3 and a reason if clang or llvm-strip is not installed.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../src/seal/guard/", import.meta.url));
const object = join(folder, "guard.bpf.o");

const FLAGS = [
  // BTF names source files, by paths that must not depend on the machine
  "-fdebug-compilation-dir=.",
  ...["-O2", "-g", "-mcpu=v3", "-target", "bpf", "-D__TARGET_ARCH_x86", "-I/usr/include/x86_64-linux-gnu"],
  ...["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"],
];

for (const tool of ["clang-19", "llvm-strip-19"])
  if (spawnSync(tool, ["--version"]).error !== undefined) {
    console.log(`${tool} is not installed`);
    process.exit(3);
  }

const work = mkdtempSync(join(tmpdir(), "guard-"));
try {
  const compiled = join(work, "guard.bpf.o");
  execFileSync("clang-19", [...FLAGS, "-c", "guard.bpf.c", "-o", compiled], { cwd: folder, stdio: "inherit" });
  execFileSync("llvm-strip-19", ["-g", compiled]);
  const bytes = readFileSync(compiled);
  const isCurrent = existsSync(object) && readFileSync(object).equals(bytes);
  if (!isCurrent && process.argv.includes("--check")) {
    console.log("src/seal/guard/guard.bpf.o is not current");
    process.exitCode = 1;
  } else if (!isCurrent) writeFileSync(object, bytes);
} finally {
  rmSync(work, { recursive: true });
}
