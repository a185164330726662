import { describe, expect, it } from "vitest";
import { Effort, MAX_EFFORT } from "../../../../src/trust/base/effort.js";
import { verificationCost } from "../../../../src/trust/key/key-cost.js";

const key = (cost: number) => ({ cost });

describe("the effort that a message may cost", () => {
  it("ends after so many units, and stays at its end", () => {
    const effort = new Effort();
    expect(effort.take(MAX_EFFORT)).toBe(true);
    expect(effort.spent).toBe(false);
    expect(effort.take(1)).toBe(false);
    expect(effort.spent).toBe(true);
    expect(effort.verification(key(0), 0)).toMatchObject({ rule: "effort limit" });
  });

  it("takes more for slower keys, and for what has to be hashed, up to a limit", () => {
    const tries = (description: string, length = 0): number => {
      const effort = new Effort();
      let count = 0;
      while (effort.verification(key(verificationCost(description)), length) === null) count += 1;
      return count;
    };
    const kinds = ["RSA 2048", "P-256", "RSA 8192", "P-384", "P-521"];
    const counts = kinds.map((kind) => tries(kind));
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    expect(tries("P-521")).toBeGreaterThanOrEqual(6);
    expect(tries("RSA 2048", 100_000_000)).toBe(2);
  });

  it("lets each key of the keyring be tried once for nothing, for a few hundred keys", () => {
    const own = Array.from({ length: 1_000 }, () => key(1_000));
    const effort = new Effort(new Set(own));
    const tried = own.filter((one) => effort.verification(one, 0) === null).length;
    expect(tried).toBe(256 + MAX_EFFORT / 1_000);
    const again = new Effort(new Set(own));
    expect(own.slice(0, 8).every((one) => again.verification(one, 0) === null)).toBe(true);
    expect(own.slice(0, 8).every((one) => again.verification(one, 0) === null)).toBe(true);
    expect(again.verification(own[0]!, 0)).not.toBeNull();
  });

  it("is the same for cached answers, in any order", () => {
    const own = [key(700), key(900)];
    const path = (effort: Effort): void => {
      effort.take(5);
      for (const one of own) effort.verification(one, 0);
      effort.verification(key(100), 0);
    };
    const first = new Effort(new Set(own));
    first.verification(own[1]!, 0);
    const { mark } = first;
    path(first);
    const cost = first.since(mark);
    for (const count of [1, 3, 4, 5, 6]) {
      const fresh = new Effort(new Set(own));
      const repeated = new Effort(new Set(own));
      for (let turn = 0; turn < count; turn++) {
        path(fresh);
        repeated.repeat(cost);
      }
      expect(repeated.mark).toEqual(fresh.mark);
      expect(repeated.spent).toBe(fresh.spent);
    }
  });
});
