import { describe, expect, it } from "vitest";
import { VOCABULARY } from "../../../../src/engine/load/vocabulary.js";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { neverMatches } from "../../../../src/policy/checks/never-matches.js";
import { checkFacts } from "../../../../src/policy/checks/unknown-facts.js";
import { checkMembers } from "../../../../src/policy/checks/unknown-members.js";
import { assemble } from "../../../../src/policy/linker/assemble.js";
import { linkPolicy } from "../../../../src/policy/linker/linker.js";
import { configuredNames } from "../../../../src/policy/linker/names.js";
import { SUBJECTS } from "../../../../src/policy/model/facts.gen.js";
import { LinkTime } from "../../../../src/policy/syntax/link-time.js";
import { hookParameters } from "../../../../src/policy/units/fact-flow.js";
import { readUnits } from "../../../../src/policy/units/units.js";
import { link } from "../../../support/guest.js";

type Files = Readonly<Record<string, string>>;

const HOOK = "export const blob_verify = () => 0;";
const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join("");
const file = (text: string) => ({ "policy.js": `${text}\n${HOOK}` });
const typed = (text: string) => ({ "policy.ts": `let a: any, f: any;\n${text}\n${HOOK}` });

/** Policies of so many parts; each was quadratic in them, or is close to something that was. */
const FAMILIES: Readonly<Record<string, (parts: number) => Files>> = {
  "calls on lines of their own, in TypeScript": (parts) => typed(times(4 * parts, () => "f=a\n(a)\n")),
  "indexes on lines of their own, in TypeScript": (parts) => typed(times(4 * parts, () => "a\n[0]\n")),
  "`arguments`": (parts) => file(`function f() { ${times(parts, () => "arguments;")} }`),
  "functions, and `arguments` after them": (parts) =>
    file(`${times(parts, (i) => `function f${i}(){}`)} function f() { ${times(parts, () => "arguments;")} }`),
  "names of maps": (parts) =>
    file(`import { map_lookup as m } from "countersign";\n${times(parts, () => `m("a", "b");\n`)}`),
  "aliases of aliases that are never read": (parts) =>
    file(`let a0 = 1; ${times(parts, (i) => `let a${i + 1} = a${i};`)}`),
  "calls whose value is dropped": (parts) => file(`const f = () => 0; ${times(parts, () => "f();\n")}`),
  "names of maps in one expression": (parts) =>
    file(`import { map_lookup as m } from "countersign"; m(${times(Math.min(parts, 2000), () => `"a" ?? `)}"b", "c");`),
  "imports of one file": (parts) => ({ ...file(times(parts, () => `import "./other.js";`)), "other.js": "" }),
  "exports by declaration": (parts) => ({
    ...file(`import * as other from "./other.js";`),
    "other.js": times(parts, (i) => `export const a${i} = 1;`),
  }),
  "exports by a list": (parts) => ({
    ...file(`import * as other from "./other.js";`),
    "other.js": `const ${times(parts, (i) => `a${i} = 1, `)} z = 1; export { ${times(parts, (i) => `a${i}, `)} }`,
  }),
  "imports by name": (parts) => ({
    ...file(`import { ${times(parts, (i) => `a${i}, `)} } from "./other.js";`),
    "other.js": times(parts, (i) => `export const a${i} = 1;`),
  }),
  "variables of one scope": (parts) => file(times(parts, (i) => `let a${i};`)),
  "functions of one scope": (parts) => file(times(parts, (i) => `function a${i}(){}`)),
  "variables of one function": (parts) => file(`function f() { ${times(parts, (i) => `var a${i};`)} }`),
  "names within one pattern": (parts) => file(`const [${times(parts, (i) => `[a${i}], `)}] = [];`),
  "names that the linker would take": (parts) => file(times(parts, (i) => `let $c${i};`)),
  "one name like those that the linker would take": (parts) => file(`let $${"c".repeat(parts * 8)};`),
  "escapes in strings": (parts) => file(times(parts, () => `0, "\\n";`)),
  comments: (parts) => file(times(parts, () => `/* é */ 1; // <!--\n`)),
  "reads of facts": (parts) => ({
    "policy.js": `export function blob_verify(blob, current) { ${times(parts, () => "blob.name;")} return 0; }`,
  }),
  "copies of facts": (parts) => ({
    "policy.js": `export function blob_verify(blob, current) { ${times(parts, (i) => `const a${i} = { ...blob };`)} return 0; }`,
  }),
  "members of a namespace": (parts) => ({
    ...file(`import * as lib from "./lib.js"; ${times(parts, (i) => `lib.a${i};`)}`),
    "lib.js": times(parts, (i) => `export const a${i} = 1;`),
  }),
  "aliases of a namespace": (parts) =>
    file(`import * as a0 from "countersign"; ${times(parts, (i) => `const a${i + 1} = a${i}; a${i + 1}.deny;`)}`),
  "members of members of a namespace": (parts) =>
    file(`import * as c from "countersign"; ${times(parts / 60, () => `c.deny${".length".repeat(60)};`)}`),
  "aliases of a fact": (parts) => ({
    "policy.js": `export function blob_verify(a0) { ${times(parts, (i) => `const a${i + 1} = a${i};`)} return 0; }`,
  }),
  "comparisons that never match": (parts) => ({
    "policy.js": `export function bpf_prog_load(prog) { ${times(parts, () => `prog.type === "kprobes";`)} return 0; }`,
  }),
  "dropped calls": (parts) => file(`const f = () => 0; ${times(parts, () => "f();")}`),
  "calls of an alias": (parts) =>
    file(
      `import { deny } from "countersign"; const d = deny; function f(x) { ${times(parts, () => "x = d('x');")} return x; }`,
    ),
  "private names": (parts) =>
    file(`class A { ${times(parts, (i) => `#a${i};`)} m() { ${times(parts, (i) => `this.#a${i};`)} } }`),
};

/** Microseconds of CPU that linking takes, without what QuickJS adds: the least of several tries. */
function timeOf(files: Files): number {
  const work = () => {
    const [entry] = Object.keys(files);
    const options = { read: (path: string) => files[path]!, root: "" };
    const units = readUnits(entry!, options, new LinkTime(entry!));
    units.flatMap(configuredNames);
    const hooks = [...units.at(-1)!.exports.keys()];
    assemble(units, hooks, new Set());
    checkMembers(units);
    checkFacts(hookParameters(units, hooks, SUBJECTS));
    neverMatches(units, hooks, VOCABULARY);
  };
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

describe("the time to link grows no faster than the policy", () => {
  // 8 times the parts take 8 times as long, and took 64 times as long where it was quadratic
  it.each(Object.keys(FAMILIES))("with %s", { tags: ["deep"] }, (name) => {
    const family = FAMILIES[name]!;
    const small = timeOf(family(300));
    expect(timeOf(family(2400)) / small).toBeLessThan(32);
  });
});

describe("the files of a policy", () => {
  const graph = (count: number, last: string): Files => ({
    "policy.js": `${times(count - 2, (i) => `import "./f${i}.js";`)}import "./z.js";\n${HOOK}`,
    ...Object.fromEntries(Array.from({ length: count - 2 }, (_, i) => [`f${i}.js`, ""])),
    "z.js": last,
  });

  it("can be 64, of which one is imported twice", () => {
    expect(link(graph(64, `import "./f0.js"; import "./f1.js";`)).hooks).toEqual(["blob_verify"]);
  });

  it("cannot be 65", () => {
    expect(() => link(graph(65, `import "./f0.js";`))).toThrow(
      expect.objectContaining({ code: "POLICY_FORBIDDEN", message: "is made of more than 64 files" }),
    );
  });

  it("export at most 4096 names with `export *`", () => {
    const chain = (length: number): Files => ({
      ...file(`import { a1 } from "./f${length}.js"; import * as all from "./f1.js";`),
      "f0.js": times(100, (i) => `export const a${i}=1;`),
      ...Object.fromEntries(Array.from({ length }, (_, i) => [`f${i + 1}.js`, `export * from "./f${i}.js";`])),
    });
    expect(link(chain(40)).hooks).toEqual(["blob_verify"]);
    expect(() => link(chain(41))).toThrow(
      expect.objectContaining({
        code: "POLICY_TOO_LARGE",
        place: "f41.js:1:1",
        message: "exports more than 4096 names with `export *`",
      }),
    );
  });
});

describe("a policy that takes too long to link", () => {
  it("is rejected: the times of its files are added up", () => {
    const text = times(6000, (i) => `let a${i} = 1;\n`);
    const limits = { least: 1, perKiB: 0 };
    const read = (path: string) => (path === "policy.js" ? `import "./a.js"; import "./b.js";\n${HOOK}` : text);
    expect(() => linkPolicy("policy.js", { read, hookNames: HOOK_NAMES, root: "", limits })).toThrow(
      expect.objectContaining({
        code: "POLICY_TOO_LARGE",
        message: "takes more than 1 ms to link",
        place: "policy.js",
        remedy: expect.stringMatching(/^nest less deeply/),
      }),
    );
  });

  it("nested more deeply than the linker goes is an error with the file", () => {
    expect(() => link(file(`let a; a${".b".repeat(60_000)};`))).toThrow(
      expect.objectContaining({
        code: "POLICY_SYNTAX",
        place: "policy.js",
        message: expect.stringContaining("too deeply"),
      }),
    );
  });
});
