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
import { mistakeFor } from "../support/mistaken-iterator.js";

const VMLINUX = "/sys/kernel/btf/vmlinux";
const PREFIX = "bpf_iter_";
/** One more than any iterator has. */
const ARGUMENTS = 5;
/** The iterators with an argument that is a buffer, and which argument that is. */
const BUFFERS: Readonly<Record<string, number>> = { bpf_map_elem: 3, bpf_sk_storage_map: 3 };
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

/** Why no programs can be loaded here; null if they can. */
function refusal(): string | null {
  if (process.getuid?.() !== 0) return "needs root to load BPF";
  return load(codeOf("r0 = 2; exit", { type: "xdp" }), maps).errno === 0
    ? null
    : "needs a kernel that lets root load BPF";
}

/** The iterators that this kernel loads. One that is locked down may answer EPERM for those over elements of maps. */
function loadable(): Iterator[] {
  const all = iteratorsOf(new Btf(readFileSync(VMLINUX), VMLINUX));
  return all.filter(({ target, id }) => load(programOf(target, 0, "r0 = 0"), maps, id).errno === 0);
}

interface Outcome {
  readonly name: string;
  readonly accepted: boolean;
  readonly reported: boolean;
}

/** Loads a program for each argument of an iterator and each way to write through it. */
async function outcomesOf({ target, id }: Iterator): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let argument = 0; argument < ARGUMENTS; argument++)
    for (const [way, write] of Object.entries(WRITES)) {
      const code = programOf(target, argument, write);
      const accepted = load(code, maps, id).errno === 0;
      await setTimeout(PAUSE);
      const reported = effectsOf(code).effects.writes_shared_map;
      outcomes.push({ name: `${target} ${argument}: ${way}`, accepted, reported });
    }
  return outcomes;
}

const missedIn = (outcomes: readonly Outcome[]) =>
  outcomes.filter(({ accepted, reported }) => accepted && !reported).map(({ name }) => name);

describe("an iterator", () => {
  it("writes through an argument only if the analysis says that it may write a map of others", async (context) => {
    const why = refusal();
    if (why !== null) return context.skip(why);
    const iterators = loadable();
    expect(iterators.map(({ target }) => target)).toEqual(expect.arrayContaining(["task", "bpf_map", "tcp"]));
    for (const iterator of iterators) {
      const { target } = iterator;
      const outcomes = await outcomesOf(iterator);
      expect(missedIn(outcomes)).toEqual([]);
      const accepted = outcomes.filter((each) => each.accepted).map(({ name }) => name);
      const argument = BUFFERS[target];
      expect(accepted).toEqual(
        argument === undefined ? [] : Object.keys(WRITES).map((way) => `${target} ${argument}: ${way}`),
      );
      if (!mayBeLentBuffer("trace_iter", target)) expect(outcomes.filter((each) => each.reported)).toEqual([]);
    }
  }, 120_000);

  it("that the kernel takes for one with a buffer writes through no argument of which the analysis does not know", async (context) => {
    const why = refusal();
    if (why !== null) return context.skip(why);
    const iterators = loadable();
    const lenders = iterators.filter(({ target }) => BUFFERS[target] !== undefined);
    const mistaken = new Set<string>();
    const missed: string[] = [];
    for (const lender of lenders)
      for (const iterator of iterators) {
        if (iterator === lender || !mistakeFor(lender.target, iterator.id)) continue;
        const outcomes = await outcomesOf(iterator);
        missed.push(...missedIn(outcomes));
        const accepted = outcomes.some((each) => each.accepted);
        if (accepted && BUFFERS[iterator.target] === undefined) mistaken.add(iterator.target);
        // Corrects the id that the kernel keeps of the lender.
        load(programOf(lender.target, 0, "r0 = 0"), maps, lender.id);
      }
    expect(missed).toEqual([]);
    if (mistaken.size === 0)
      return context.skip("needs a kernel that takes one iterator for another (Debian's Linux 6.1, 6.12 and 7.3)");
    expect([...mistaken].sort()).toEqual(["sockmap", "task_file"]);
  }, 600_000);

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
