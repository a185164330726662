import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import type { Code } from "../../../../src/bpf/model/code.js";
import { own } from "../../../support/workplace.js";
import { DebianGuest } from "../debian-guest.js";
import type { Kernel } from "../kernel.js";
import { batchLines, type Ran, readResults } from "./batch.js";
import { PATHS } from "./filler.js";
import { FILLERS } from "./fillers.js";
import { KernelNames } from "./kernel-names.js";
import { type Check, type MarkedProgram, markedPrograms } from "./marked-programs.js";
import { WAYS_OUT } from "./ways-out.js";

/** A program, what the analysis says of it, and what a kernel does with it. */
export interface Tried extends MarkedProgram {
  /** Whether `reads_kernel_memory` is reported for the bytes of the stack, not only for what the helper reads. */
  readonly reported: boolean;
  readonly ran: Ran;
}

/** All programs on one kernel. */
export interface Trial {
  readonly tried: readonly Tried[];
  /** Fillers that the kernel lacks: a kfunc, or a type that they name. */
  readonly missing: readonly string[];
  /** What the guest wrote, for a test that fails. */
  readonly console: string;
  readonly status: number | null;
}

/** Modules with kfuncs. */
const MODULES = ["crc32c_generic", "fou", "nf_conntrack", "veth", "xfrm_interface"];
/** Of veth, without the name of the peer, which busybox cannot give: it is the first free name. */
const DEVICES = ["ip link set lo up", "ip link add marked0 type veth", "ip link set veth0 name marked1"].concat(
  ["marked0", "marked1"].map((name) => `ip link set ${name} up`),
);

/** Has a guest with this kernel try the programs with these checks and ways out; or why there can be no guest. */
export async function tryPrograms(
  kernel: Kernel,
  checks: readonly Check[],
  ways: readonly string[],
): Promise<Trial | string> {
  const names = await KernelNames.of(kernel);
  const made = WAYS_OUT.filter(({ name }) => ways.includes(name));
  const { programs, missing } = markedPrograms(FILLERS, names, checks, made);
  const guest = DebianGuest.make(kernel);
  if (typeof guest === "string") return guest;
  try {
    const lines = new Map<MarkedProgram, string>();
    for (const program of programs) {
      const line = batchLines(program, names);
      if (line === null) missing.set(program.filler.name, "no such kfunc");
      else lines.set(program, line);
    }
    guest.file("bin/marked-stack", runner(), 0o755);
    guest.file("batch", [...lines.values()].join(""));
    for (const path of Object.values(PATHS)) guest.file(path, "text\n");
    const modules = guest.modules(MODULES.filter((name) => kernel.has(name)));
    const script = [...modules, ...DEVICES, "marked-stack /batch"].join("\n");
    const { output, console, status } = guest.run(script, { seconds: 3000 });
    const results = readResults(output);
    const tried = [...lines.keys()].map((program) => ({
      ...program,
      reported: isReported(program.code),
      ran: results.get(program.name) ?? { state: "failed" as const, why: "the guest said nothing of it" },
    }));
    return { tried, missing: [...missing.keys()], console, status };
  } finally {
    guest.remove();
  }
}

function runner(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "marked-stack-"));
  const program = join(folder, "marked-stack");
  const source = own("test/system/guest/marked-stack/marked-stack.c");
  execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-static", "-o", program, source]);
  const bytes = readFileSync(program);
  rmSync(folder, { recursive: true });
  return bytes;
}

/**
 * Whether there is evidence of a read of stack bytes, or of a program that is not followed: the helper may read other
 * memory of the kernel, which is no evidence of this.
 */
export function isReported(code: Code): boolean {
  return effectsOf(code).evidence.some(
    ({ effect, insn, because }) =>
      effect === "reads_kernel_memory" && (insn === null || because.includes(" of its stack")),
  );
}
