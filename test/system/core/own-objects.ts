import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstalledObject } from "../../support/real-objects.js";

const SOURCES = join(import.meta.dirname, "objects");
/**
 * Instruction sets other than v3, for sources whose relocations are in other instructions then: v1 has no 32-bit
 * arithmetic, and v4 has loads that extend the sign.
 */
const OTHER_CPUS: Readonly<Record<string, readonly string[]>> = { fields: ["v1", "v4"], enums: ["v1", "v4"] };

/**
 * The objects of objects/*.bpf.c, some for several instruction sets; or why this machine cannot compile them. They
 * include no header of a kernel, and so are the same on every machine.
 */
export function ownObjects(): readonly InstalledObject[] | string {
  if (spawnSync("clang-19", ["--version"]).status !== 0) return "needs clang-19";
  const folder = mkdtempSync(join(tmpdir(), "countersign-sources-"));
  try {
    const sources = readdirSync(SOURCES).filter((name) => name.endsWith(".bpf.c"));
    return sources.sort().flatMap((source) =>
      ["v3", ...(OTHER_CPUS[source.replace(".bpf.c", "")] ?? [])].map((cpu) => {
        const object = join(folder, "object.o");
        const flags = ["-target", "bpf", "-g", "-O2", `-mcpu=${cpu}`, "-D__TARGET_ARCH_x86", "-Wall", "-Werror"];
        const include = "-I/usr/include/x86_64-linux-gnu";
        execFileSync("clang-19", [...flags, include, "-c", join(SOURCES, source), "-o", object], { stdio: "pipe" });
        return { name: `own/${source.replace(".bpf.c", "")}-${cpu}`, bytes: readFileSync(object) };
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
