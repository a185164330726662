import { describe, expect, it } from "vitest";
import { Guest, link } from "../../../support/guest.js";

const policy = (statement: string) => `import { deny } from "countersign";
export function blob_verify(blob) {
${statement}
  return 0;
}
`;

/** Statements of a `finally` block, with what they replace: what the `try` block returns. */
const LEAVING: Readonly<Record<string, string>> = {
  return: 'try { return deny("no"); } finally { return 0; }',
  "return after catch": 'try { throw 1; } catch { return deny("no"); } finally { return 0; }',
  "return in a block": 'try { return deny("no"); } finally { if (blob) { return 0; } }',
  "return in a loop": 'try { return deny("no"); } finally { for (const one of [1]) return 0; }',
  "return in a try within": 'try { return deny("no"); } finally { try { return 0; } catch {} }',
  "return in a finally within a loop": 'for (const one of [1]) try { return deny("no"); } finally { return 0; }',
  throw: 'try { try { return deny("no"); } finally { throw 1; } } catch {}',
  "break of a loop around": 'for (;;) try { return deny("no"); } finally { break; }',
  "break of a switch around": 'switch (1) { case 1: try { return deny("no"); } finally { break; } }',
  "break to a label around": 'here: try { return deny("no"); } finally { break here; }',
  "break to a label around, out of a loop within": 'here: try { return deny("no"); } finally { for (;;) break here; }',
  "break to a label that a function within has, too":
    'here: try { return deny("no"); } finally { (() => { here: for (;;) break here; })(); break here; }',
  "break out of a finally within a loop within":
    'for (;;) try { return deny("no"); } finally { for (;;) try {} finally { break; } break; }',
  continue: 'for (const one of [1]) try { return deny("no"); } finally { continue; }',
  "continue in a switch within":
    'for (const one of [1]) try { return deny("no"); } finally { switch (1) { case 1: continue; } }',
  "continue to a label around":
    'here: for (const one of [1]) try { return deny("no"); } finally { for (;;) continue here; }',
};

/** Statements of a `finally` block that end at its end. */
const STAYING: Readonly<Record<string, string>> = {
  "a statement": 'try { return deny("no"); } finally { blob.name; }',
  "break of a loop within": 'try { return deny("no"); } finally { for (;;) break; }',
  "break of a switch within": 'try { return deny("no"); } finally { switch (1) { case 1: break; } }',
  "break to a label within": 'try { return deny("no"); } finally { here: { break here; } }',
  "continue of a loop within": 'try { return deny("no"); } finally { for (const one of [1]) continue; }',
  "continue to a label within":
    'try { return deny("no"); } finally { here: for (const one of [1]) for (;;) continue here; }',
  "return of a function within": 'try { return deny("no"); } finally { (() => { return 0; })(); }',
  "throw of a function within": 'try { return deny("no"); } finally { const f = () => { throw 1; }; if (!blob) f(); }',
  "a method's return": 'try { return deny("no"); } finally { ({ m() { return 0; } }).m(); }',
  "a return in the try block of a loop": 'for (;;) { try { return deny("no"); } finally {} }',
};

describe("a statement that leaves a `finally` block is rejected", () => {
  it.each(Object.entries(LEAVING))("%s", (_, statement) => {
    const jumps = [...statement.matchAll(/return 0|throw 1;? }|break|continue/g)].map(({ index }) => index + 1);
    let error: unknown;
    try {
      link(policy(statement));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: "POLICY_FORBIDDEN",
      message: "leaves a `finally` block, which replaces what the `try` block returns",
      place: expect.stringMatching(/^policy\.js:3:\d+$/),
    });
    expect(jumps).toContain(Number((error as { place: string }).place.split(":")[2]));
  });
});

describe("a denial that a `try` block returns is the verdict if the `finally` block ends at its end", () => {
  const guest = new Guest();
  it.each(Object.entries(STAYING))("%s", (_, statement) => {
    expect(guest.ask(policy(statement))).toMatchObject({ verdict: -1, fault: null });
  });
});

it("a chain that is nested too deeply for a walk is rejected, with a `finally` as without", { tags: ["deep"] }, () => {
  const deep = (length: number) => policy(`try {} finally { blob${".a".repeat(length)}; }`);
  let outcomes = "";
  for (let length = 500; length <= 64_000; length *= 2) {
    try {
      link(deep(length));
      outcomes += "linked ";
    } catch (error) {
      expect(error).toMatchObject({ code: "POLICY_SYNTAX" });
      outcomes += "rejected ";
    }
  }
  expect(outcomes).toMatch(/^(linked )+(rejected )+$/);
});
