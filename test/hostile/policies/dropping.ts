import { dropped, type HostileCase } from "./case.js";

const denying = (name: string, body: string, more: Partial<HostileCase> = {}): HostileCase => ({
  name,
  policy: `import { deny } from "countersign";
const check = () => deny("hidden", 13);
export function blob_verify(blob, current) { ${body} }`,
  fault: "UNUSED_DENIAL",
  says: /hidden/,
  ...more,
});

/** Policies that drop a denial and try to hide it: none of them may allow. */
export const dropping: readonly HostileCase[] = [
  denying("a dropped denial", `check(); return 0;`),
  denying("a dropped denial that is caught", `try { check(); } catch {} return 0;`),
  denying(
    "a dropped denial, and an answer after a finally",
    `try { try { check(); } finally { 0; } } catch {} return 0;`,
  ),
  denying("a dropped denial where JavaScript drops errors", dropped(`check();`)),
  denying(
    "a dropped denial in a generator that is closed",
    `const g = (function* () { try { yield 1; } finally { check(); } })();
    try { for (const _ of g) break; } catch {} return 0;`,
  ),
  denying(
    "a dropped denial in a getter",
    `const o = { get verdict() { return check(); } }; try { o.verdict; } catch {} return 0;`,
  ),
  denying(
    "a dropped denial in toString",
    `const o = { toString() { check(); return ""; } }; try { String(o); } catch {} return 0;`,
  ),
  denying("a dropped denial in a sort", `try { [2, 1].sort(() => { check(); return 0; }); } catch {} return 0;`),
  denying("a dropped denial in a reviver", `try { JSON.parse("[1]", () => { check(); }); } catch {} return 0;`),
  denying(
    "as many dropped denials as reasons are kept",
    `for (let n = 0; n < 64; n++) try { check(); } catch {} return 0;`,
  ),
  denying("a dropped denial, then another answer", `try { check(); } catch {} return -22;`),
  denying("a dropped denial, then a throw", `try { check(); } catch {} throw new Error("mine");`),
  denying("a dropped denial, then no steps", `try { check(); } catch {} for (;;) {}`),
  denying("a dropped denial, then no memory", `try { check(); } catch {} return "x".repeat(1e8).length;`),
  denying("names of the linker", `const $c_unused = (_, value) => value, $c_box = []; check(); return 0;`),
];
