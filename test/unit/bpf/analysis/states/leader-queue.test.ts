import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LeaderQueue } from "../../../../../src/bpf/analysis/states/leader-queue.js";
import { Scratch } from "../../../../../src/bpf/analysis/values/scratch.js";

describe("a queue of leaders", () => {
  it.each([1, 31, 32, 33, 1024, 1025, 40_000])(
    "of %i gives back what was added, the lowest first, each once",
    (size) => {
      const leader = fc.integer({ min: 0, max: size - 1 });
      fc.assert(
        fc.property(fc.array(fc.option(leader, { nil: null }), { maxLength: 200 }), (steps) => {
          const queue = new LeaderQueue(size, new Scratch());
          const model = new Set<number>();
          for (const step of steps) {
            if (step !== null) {
              queue.add(step);
              model.add(step);
              continue;
            }
            const lowest = model.size === 0 ? -1 : Math.min(...model);
            expect(queue.take()).toBe(lowest);
            model.delete(lowest);
          }
        }),
        { numRuns: 50 },
      );
    },
  );
});
