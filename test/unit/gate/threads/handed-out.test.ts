import { describe, expect, it } from "vitest";
import type { Handed } from "../../../../src/gate/call/objects.js";
import { HandedOut } from "../../../../src/gate/threads/handed-out.js";

const map = (id: number): Handed => ({ id, entry: { creator: 1, memory: 8, exclusive: false } });

describe("what was handed out", () => {
  it("is given by whose it is, in its order, and nothing of others", () => {
    const handedOut = new HandedOut();
    const groups = handedOut.add([
      ["a", map(1)],
      ["b", map(2)],
      ["a", map(3)],
    ]);
    expect([...groups].map(([whose, objects]) => [whose, objects.map(({ id }) => id)])).toEqual([
      ["a", [1, 3]],
      ["b", [2]],
    ]);
  });
});
