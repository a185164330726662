import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../support/damage.js";
import { sectionData } from "../../support/elf-patch.js";
import { amount } from "../nightly.js";
import { Comparer, type Comparison } from "./comparison.js";
import { writeKernelFolder } from "./kernel-folder.js";
import { LibbpfRecorder } from "./libbpf-recorder.js";
import { mutatedBtf, mutatedObject } from "./mutated-objects.js";
import { ownObjects } from "./own-objects.js";

/** Objects whose types serve as those of a kernel, so that it has candidates for all of them. */
const BASES = /^own\/(?:fields|types|enums|candidates|too-far|ksyms|kfuncs|subprograms|exceptions)-/;
const CHANGED_TYPES = 12;
const OBJECTS = 30;
const KALLSYMS = "ffffffff81000000 T _text\nffffffff82a1b2c0 D init_task\nffffffff82b00000 D jiffies\n";

describe("mutated objects on kernels of mutated types", () => {
  it("are relocated as libbpf does, or refused by both", { timeout: 1_800_000 }, (context) => {
    const objects = ownObjects();
    const recorder = LibbpfRecorder.open();
    if (typeof objects === "string" || typeof recorder === "string")
      return context.skip(typeof objects === "string" ? objects : (recorder as string));
    const seed = seedOf();
    console.log(`SEED=${seed}`);
    const next = numbers(seed);
    const bases = objects.filter(({ name }) => BASES.test(name));
    const counts = new Map<string, number>();
    const wrong: string[] = [];
    for (let round = amount(8, 400); round > 0; round--) {
      const base = bases[next(bases.length)]!;
      const kernel = {
        ...{
          release: "6.12.0",
          version: "#1 SMP Debian 6.12.0",
          config: Buffer.alloc(0),
          kallsyms: KALLSYMS,
          modules: [],
        },
        vmlinux: mutatedBtf(sectionData(Buffer.from(base.bytes), ".BTF"), CHANGED_TYPES, next),
      };
      const tested = Array.from({ length: OBJECTS }, (_, index) => {
        const { name, bytes } = next(3) === 0 ? bases[next(bases.length)]! : base;
        return { name: `${name} #${index}`, bytes: mutatedObject(bytes, next) };
      });
      const folder = mkdtempSync(join(tmpdir(), "countersign-kernel-"));
      try {
        writeKernelFolder(folder, kernel);
        const comparer = new Comparer(kernel, tested, "libbpf-1.5");
        const { programs } = recorder.record(folder, tested);
        for (const recording of programs) {
          // libbpf crashed
          if (recording.load === null && recording.refusal === null) continue;
          const comparison = comparer.compare(recording);
          const outcome = outcomeOf(comparison);
          counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
          if (outcome === "different") wrong.push(`${recording.object}: ${recording.program}: ${comparison.detail}`);
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
    recorder.close();
    console.log([...counts].map(([outcome, count]) => `${count} ${outcome}`).join(", "));
    expect(wrong, `SEED=${seed}`).toEqual([]);
    expect(counts.get("identical")).toBeGreaterThan(100);
    expect(counts.get("refused")).toBeGreaterThan(10);
  });
});

/** As for real objects, but the reasons of two refusals need not be the same: a mutant can have several. */
function outcomeOf({ outcome, detail }: Comparison): string {
  if (outcome === "different" && /^libbpf says .*, and we say /.test(detail)) return "refused";
  // A mutated `long` of 4 bytes
  if (outcome === "different" && / CORE_UNSUPPORTED: .*of a 32-bit kernel, /.test(detail)) return "32 bits";
  return outcome;
}
