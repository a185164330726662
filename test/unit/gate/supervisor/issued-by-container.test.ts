import { describe, expect, it } from "vitest";
import type { IssuedObject } from "../../../../src/gate/call/issued-objects.js";
import { IssuedByContainer } from "../../../../src/gate/supervisor/issued-by-container.js";

const map = (id: number): IssuedObject => ({ id, entry: { creator: 1, memory: 8, exclusive: false } });

describe("issued objects", () => {
  it("are given by container, in their order, without those of others", () => {
    const issued = new IssuedByContainer();
    const groups = issued.add([
      ["a", map(1)],
      ["b", map(2)],
      ["a", map(3)],
    ]);
    expect([...groups].map(([containerKey, objects]) => [containerKey, objects.map(({ id }) => id)])).toEqual([
      ["a", [1, 3]],
      ["b", [2]],
    ]);
  });
});
