import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Variant } from "../../../src/bpf/core/variant.js";
import type { InstalledObject } from "../../support/real-objects.js";
import { Comparer, type Comparison, type Outcome } from "./comparison.js";
import { type DebianKernel, debianKernel } from "./debian-kernels.js";
import { readKernelFolder, runningKernel, writeKernelFolder } from "./kernel-folder.js";
import type { Recorder } from "./recording.js";

export type KernelName = "running" | DebianKernel;

/** One kernel, and one libbpf. */
export interface Row {
  readonly kernel: KernelName;
  readonly release: string;
  readonly loader: string;
  readonly variant: Variant;
  readonly programs: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly differences: readonly Comparison[];
}

/** How a loader loads the objects: each program by itself, and which programs it does not know how to attach. */
export interface CompareOptions {
  readonly separately?: boolean;
  readonly unknown?: readonly string[];
}

/** Compares libbpf and the relocator on one kernel; or says why the kernel cannot be had. */
export function compareOn(
  kernel: KernelName,
  recorder: Recorder,
  variant: Variant,
  objects: readonly InstalledObject[],
  { separately = false, unknown = [] }: CompareOptions = {},
): Row | string {
  const found = kernel === "running" ? runningFolder() : debianKernel(kernel);
  if (typeof found === "string") return found;
  try {
    const description = readKernelFolder(found.folder);
    const { loader, programs } = recorder.record(found.folder, objects, separately);
    const comparer = new Comparer(description, objects, variant);
    const comparisons = programs.map((recording) => {
      const compared = comparer.compare(recording);
      const isUnknown = recording.refusal !== null && unknown.includes(recording.program);
      return isUnknown ? { ...compared, outcome: "refused" as const } : compared;
    });
    const count = (outcome: Outcome) => comparisons.filter((each) => each.outcome === outcome).length;
    return {
      kernel,
      release: description.release,
      loader,
      variant,
      programs: programs.length,
      outcomes: {
        identical: count("identical"),
        refused: count("refused"),
        target: count("target"),
        different: count("different"),
      },
      differences: comparisons.filter(({ outcome }) => outcome === "different"),
    };
  } finally {
    if (kernel === "running") rmSync(found.folder, { recursive: true });
  }
}

function runningFolder(): { readonly folder: string } | string {
  const description = runningKernel();
  if (typeof description === "string") return description;
  const folder = mkdtempSync(join(tmpdir(), "countersign-kernel-"));
  writeKernelFolder(folder, description);
  return { folder };
}
