import { describe, expect, it } from "vitest";
import { engineCode } from "../../support/engines.js";
import { blob, Guest, link } from "../../support/guest.js";

const ENDLESS = blob("return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);");
const LIMITS = { steps: 50_000, timeout: 10_000 };

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

  it("does not go on without end, and the next decision is right", { tags: ["deep"] }, () => {
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
  it("takes the same steps in a module that is new and in one that is not", { tags: ["deep"] }, () => {
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

/** Bodies that fill the engine's tables of names and layouts, or move its blocks of memory. */
const FILLING: Readonly<Record<string, string>> = {
  "makes names": "const o = {}; for (let i = 0; i < 5000; i++) o['n' + i] = i;",
  "makes names and deletes them":
    "const o = {}; for (let i = 0; i < 4000; i++) { o['d' + i] = 1; delete o['d' + (i - 1)]; }",
  "makes names in JSON":
    "const o = {}; for (let i = 0; i < 3000; i++) o['q' + i] = [i]; JSON.parse(JSON.stringify(o));",
  "makes symbols": "const all = []; for (let i = 0; i < 5000; i++) all.push(Symbol('s' + i));",
  "makes layouts": "const all = []; for (let i = 0; i < 400; i++) all.push({ ['a' + i]: 1, ['b' + i]: 2 });",
  "makes prototypes": "const all = []; for (let i = 0; i < 2000; i++) all.push(Object.create({ i }));",
  "makes functions and classes":
    "const all = []; for (let i = 0; i < 3000; i++) all.push(() => i, class { x = i; }, function f() {});",
  "fills maps": "const all = new Map(); for (let i = 0; i < 5000; i++) all.set('k' + i, i);",
  "sorts texts": "const all = []; for (let i = 0; i < 5000; i++) all.push('v' + ((i * 7919) % 5000)); all.sort();",
  "enlarges texts": "let all = ''; for (let i = 0; i < 5000; i++) all += 'ab' + i;",
  "keeps objects and throws":
    "const all = []; for (let i = 0; i < 900; i++) all.push({ i, text: 'x' + i }); throw new Error(all.length);",
};
const AMPLE = { ...LIMITS, steps: 1_000_000, memory: 32 * 1024 * 1024 };
const filling = (what: string) => link(blob(`${FILLING[what]} return 0;`));

describe.each(Object.keys(FILLING))("a policy that %s", (what) => {
  it("takes exactly the same steps in a runtime that is new, and in one that is not", { tags: ["deep"] }, () => {
    const steps = new Guest().ask(filling(what), { limits: AMPLE }).steps;
    // beyond what is free
    expect(steps).toBeGreaterThan(2 * 900);
    const used = new Guest();
    for (const other of Object.keys(FILLING)) used.ask(filling(other), { limits: AMPLE });
    for (let i = 0; i < 5; i++) expect(used.ask(filling(what), { limits: AMPLE }).steps).toBe(steps);
  });
});

describe("work in a table of the engine that a policy makes slow is charged", () => {
  /** 4,096 names with equal hash values: the hash is 263 times that of the text before, plus the character. */
  const NAMES = `let names = [""];
    for (let i = 0; i < 12; i++)
      names = names.flatMap((name) => [name + "\\u0201\\u0200", name + String.fromCharCode(0x200, 0x200 + 263)]);`;

  it("for names with equal hash values", { tags: ["deep"] }, () => {
    const takes = (body: string) => {
      const { fault, steps } = new Guest().ask(link(blob(`${NAMES} const o = {}; ${body} return 0;`)), {
        limits: AMPLE,
      });
      return [fault?.code ?? null, steps] as const;
    };
    const [, alone] = takes("for (const name of names) o.n = name;");
    const [plain] = takes("for (const name of names) o[name.length + name.charCodeAt(0)] = 1;");
    const [fault, steps] = takes("for (const name of names) o[name] = 1;");
    expect([plain, fault === "OUT_OF_STEPS" || steps > 10 * alone]).toEqual([null, true]);
  });

  it("and memory for them, so that a table cannot grow without end", () => {
    const body = "const all = []; for (let i = 0; ; i++) all.push(Symbol());";
    const outcome = new Guest().ask(link(blob(`${body} return 0;`)), {
      limits: { ...AMPLE, steps: 100_000_000, memory: 2 ** 20 },
    });
    expect(outcome.fault?.code).toBe("OUT_OF_MEMORY");
  });
});
