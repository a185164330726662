import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InstalledObject } from "../../support/real-objects.js";
import { amount } from "../nightly.js";
import { DEBIAN_LIBBPF, debianLibbpf, type LibbpfVersion } from "./debian-libbpf.js";
import { LibbpfRecorder } from "./libbpf-recorder.js";
import { compareOn, type KernelName } from "./table.js";
import { testedObjects } from "./tested-objects.js";

// `npm run test:relocations` compares on all kernels.
const KERNELS: readonly KernelName[] = ["running", "6.12"];

const VERSIONS = Object.keys(DEBIAN_LIBBPF) as LibbpfVersion[];

/** Each version on each kernel; the short form has each version once, and each kernel. */
const ROWS = VERSIONS.flatMap((version, at) =>
  KERNELS.filter((_, on) => amount(0, 1) === 1 || at % 2 !== on).map((kernel) => [version, kernel] as const),
);

describe("a relocated program", () => {
  let objects: readonly InstalledObject[] | string;
  const recorders = new Map<LibbpfVersion, LibbpfRecorder | string>();

  beforeAll(() => {
    objects = testedObjects();
    for (const version of VERSIONS) {
      const found = debianLibbpf(version);
      recorders.set(version, typeof found === "string" ? found : LibbpfRecorder.open(found.folder));
    }
  });
  afterAll(() => {
    for (const recorder of recorders.values()) if (typeof recorder !== "string") recorder.close();
  });

  for (const [version, kernel] of ROWS)
    it(`is the one that libbpf ${version} loads on kernel ${kernel}`, (context) => {
      const recorder = recorders.get(version)!;
      const { variant, unknown } = DEBIAN_LIBBPF[version];
      if (typeof objects === "string" || typeof recorder === "string")
        return context.skip(typeof objects === "string" ? objects : (recorder as string));
      const row = compareOn(kernel, recorder, variant, objects, { unknown });
      if (typeof row === "string") return context.skip(row);
      expect(row.loader).toBe(`libbpf v${version.replace(/\.\d+$/, "")}`);
      expect(row.differences).toEqual([]);
      // Most programs are identical, but every way to be refused occurs too.
      expect(row.outcomes.identical).toBeGreaterThan(400);
      expect(row.outcomes.refused).toBeGreaterThan(10);
      expect(row.outcomes.target).toBeGreaterThan(20);
    });

  it("is another one for another version of libbpf", (context) => {
    const recorder = recorders.get("1.5.0")!;
    if (typeof objects === "string" || typeof recorder === "string")
      return context.skip(typeof objects === "string" ? objects : (recorder as string));
    const fields = objects.filter(({ name }) => name === "own/fields-v3");
    const row = compareOn("running", recorder, "libbpf-1.6", fields);
    if (typeof row === "string") return context.skip(row);
    expect(row.differences.map(({ recording }) => recording.program)).toEqual(["direct_array"]);
  });
});
