import { describe, expect, it } from "vitest";
import { engineCode } from "../../../src/sandbox/engine.js";
import { blob, Guest, link } from "../../support/guest.js";

const ENDLESS = blob("return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);");
const LIMITS = { steps: 50_000, wall: 10_000 };

/** Bodies whose natives take steps as `blob.n` says. */
const BUSY: Readonly<Record<string, string>> = {
  "looks through an array-like": `Array.prototype.includes.call({ length: blob.n }, 1); return 0;`,
  "makes a text": `"ab".repeat(blob.n); return 0;`,
  "looks for a pattern": `/^(a+)+$/.test("a".repeat(Math.log2(blob.n)) + "!"); return 0;`,
  "raises large integers": `3n ** BigInt(blob.n); return 0;`,
  sorts: `Array.from({ length: blob.n >> 5 }, (_, i) => (i * 7919) % 10007).sort(); return 0;`,
};

describe.each(["quickjs", "quickjs-ng"] as const)("a native on %s", (name) => {
  const guest = new Guest({ code: engineCode(name) });

  it("does not go on without end, and the next decision is right", () => {
    const next = blob("return -13;");
    for (let i = 0; i < 3; i++) {
      expect(guest.ask(next).verdict).toBe(-13);
      expect(guest.ask(ENDLESS, { limits: LIMITS })).toEqual({
        verdict: null,
        fault: {
          code: "OUT_OF_STEPS",
          message: "used more than its 50000 steps",
          place: "policy.js",
        },
        reason: null,
        unusedReasons: [],
        notes: [],
        answers: [],
        harmful: true,
        steps: 50_000,
      });
    }
  });

  it("may do as much more as it has more steps", () => {
    const text = blob(BUSY["makes a text"]!);
    const takes = (n: number, steps: number) =>
      guest.ask(text, {
        subject: { name: "b", n },
        limits: { ...LIMITS, steps, memory: 64 * 1024 * 1024 },
      }).fault?.code ?? null;
    expect([takes(6e5, 50_000), takes(6e5, 100_000), takes(1.2e6, 100_000)]).toEqual([
      "OUT_OF_STEPS",
      null,
      "OUT_OF_STEPS",
    ]);
  });
});

describe.each(Object.keys(BUSY))("a policy that %s", (what) => {
  it("takes the same steps in a module that is new and in one that is not", () => {
    const policy = link(blob(BUSY[what]!));
    const limits = { ...LIMITS, memory: 64 * 1024 * 1024 };
    const ends = (guest: Guest, n: number) =>
      guest.ask(policy, { subject: { name: "b", n }, limits }).fault?.code ?? null;
    let [fits, not] = [1, 2 ** 30];
    while (not / fits > 1.01) {
      const middle = Math.sqrt(not * fits);
      if (ends(new Guest(), Math.round(middle)) === null) fits = middle;
      else not = middle;
    }
    expect(not).toBeLessThan(2 ** 29);
    const used = new Guest();
    for (let i = 0; i < 20; i++) ends(used, 1000);
    expect(ends(used, Math.round(fits * 0.95))).toBeNull();
    expect(ends(used, Math.round(not * 1.05))).toBe("OUT_OF_STEPS");
  });
});
