import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EFFECTS } from "../../src/bpf/facts.js";
import { factsOfObject } from "../../src/bpf/object.js";

const VMLINUX = "/sys/kernel/btf/vmlinux";
/** Where Debian keeps asm/types.h. */
const ARCHITECTURE = [`-I/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`];
const folder = mkdtempSync(join(tmpdir(), "countersign-sources-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compiles a source against this kernel's own types; the reason where that cannot be done. */
function compile(source: string, more: readonly string[]): Uint8Array | string {
  const object = join(folder, "object.o");
  try {
    const types = execFileSync("bpftool", ["btf", "dump", "file", VMLINUX, "format", "c"], { maxBuffer: 1 << 26 });
    writeFileSync(join(folder, "vmlinux.h"), types);
  } catch {
    return `needs bpftool and a kernel with ${VMLINUX}`;
  }
  // what this kernel's types declare of its own kfuncs is in the way of the sources' declarations
  const flags = [
    "-target",
    "bpf",
    "-g",
    "-D__TARGET_ARCH_x86",
    "-DBPF_NO_KFUNC_PROTOTYPES",
    `-I${folder}`,
    ...ARCHITECTURE,
    ...more,
  ];
  execFileSync("clang-19", [...flags, "-c", source, "-o", object], { stdio: ["ignore", "ignore", "pipe"] });
  return readFileSync(object);
}

/** `// may NAME: effects` of each program in a source. */
function expected(source: string): Record<string, readonly string[]> {
  const lines = readFileSync(source, "utf8").matchAll(/^\/\/ may (\w+): (.+)$/gm);
  return Object.fromEntries(
    [...lines].map(([, name, may]) => [name!, EFFECTS.filter((effect) => may!.split(" ").includes(effect))]),
  );
}

describe.each([
  ["-O2", ["-O2"]],
  ["-O1", ["-O1"]],
  ["-O2 -mcpu=v1", ["-O2", "-mcpu=v1"]],
  ["-O2 -mcpu=v4", ["-O2", "-mcpu=v4"]],
])("compiled with %s, the effects are those that the source shows:", (_, flags) => {
  for (const file of ["network.bpf.c", "tracing.bpf.c"])
    it(file, (context) => {
      const source = join(import.meta.dirname, "programs", file);
      const bytes = compile(source, flags);
      if (typeof bytes === "string") return context.skip(bytes);
      const found = factsOfObject(bytes).programs.map(({ name, effects }) => [
        name,
        EFFECTS.filter((effect) => effects[effect]),
      ]);
      expect(Object.fromEntries(found)).toEqual(expected(source));
    });
});
