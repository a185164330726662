// Builds a static program for x86-64 with Debian's musl-gcc, which is the same on each machine.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const FLAGS = [
  ...["-static", "-Os", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-s", "-pthread"],
  // the headers of bpf(2) are the kernel's, which musl does not have
  ...["-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"],
  ...["-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections,--build-id=none", "-frandom-seed=countersign"],
];
const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Writes the program of a folder's C files to a file, or with --check reports whether the file is current. Returns the
 * exit status: 3 if the compiler is missing.
 * @param {string} folder
 * @param {string} file
 * @param {string} script that writes the file
 */
export function buildProgram(folder, file, script) {
  const [from, to] = [join(root, folder), join(root, file)];
  const sources = readdirSync(from).filter((name) => name.endsWith(".c"));
  const work = mkdtempSync(join(tmpdir(), "program-"));
  try {
    const made = join(work, "program");
    const run = spawnSync("musl-gcc", [...FLAGS, ...sources.sort(), "-o", made], { cwd: from, encoding: "utf8" });
    if (run.error !== undefined) {
      console.error("needs musl-gcc, of Debian's package musl-tools");
      return 3;
    }
    if (run.status !== 0) {
      console.error(run.stderr);
      return 1;
    }
    const bytes = readFileSync(made);
    if (existsSync(to) && readFileSync(to).equals(bytes)) return 0;
    if (process.argv.includes("--check")) {
      console.error(`${relative(root, to)} is not current: run node scripts/${script}`);
      return 1;
    }
    writeFileSync(to, bytes, { mode: 0o755 });
    return 0;
  } finally {
    rmSync(work, { recursive: true });
  }
}
