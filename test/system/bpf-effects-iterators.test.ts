/** Writes through the arguments of iterators, against the kernel's verifier: it knows which of them are buffers. */
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { effectsOf } from "../../src/bpf/analysis/effects.js";
import { codeOf } from "../../src/bpf/assembly/assembly.js";
import { Btf } from "../../src/bpf/btf/btf.js";
import type { CodeMap } from "../../src/bpf/model/code.js";
import { mayBeLentBuffer } from "../../src/bpf/tables/iterators.js";
import { closeMaps, load } from "../support/kernel-load.js";

const VMLINUX = "/sys/kernel/btf/vmlinux";
const PREFIX = "bpf_iter_";
/** Number of arguments that the kernel lets a traced function have (MAX_BPF_FUNC_ARGS of include/linux/bpf.h). */
const ARGUMENTS = 12;
/** Milliseconds after each load: the kernel frees programs on a queue, which must not fill. */
const PAUSE = 5;
const maps = new Map<CodeMap, number>();
afterAll(() => closeMaps(maps));

/** Ways to write through r6. */
const WRITES: Readonly<Record<string, string>> = {
  byte: "*(u8 *)(r6 + 0) = 0",
  word: "*(u64 *)(r6 + 0) = 0",
  register: "r2 = 7; *(u32 *)(r6 + 4) = r2",
  atomic: "r2 = 1; lock *(u64 *)(r6 + 0) += r2",
  helper: "r1 = r6; r2 = 8; r3 = 0; call bpf_probe_read_kernel",
};

interface Iterator {
  readonly target: string;
  readonly id: number;
}

/** All functions that DEFINE_BPF_ITER_FUNC (include/linux/bpf.h) declares: the first argument of no other is `meta`. */
function iteratorsOf(kernel: Btf): Iterator[] {
  const found: Iterator[] = [];
  for (let id = 1; id < kernel.count; id++) {
    if (kernel.kind(id) !== "func" || !kernel.name(id).startsWith(PREFIX)) continue;
    const first = kernel.parameters(kernel.target(id))[0];
    if (first === undefined || kernel.kind(first.type) !== "ptr") continue;
    if (kernel.name(kernel.target(first.type)) !== "bpf_iter_meta") continue;
    found.push({ target: kernel.name(id).slice(PREFIX.length), id });
  }
  return found;
}

function programOf(attachTo: string, argument: number, write: string) {
  const text = `r6 = *(u64 *)(r1 + ${8 * argument}); if r6 == 0 goto out; ${write}; out: r0 = 0; exit`;
  return codeOf(text, { type: "tracing", expectedAttachType: "trace_iter", attachTo });
}

describe("an iterator", () => {
  it("writes through an argument only if the analysis says that it may write a map of others", async (context) => {
    if (process.getuid?.() !== 0) return context.skip("needs root to load BPF");
    if (load(codeOf("r0 = 2; exit", { type: "xdp" }), maps).errno !== 0)
      return context.skip("needs a kernel that lets root load BPF");
    // A kernel that is locked down may answer EPERM for iterators over elements of maps.
    const iterators = iteratorsOf(new Btf(readFileSync(VMLINUX), VMLINUX)).filter(
      ({ target, id }) => load(programOf(target, 0, "r0 = 0"), maps, id).errno === 0,
    );
    expect(iterators.map(({ target }) => target)).toEqual(expect.arrayContaining(["task", "bpf_map", "tcp"]));
    const writable = new Set<string>();
    const missed: string[] = [];
    const spurious: string[] = [];
    for (const { target, id } of iterators)
      for (let argument = 0; argument < ARGUMENTS; argument++)
        for (const [way, write] of Object.entries(WRITES)) {
          const code = programOf(target, argument, write);
          const { errno } = load(code, maps, id);
          await setTimeout(PAUSE);
          const reported = effectsOf(code).effects.writes_shared_map;
          const name = `${target} ${argument}: ${way}`;
          if (errno === 0) writable.add(`${target} ${argument}`);
          if (errno === 0 && !reported) missed.push(name);
          if (errno !== 0 && reported && !mayBeLentBuffer("trace_iter", target)) spurious.push(name);
        }
    expect(missed).toEqual([]);
    expect(spurious).toEqual([]);
    expect([...writable].sort()).toEqual(
      ["bpf_map_elem 3", "bpf_sk_storage_map 3"].filter((each) =>
        iterators.some(({ target }) => each.startsWith(`${target} `)),
      ),
    );
  }, 120_000);

  it("without a buffer has at most three arguments, or a number as the fourth", (context) => {
    let kernel: Btf;
    try {
      kernel = new Btf(readFileSync(VMLINUX), VMLINUX);
    } catch {
      return context.skip("needs a kernel with BTF");
    }
    for (const { target, id } of iteratorsOf(kernel)) {
      if (mayBeLentBuffer("trace_iter", target)) continue;
      const fourth = kernel.parameters(kernel.target(id))[3];
      const kind = fourth === undefined ? "none" : kernel.kind(kernel.resolve(fourth.type));
      expect(["none", "int"], target).toContain(kind);
    }
  });
});
