import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TestSpecification } from "vitest/node";
import FileOrder from "../../support/file-order.js";
import { neededModules } from "../../support/needed-modules.js";
import { own } from "../../support/workplace.js";

/** Files of this repository that need each kind of modules. */
const PLAIN = ["test/unit/errno.test.ts", "test/unit/error.test.ts", "test/unit/lru-cache.test.ts"];
const COUNTED = "test/hostile/trust-effort.test.ts";
const REPLACED = "test/unit/gate/run/launcher.test.ts";

/** The order of files, each with its project. */
async function orderOf(files: readonly (readonly [project: string, file: string])[], seed?: number, isolate = false) {
  const projects = [{ name: "unit" }, { name: "hostile" }];
  const cache = { getFileStats: () => undefined, getFileTestResults: () => undefined };
  const order = new FileOrder({ config: { root: own("."), sequence: { seed } }, projects, cache } as never);
  const given = files.map(([name, file]) => ({
    moduleId: join(own("."), file),
    project: { name, config: { isolate, sequence: { groupOrder: 0 } } },
  }));
  const sorted = await order.sort(given as unknown as TestSpecification[]);
  return sorted.map(({ moduleId }) => moduleId.slice(own(".").length).replace(/^\//, ""));
}

describe("the order of test files", () => {
  it("is by project, and then by the modules that they need", async () => {
    expect([PLAIN[0]!, COUNTED, REPLACED].map((file) => neededModules(own(file)))).toEqual([
      "plain",
      "counted",
      "replaced",
    ]);
    const files = [
      ["hostile", COUNTED],
      ["unit", REPLACED],
      ["hostile", PLAIN[1]!],
      ["unit", PLAIN[0]!],
    ] as const;
    for (const seed of [1, 2, 3, 4])
      expect(await orderOf(files, seed)).toEqual([PLAIN[0], REPLACED, PLAIN[1], COUNTED]);
  });

  it("is the same for the same seed, and differs between seeds", async () => {
    const files = PLAIN.map((file) => ["unit", file] as const);
    const orders = await Promise.all(Array.from({ length: 12 }, (_, seed) => orderOf(files, seed)));
    expect(new Set(orders.map((order) => order.join())).size).toBeGreaterThan(1);
    for (const [seed, order] of orders.entries()) expect(await orderOf(files.toReversed(), seed)).toEqual(order);
  });

  it("does not look at the modules of files that share none", async () => {
    const files = [
      ["unit", REPLACED],
      ["unit", PLAIN[0]!],
    ] as const;
    expect(await orderOf(files, undefined, true)).toEqual([REPLACED, PLAIN[0]]);
  });
});
