import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const VMLINUX = "/sys/kernel/btf/vmlinux";
/** Where Debian keeps asm/types.h. */
const ARCHITECTURE = `-I/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;

/** Compiles BPF C with clang-19 against the types of the running kernel. Close it: it has a temporary folder. */
export class BpfCompiler {
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-sources-"));

  /** The object's bytes, or the reason why this machine cannot compile it. Throws if clang rejects the source. */
  compile(source: string, flags: readonly string[]): Uint8Array | string {
    const object = join(this.#folder, "object.o");
    const header = join(this.#folder, "vmlinux.h");
    if (!existsSync(header))
      try {
        writeFileSync(
          header,
          execFileSync("bpftool", ["btf", "dump", "file", VMLINUX, "format", "c"], { maxBuffer: 1 << 26 }),
        );
      } catch {
        return `needs bpftool and a kernel with ${VMLINUX}`;
      }
    const all = ["-target", "bpf", "-g", "-D__TARGET_ARCH_x86", `-I${this.#folder}`, ARCHITECTURE, ...flags];
    execFileSync("clang-19", [...all, "-c", source, "-o", object], { stdio: ["ignore", "ignore", "pipe"] });
    return readFileSync(object);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
