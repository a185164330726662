import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Variant } from "../../../src/bpf/relocate.js";
import type { InstalledObject } from "../../support/real-objects.js";
import { amount } from "../nightly.js";
import { LibbpfRecorder } from "./libbpf-recorder.js";
import { newerLibbpf } from "./newer-libbpf.js";
import { compareOn, type KernelName } from "./table.js";
import { testedObjects } from "./tested-objects.js";

// `npm run test:relocations` compares on all kernels.
const KERNELS: readonly KernelName[] = ["running", "6.12"];

/** The libbpf by which a variant is judged; null is the machine's. */
const LIBRARIES: readonly (readonly [Variant, () => { readonly folder: string } | string | null])[] = [
  ["libbpf-1.5", () => null],
  ["libbpf-1.6", newerLibbpf],
];

/** Each variant on each kernel; the short form has each variant and each kernel once. */
const ROWS = LIBRARIES.flatMap(([variant], at) =>
  KERNELS.filter((_, on) => amount(0, 1) === 1 || at !== on).map((kernel) => [variant, kernel] as const),
);

describe("a relocated program", () => {
  let objects: readonly InstalledObject[] | string;
  const recorders = new Map<Variant, LibbpfRecorder | string>();

  beforeAll(() => {
    objects = testedObjects();
    for (const [variant, library] of LIBRARIES) {
      const found = library();
      recorders.set(variant, typeof found === "string" ? found : LibbpfRecorder.open(found?.folder ?? null));
    }
  });
  afterAll(() => {
    for (const recorder of recorders.values()) if (typeof recorder !== "string") recorder.close();
  });

  for (const [variant, kernel] of ROWS)
    it(`is the one that ${variant} loads on kernel ${kernel}`, (context) => {
      const recorder = recorders.get(variant)!;
      if (typeof objects === "string" || typeof recorder === "string")
        return context.skip(typeof objects === "string" ? objects : (recorder as string));
      const row = compareOn(kernel, recorder, variant, objects);
      if (typeof row === "string") return context.skip(row);
      expect(row.loader).toMatch(variant === "libbpf-1.5" ? /^libbpf v1\.5$/ : /^libbpf v1\.(?:[6-9]|\d\d)$/);
      expect(row.differences).toEqual([]);
      // Most programs are identical, but every way to be refused occurs too.
      expect(row.outcomes.identical).toBeGreaterThan(400);
      expect(row.outcomes.refused).toBeGreaterThan(10);
      expect(row.outcomes.target).toBeGreaterThan(20);
    });

  it("is another one for another version of libbpf", (context) => {
    const recorder = recorders.get("libbpf-1.5")!;
    if (typeof objects === "string" || typeof recorder === "string")
      return context.skip(typeof objects === "string" ? objects : (recorder as string));
    const fields = objects.filter(({ name }) => name === "own/fields-v3");
    const row = compareOn("running", recorder, "libbpf-1.6", fields);
    if (typeof row === "string") return context.skip(row);
    expect(row.differences.map(({ recording }) => recording.program)).toEqual(["direct_array"]);
  });
});
