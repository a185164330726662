// @module-tag deep
/**
 * What a policy sees when any one of its allocations fails. The engine continues with an exception then, in code that
 * few programs ever run: each end must be OUT_OF_MEMORY, and no trap may show that the engine used freed memory.
 */
import { describe, expect, it } from "vitest";
import { SHAPE } from "../../src/policy/domain.js";
import { Module } from "../../src/sandbox/quickjs/module.js";
import { Runtime } from "../../src/sandbox/runtime.js";
import { EncodedSubjects } from "../../src/sandbox/subjects/encoded-subjects.js";
import { blob, FUNCTIONS, link, SUBJECT } from "../support/guest.js";
import { drawing, SHARE } from "../support/share.js";
import { task } from "../task.js";

const LIMITS = { steps: 1_000_000, timeout: 600_000, memory: 8 * 1024 * 1024, stack: 128 * 1024 };
/** The difference of two budgets in bytes: the smallest block of the allocator. */
const STEP = 16;

/** Bodies of policies that allocate in many functions of the engine. */
const ACTS: Readonly<Record<string, string>> = {
  "errors that the engine throws": `let n = 0;
    const deep = (k) => { if (k === 0) null.x; deep(k - 1); };
    const fails = [() => deep(3), () => (1)(), () => new (class { constructor() { throw new RangeError("r" + n); } })(),
      () => "x".repeat(-1), () => JSON.parse("{"), () => new RegExp("("), () => Symbol() + "", () => new Array(-1)];
    for (const fail of fails) try { fail(); } catch (e) { n += String(e.stack).length; }
    return n > 0 ? 0 : -1;`,
  "errors in callbacks of the engine": `let n = 0;
    const fails = [() => [1, 2].map(() => null.x), () => [2, 1].sort(() => { throw new TypeError("t" + n); }),
      () => "ab".replace("a", () => null.x), () => JSON.stringify({ toJSON() { null.x; } }),
      () => new Map([[1, 2]]).forEach(() => null.x), () => Array.from({ length: 2 }, () => null.x)];
    for (const fail of fails) try { fail(); } catch (e) { n += String(e.stack).length; }
    return n > 0 ? 0 : -1;`,
  texts: `let s = ""; for (let i = 0; i < 40; i++) s += i + "\\u0100";
    return s.split("1").join("2").toUpperCase().padEnd(300, "ab").replaceAll("2", "xyz").slice(3) === "" ? -1 : 0;`,
  arrays: `const a = Array.from({ length: 30 }, (_, i) => 30 - i); a.sort((x, y) => x - y);
    const b = [...a, ...a].map(String).filter((x) => x !== "3").flatMap((x) => [x, x]); b.splice(3, 5, "q");
    return b.concat(a).reverse().includes("zz") ? -1 : 0;`,
  objects: `const o = {}; for (let i = 0; i < 20; i++) o["k" + i] = { i, get g() { return i; } };
    const { k1, ...rest } = o; for (const k in rest) delete rest[k]; return Object.entries(o).length === 20 ? 0 : -1;`,
  collections: `const m = new Map(); const s = new Set(); for (let i = 0; i < 20; i++) { m.set("k" + i, i); s.add({ i }); }
    for (const [k] of m) m.delete(k); return m.size + s.size === 20 ? 0 : -1;`,
  "JSON text": `const o = JSON.parse('{"a":[1,2,{"b":"c\\u0100"}],"d":1e5}');
    return JSON.stringify([o, o, "x".repeat(50)], null, 2) === "" ? -1 : 0;`,
  "regular expressions": `const r = /(a+)(?<n>b)?c/gu; let n = 0; for (const m of "aabc abc ac".matchAll(r)) n += m.length;
    return "aabc".replace(r, (x) => x + n) === "" ? -1 : 0;`,
  classes: `class A { #p = [1]; static s = new A(); get p() { return this.#p; } }
    class B extends A { q = super.p.concat(2); } return new B().q.length === 2 ? 0 : -1;`,
  generators: `function* g(n) { for (let i = 0; i < n; i++) yield { i }; } let n = 0; for (const { i } of g(20)) n += i;
    const [a, ...b] = g(20); return b.length === 19 && n === 190 ? 0 : -1;`,
  "large integers": `let n = 1n; for (let i = 1n; i < 60n; i++) n *= i; return String(n) === "" ? -1 : 0;`,
  "functions and closures": `const fs = []; for (let i = 0; i < 20; i++) fs.push((...a) => a.length + i);
    return fs.reduce((n, f) => n + f(...fs), 0) > 0 ? 0 : -1;`,
  "calls of the host": `let n = 0;
    for (let i = 0; i < 10; i++) { map_update("m", "k" + i, { i, t: "x".repeat(i) }); n += String(map_lookup("m", "k" + i)).length; }
    return hash("sha256", blob.data) === "" || n === 0 ? -1 : 0;`,
  denials: `const d = []; for (let i = 0; i < 20; i++) d.push(i); return deny("a reason " + d.join());`,
};
const HELPERS = `import { deny, hash, map_lookup, map_update } from "countersign";\n`;

/** A policy in runtimes of one module, which is replaced where the sandbox would replace it. */
class Asked {
  #module = new Module();
  #runtime: Runtime | null = null;
  readonly #source: string;

  constructor(body: string) {
    this.#source = link(blob(body, HELPERS)).source;
  }

  /** How a decision ends that may take so many bytes, and whether the engine trapped. */
  with(memory: number): { readonly stop: string | null; readonly verdict: number; readonly trapped: boolean } {
    const shape = { ...SHAPE, keyrings: [] };
    this.#runtime ??= new Runtime(this.#module, this.#source, LIMITS, shape, new EncodedSubjects([]));
    const runtime = this.#runtime;
    const { stop, verdict } = runtime.ask(0, SUBJECT, { ...task() }, { ...LIMITS, memory }, FUNCTIONS);
    const trapped = this.#module.broken;
    if (runtime.mustDiscard) this.#discard(runtime);
    return { stop, verdict, trapped };
  }

  /** The least of the budgets with which the policy decides. Its decision may need less in a used runtime. */
  enough(): number {
    let memory = STEP;
    while (this.with(memory).stop !== null) memory *= 2;
    return memory;
  }

  #discard(runtime: Runtime): void {
    this.#runtime = null;
    if (this.#module.broken || !runtime.dispose()) this.#module = new Module();
  }
}

const draw = drawing();

describe(`a policy of which any allocation fails, ${SHARE}`, () => {
  it.each(Object.entries(ACTS))("runs out of memory, and the engine does not trap: %s", (_, body) => {
    const asked = new Asked(body);
    const enough = asked.enough();
    const decided = asked.with(enough);
    expect(decided).toMatchObject({ stop: null, trapped: false });
    const budgets = Array.from({ length: enough / STEP }, (_, index) => index * STEP);
    for (const memory of draw(budgets)) {
      const end = asked.with(memory);
      if (end.stop !== null) expect({ memory, ...end }).toEqual({ memory, stop: "memory", verdict: 0, trapped: false });
      else expect(end).toEqual(decided);
    }
  });
});
