import { describe, expect, it } from "vitest";
import { SHAPE } from "../../../../src/policy/domain.js";
import { BUFFER_POINTER } from "../../../../src/sandbox/quickjs/memory.js";
import { Module } from "../../../../src/sandbox/quickjs/module.js";
import { patchWasm } from "../../../../src/sandbox/quickjs/wasm-patch.js";
import { Runtime } from "../../../../src/sandbox/runtime.js";
import { BUDGET } from "../../../../src/sandbox/shared/buffer-layout.js";
import { EncodedSubjects } from "../../../../src/sandbox/subjects/encoded-subjects.js";
import { engineCode } from "../../../support/engines.js";
import { blob, FUNCTIONS, Guest, link } from "../../../support/guest.js";
import { shareOf } from "../../../support/share.js";
import { task } from "../../../task.js";

const LIMITS = { steps: 10_000_000, timeout: 10_000, memory: 1024 * 1024 };
const LARGE = { ...LIMITS, memory: 8 * LIMITS.memory };
const sized = (n: number) => ({ name: "blob", n });

/** Bodies that need memory as `blob.n` says. */
const GREED: Readonly<Record<string, string>> = {
  "a text": `"x".repeat(blob.n); return 0;`,
  "an array": `new Array(blob.n >> 3).fill(0); return 0;`,
  "many small objects": `const all = []; for (let i = 0; i < blob.n / 64; i++) all.push([i]); return 0;`,
  "objects that refer to themselves": `const all = []; for (let i = 0; i < blob.n / 200; i++) { const o = {}; o.o = o; all.push(o); } return 0;`,
};
const GARBAGE = link(blob(`for (let i = 0; i < 2000; i++) { const o = { s: "x".repeat(100) }; o.o = o; } return 0;`));
const FRAGMENTS = link(
  blob(`const all = [], o = {}; for (let i = 0; i < 5000; i++) all.push("x".repeat(500) + i);
  for (let i = 0; i < 500; i++) o["k" + i] = i; return 0;`),
);
const LARGE_TEXT = link(blob(`"x".repeat(7e6); return 0;`));

describe.each(Object.keys(GREED))("a policy that needs memory for %s", (what) => {
  const policy = link(blob(GREED[what]!));
  const code = (guest: Guest, n: number) =>
    guest.ask(policy, { subject: sized(n), limits: LIMITS }).fault?.code ?? null;
  const times = (guest: Guest, count: number, ask: (guest: Guest) => void) => {
    for (let i = 0; i < count; i++) ask(guest);
  };
  /** What a module has been through before. */
  const PASTS: Readonly<Record<string, (guest: Guest) => void>> = {
    "has just been made": () => {},
    "has answered it before": (guest) => times(guest, 5, () => code(guest, 1000)),
    "has had more memory before": (guest) => times(guest, 5, () => guest.ask(LARGE_TEXT, { limits: LARGE })),
    "is in pieces": (guest) => times(guest, 5, () => guest.ask(FRAGMENTS, { limits: LARGE })),
    "is littered by it": (guest) => times(guest, 9, () => code(guest, 500_000)),
    "is littered by others": (guest) => times(guest, 9, () => guest.ask(GARBAGE, { limits: LARGE })),
  };

  let [fits, not] = [0, 16 * LIMITS.memory];
  while (not - fits > 1024) {
    const middle = (fits + not) >> 1;
    if (code(new Guest(), middle) === null) fits = middle;
    else not = middle;
  }

  it.each(Object.keys(PASTS))("runs out of it at the same point in a module that %s", { tags: ["deep"] }, (past) => {
    for (const [share, expected] of [
      [0.995, null],
      [1.005, "OUT_OF_MEMORY"],
    ] as const) {
      const guest = new Guest();
      PASTS[past]!(guest);
      expect(code(guest, Math.round(fits * share)), `${share} of ${fits}`).toBe(expected);
    }
  });
});

describe("a runtime", () => {
  const encodedSubjects = new EncodedSubjects(SHAPE.withheld);
  const shape = { ...SHAPE, keyrings: [] };

  it("keeps no garbage that decisions leave", { tags: ["deep"] }, () => {
    const policy = link(blob(`for (let i = 0; i < 900; i++) { const o = { s: "x".repeat(999) }; o.o = o; } return 0;`));
    const module = new Module();
    const runtime = new Runtime(module, policy.source, { ...LARGE, stack: 128 * 1024 }, shape, encodedSubjects);
    const ask = () => runtime.ask(0, sized(0), { ...task() }, LARGE, FUNCTIONS).stop;
    for (let i = 0; i < 20; i++) expect(ask()).toBeNull();
    const { size } = module;
    for (let i = 0; i < shareOf(500); i++) expect(ask()).toBeNull();
    expect(module.size).toBe(size);
  });

  /** Bodies that leave something on objects that outlive the decision, or try to; `blob.n` is another one each time. */
  const LEAVING: Readonly<Record<string, string>> = {
    "private names on its own objects": `new (class { ${Array.from({ length: 500 }, (_, i) => `#f${i};`).join("")} })(); return 0;`,
    "entries of weak maps by what is frozen": `for (const key of [Math, blob, current, Array.prototype]) new WeakMap().set(key, "x".repeat(9e4)); return 0;`,
    "members of weak sets": `for (let i = 0; i < 300; i++) new WeakSet().add(Math).add(blob); return 0;`,
    "names of properties that no decision had before": `const o = {}; for (let i = 0; i < 2000; i++) o["k" + blob.n + "_" + i] = 1; return 0;`,
    symbols: `const o = {}; for (let i = 0; i < 2000; i++) o[Symbol("s" + blob.n)] = 1; return 0;`,
    "properties that cannot be set": `for (const o of [Math, blob, current, Array]) for (let i = 0; i < 500; i++) try { o["k" + blob.n + i] = 1; } catch {} return 0;`,
    "prototypes that cannot be set": `for (let i = 0; i < 500; i++) try { Object.setPrototypeOf(Math, { i }); } catch {} return 0;`,
    "objects that inherit from what is frozen": `for (let i = 0; i < 2000; i++) { const o = Object.create(blob); o["k" + i] = o; } return 0;`,
    "generators that did not end": `const g = []; for (let i = 0; i < 500; i++) { const it = (function* () { yield it; })(); it.next(); g.push(it); } return 0;`,
  };

  it.each(Object.keys(LEAVING))("keeps nothing of a decision that leaves %s", { tags: ["deep"] }, (what) => {
    const policy = link(blob(LEAVING[what]!));
    const module = new Module();
    const limits = { ...LARGE, memory: 2 * LIMITS.memory };
    const runtime = new Runtime(module, policy.source, { ...limits, stack: 128 * 1024 }, shape, encodedSubjects);
    const ask = (n: number) => runtime.ask(0, sized(n), { ...task() }, limits, FUNCTIONS);
    const first = ask(0);
    expect(first).toMatchObject({ stop: null, verdict: 0 });
    // the first decision makes room for names and shapes, which the engine takes steps for
    const same = { ...first, steps: expect.any(Number) };
    for (let i = 1; i < 40; i++) expect(ask(i)).toEqual(same);
    const { size } = module;
    const decisions = 40 + shareOf(360);
    for (let i = 40; i < decisions; i++) ask(i);
    expect(ask(decisions)).toEqual(same);
    expect(module.size).toBe(size);
  });

  it("does not give a decision the memory that the previous one still held", () => {
    const guest = new Guest();
    const policy = link(
      blob(
        `if (blob.n === 0) { for (let i = 0; i < 7; i++) verify_signature(blob.data, null, "k".repeat(1e5) + i, "PKCS7"); return 0; }
    "x".repeat(blob.n); return 0;`,
        `import { verify_signature } from "countersign";\n`,
      ),
    );
    const ask = (n: number) =>
      guest.ask(policy, { subject: { name: "blob", n, data: new Uint8Array(1) }, limits: LIMITS }).fault?.code;
    for (let i = 0; i < 3; i++) {
      expect(ask(0)).toBeUndefined();
      expect(ask(1.01 * LIMITS.memory)).toBe("OUT_OF_MEMORY");
    }
  });

  it("collects its garbage within a decision, and needs no memory for it", { tags: ["deep"] }, () => {
    const body = `for (let i = 0; i < 100000; i++) { const o = { s: "x".repeat(100) }; o.o = o; } return 0;`;
    expect(new Guest().ask(blob(body), { limits: LIMITS })).toMatchObject({ verdict: 0, fault: null });
  });
});

describe("an engine's code", () => {
  it("is rejected if it is not the build that the patches were made for", () => {
    const patch = { sha256: "00".repeat(32), inserts: [], edits: [] };
    expect(() => patchWasm(Buffer.from("\0asm"), patch, "engine.wasm")).toThrowError(
      expect.objectContaining({ code: "INTERNAL", place: "engine.wasm" }),
    );
  });

  it.each(["quickjs", "quickjs-ng"] as const)("counts the memory that %s allocates, and all of it is freed", (name) => {
    const module = new Module(engineCode(name));
    const budget = () => {
      const words = new Int32Array(module.memory.wasm.buffer);
      return words[words[BUFFER_POINTER >> 2]! / 4 + BUDGET]!;
    };
    const before = budget();
    const callbacks = { called: () => 0 as never, interrupted: () => false };
    const [runtime, context] = module.newContext({ stack: 128 * 1024 }, -1, callbacks);
    const taken = before - budget();
    expect(taken).toBeGreaterThan(50_000);
    expect(Math.abs(taken - module.freeContext(runtime, context))).toBeLessThan(2000);
  });
});
