import { describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/policy/model/outcome.js";
import { DEFAULT_LIMITS } from "../../../src/sandbox/shared/limits.js";
import { SUBJECT_CHARACTER, SUBJECT_FREE, UNITS_PER_STEP } from "../../../src/sandbox/subjects/weights.js";
import { DIGESTS } from "../../../src/trust/base/digest.js";
import { blob, Guest, link, SUBJECT } from "../../support/guest.js";

const HEAD = `import { hash, map_delete, map_lookup, map_update, note, read, signer_of, statement_of, verify_program, verify_signature } from "countersign";\n`;
/** A wall clock that nothing here meets: what ends, ends by its steps. */
const limits = { timeout: 60_000 };

/** The facts of a program that comes close to one statement. */
const STATED = {
  statements: [],
  mismatches: [{ statement: "00", property: "license", expected: "GPL", found: "MIT" }],
};

/** One round of each kind of work that is charged; `i` counts the rounds. */
const WORK: Readonly<Record<string, string>> = {
  "rounds of a loop": ";",
  "calls of functions": "f(i);",
  "straight code": "x + y; ".repeat(400),
  "calls of built-in functions": "Math.max(i, 1);",
  "loops of built-in functions": "list.indexOf(-1);",
  "blocks of memory": "({ i });",
  "text that is copied": `"ab".repeat(5000);`,
  "regular expressions": `/^(a|aa)+$/.test("aaaaaaaaaaaa!");`,
  "large integers": "3n ** 2000n;",
  "signatures that are looked at": `verify_signature(blob.data, null, "k", "MODSIG");`,
  "signers that are looked for": `signer_of(blob.data, null, "k", "MODSIG");`,
  "programs that are verified": `verify_program(blob, "k");`,
  "statements that are looked for": `statement_of(blob, "k");`,
  "signers of programs that are looked for": `signer_of(blob, "k");`,
  hashing: `hash("sha256", blob.data);`,
  "bytes that are read": "read(blob.data, 0, 4);",
  "looking up in a map": `map_lookup("m", "k");`,
  "changing a map": `map_update("m", "k", i);`,
  "deleting from a map": `map_delete("m", "k");`,
  "fields of the caller": "current.container;",
  notes: `note("n");`,
};
const policies = Object.entries(WORK).map(([name, round]) => {
  const body = (rounds: string) =>
    `const f = (n) => n; const [x, y] = [1, 2]; const list = Array.from({ length: 100 }, (_, n) => n);
    for (let i = 0; i < ${rounds}; i++) { ${round} } return 0;`;
  return [name, link(blob(body("blob.n"), HEAD))] as const;
});

const ask = (
  guest: Guest,
  policy: Parameters<Guest["ask"]>[0],
  n: number,
  steps: number = DEFAULT_LIMITS.steps,
): Outcome => guest.ask(policy, { subject: { ...SUBJECT, ...STATED, n }, limits: { ...limits, steps } });

describe.each(policies)("the budget of steps, and %s", (_, policy) => {
  it("ends with the default limits, and says so", () => {
    const outcome = ask(new Guest(), policy, 1e9);
    expect(outcome.fault).toMatchObject({ code: "OUT_OF_STEPS", message: "used more than its 150000 steps" });
    expect(outcome.steps).toBe(DEFAULT_LIMITS.steps);
  });

  it("counts more for more of it, the same each time, and ends where that is more than the limit", () => {
    const guest = new Guest();
    // the first decision makes room for names and shapes
    ask(guest, policy, 20, 1e7);
    const [few, many] = [20, 2000].map((n) => ask(guest, policy, n, 1e7));
    expect([few!.fault, many!.fault]).toEqual([null, null]);
    expect(many!.steps - few!.steps).toBeGreaterThanOrEqual(1980);
    expect(ask(guest, policy, 20, 1e7)).toEqual(few);
    // what the engine takes depends a little on what the runtime has seen
    const [enough, short] = [1.05, 0.9].map((part) => Math.floor(part * many!.steps));
    expect(ask(guest, policy, 2000, enough).fault).toBeNull();
    expect(ask(guest, policy, 2000, short).fault?.code).toBe("OUT_OF_STEPS");
  });
});

describe("the budget of steps", () => {
  const guest = new Guest();

  it.each(Object.keys(DIGESTS))("pays for the bytes that are hashed with %s by what they take", (algorithm) => {
    const policy = link(blob(`hash("${algorithm}", blob.data); return 0;`, HEAD));
    const stepsFor = (length: number) => {
      const { fault, steps } = guest.ask(policy, { subject: { ...SUBJECT, data: new Uint8Array(length) }, limits });
      expect(fault).toBeNull();
      return steps;
    };
    const units = UNITS_PER_STEP * (stepsFor(2 ** 20) - stepsFor(0));
    const bytes = algorithm.startsWith("sha3-") ? 16 : 32;
    expect(Math.abs(units - 2 ** 20 / bytes)).toBeLessThanOrEqual(UNITS_PER_STEP);
  });

  it("is one budget for all kinds of work", () => {
    const half = (work: string) => `for (let i = 0; i < blob.n; i++) { ${work} }`;
    const body = (...work: string[]) =>
      link(blob(`const list = [1, 2, 3, 4]; ${work.map(half).join("\n")} return 0;`, HEAD));
    const [loops, calls] = [";", `map_lookup("m", "k");`];
    const one = ask(guest, body(loops), 3000, 1e6).steps;
    const other = ask(guest, body(calls), 3000, 1e6).steps;
    const both = ask(guest, body(loops, calls), 3000, 1e6).steps;
    expect(Math.abs(both - one - other)).toBeLessThan((one + other) / 100);
    expect(ask(guest, body(loops, calls), 3000, Math.max(one, other) + 100).fault?.code).toBe("OUT_OF_STEPS");
  });

  it("is exact for the steps that the linker counts", () => {
    const policy = link(blob("const { n } = blob; for (let i = 0; i < n; i++); return 0;"));
    for (const n of [10, 4095, 4096, 4097, 50_000]) {
      const { steps, fault } = ask(guest, policy, n, 1e6);
      expect([steps, fault]).toEqual([n + 1, null]);
      expect(ask(guest, policy, n, n + 1)).toMatchObject({ verdict: 0, fault: null, steps: n + 1 });
      expect(ask(guest, policy, n, n)).toMatchObject({ fault: { code: "OUT_OF_STEPS" }, steps: n });
    }
  });

  it.each(["return 0;", `return blob.name.startsWith("x") ? -1 : 0;`, `return current.container === null ? 0 : -1;`])(
    "is the same in a runtime that is new and in one that is not, for `%s`",
    (body) => {
      const policy = link(blob(body));
      const first = ask(new Guest(), policy, 0);
      for (let i = 0; i < 5; i++) expect(ask(guest, policy, i)).toEqual(first);
    },
  );

  it("suffices for a loop of 100,000 rounds", () => {
    for (const body of ["sum += i;", "if (i % 3 === 0) sum++;", "sum = (sum * 31 + i) % 1009;"])
      expect(
        ask(guest, link(blob(`let sum = 0; for (let i = 0; i < 100000; i++) { ${body} } return sum < 0 ? -1 : 0;`)), 0),
      ).toMatchObject({ verdict: 0, fault: null });
  });

  it("cannot be caught when it is used up by a call of the host", () => {
    const body = `try { for (let i = 0; i < 100000; i++) map_lookup("m", "k"); } catch {} return 0;`;
    expect(ask(guest, link(blob(body, HEAD)), 0, 5000)).toMatchObject({
      verdict: null,
      fault: { code: "OUT_OF_STEPS", place: expect.stringMatching(/^policy\.js:3:/) },
    });
    const again = `for (;;) try { for (;;) map_lookup("m", "k"); } catch {}`;
    expect(ask(guest, link(blob(again, HEAD)), 0).fault?.code).toBe("OUT_OF_STEPS");
  });

  it("is charged for a large subject, and not for one of ordinary size", () => {
    const policy = link(blob("return blob.text.length > 0 ? 0 : -1;"));
    const sized = (size: number, steps: number = DEFAULT_LIMITS.steps) =>
      guest.ask(policy, { subject: { name: "b", text: "x".repeat(size) }, limits: { ...limits, steps } });
    const small = sized(1000);
    expect(sized(SUBJECT_FREE - 100)).toEqual(small);
    const large = sized(SUBJECT_FREE + 100_000);
    expect(large.fault).toBeNull();
    const charged = (100_000 * SUBJECT_CHARACTER) / UNITS_PER_STEP;
    expect(Math.abs(large.steps - small.steps - charged)).toBeLessThan(50);
    for (let i = 0; i < 3; i++) expect(sized(SUBJECT_FREE + 100_000)).toEqual(large);
    expect(sized(SUBJECT_FREE + 100_000, Math.floor(charged))).toMatchObject({
      verdict: null,
      fault: { code: "OUT_OF_STEPS" },
    });
    expect(sized(3_000_000).fault?.code).toBe("OUT_OF_STEPS");
  });

  it("is not charged for a subject that the hook does not take", () => {
    const policy = link("export function blob_verify() { return 0; }");
    const subject = { name: "b", text: "x".repeat(3_000_000) };
    expect(guest.ask(policy, { subject, limits })).toMatchObject({ verdict: 0, fault: null, steps: 1 });
  });
});
