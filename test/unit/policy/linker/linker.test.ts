import { describe, expect, it } from "vitest";
import type { CountersignError } from "../../../../src/error.js";
import { assemble } from "../../../../src/policy/linker/assemble.js";
import { LinkTime } from "../../../../src/policy/syntax/link-time.js";
import { readUnits } from "../../../../src/policy/units/units.js";
import { refusedByEngine } from "../../../../src/sandbox/quickjs/syntax.js";
import { Guest, link } from "../../../support/guest.js";

const guest = new Guest();
/** The type of an expression in which `x` is 0. */
const typeOf = (text: string) => typeof new Function(`let x = 0; return (${text});`)();
const verdictOf = (files: string | Readonly<Record<string, string>>) => {
  const { verdict, fault } = guest.ask(link(files));
  return fault?.message ?? verdict;
};
const refusalOf = (files: Readonly<Record<string, string>>) => {
  try {
    return link(files).hooks;
  } catch (error) {
    const { code, place, message } = error as CountersignError;
    return `${code} at ${place}: ${message}`;
  }
};

describe("statements stay apart where a declaration is taken out between them", () => {
  it.each([
    ["an import", `const v = f\nimport { note } from "countersign"\n(0, note)`],
    ["a list of exports", `const v = f\nexport { f as bpf }\n(0)`],
    ["an export of another file's", `const v = f\nexport { bpf_map } from "./other.js"\n[0]`],
    ["every export of another file", `const v = f\nexport * from "./other.js"\n\`x\``],
  ])("%s", (_, statements) => {
    const policy = `function f() { return -13; }\n${statements}
export const blob_verify = () => (v === f ? 0 : -13);`;
    expect(verdictOf({ "policy.js": policy, "other.js": "export const bpf_map = () => 0;" })).toBe(0);
  });

  it.each([
    ["function", "function () { return -13; }\n(1)"],
    ["class", "class {}\n[1]"],
    ["arrow function", "() => -13\n;[1]"],
    ["arrow function at the end", "() => -13"],
  ])("a default export that is a %s without a name", (_, exported) => {
    const policy = `import it from "./other.js"; export const blob_verify = () => (typeof it === "function" ? 0 : -13);`;
    expect(verdictOf({ "policy.js": policy, "other.js": `export default ${exported}` })).toBe(0);
  });

  it.each([
    ["a type behind `as`", "const v = f as unknown\n(0)"],
    ["an interface", "const v = f\ninterface X { a: number }\n(0)"],
    ["an alias", "const v = f\ntype X = {\n  a: number;\n}\n[0]"],
    ["an import of types", 'const v = f\nimport type { X } from "./other.js"\n`x`'],
    ["a declaration on the same line", "const v = f\ndeclare const x: number; (0)"],
  ])("and where %s was erased, they have to be kept apart", (_, statements) => {
    const policy = `function f() { return -13; }\n${statements}\nexport const blob_verify = () => 0;`;
    expect(refusalOf({ "policy.ts": policy })).toMatch(/^POLICY_FORBIDDEN at policy\.ts:\d+:\d+: begins a line with/);
  });

  it("a semicolon keeps them apart", () => {
    const policy = `const f = () => -13, v = f as unknown;\n(0)\nexport const blob_verify = () => (v === f ? 0 : -13);`;
    expect(verdictOf({ "policy.ts": policy })).toBe(0);
  });

  it("types elsewhere are no hindrance", () => {
    const policy = `interface X { a: number }
export function blob_verify(blob: { name: string }): number {
  const list: readonly number[] = [
    (1 as number),
    (2 as number),
  ];
  return list[0]!
    - (1 as number)
    + list.length
    - 2;
}`;
    expect(verdictOf({ "policy.ts": policy })).toBe(0);
  });
});

describe("a default export", () => {
  const FUNCTIONS = [
    "function () {}",
    "function it() {}",
    "function* () {}",
    "() => 0",
    "class {}",
    "class It {}",
    "class It { static it = It; }",
  ];
  const OTHERS = ["0", "1, 0", '"a", `b`', "{}", "[]", "/x/u", "x => x", "x", "x = 0", "x ? 0 : 1", "-x", "new Map()"];
  const WRAPPED: readonly ((text: string) => string)[] = [
    (text) => `(${text})`,
    (text) => `((${text}))`,
    (text) => `(\n${text}\n)`,
    (text) => `/* ( */ (${text}) // )`,
    (text) => `(${text});`,
    (text) => `(/* a */ ${text} /* b */)\n`,
  ];

  it.each([...FUNCTIONS, ...OTHERS])("can be in parentheses: %s", (text) => {
    for (const wrapped of WRAPPED) {
      const other = `let x = 0;\nexport default ${wrapped(text)}\nexport const after = 1;`;
      const policy = `import it, { after } from "./other.js"; export const blob_verify = () =>
        (after === 1 && typeof it === ${JSON.stringify(typeOf(text))} ? 0 : -13);`;
      expect(verdictOf({ "policy.js": policy, "other.js": other }), other).toBe(0);
      expect(verdictOf({ "policy.js": policy.replace("other.js", "other.ts"), "other.ts": other }), other).toBe(0);
    }
  });

  it.each(["export /* default ( */ default (0);", "export // default\n  default\n(0)", "export default(0)"])(
    "is found after its keyword: %s",
    (other) => {
      const policy = `import it from "./other.js"; export const blob_verify = () => it;`;
      expect(verdictOf({ "policy.js": policy, "other.js": other })).toBe(0);
    },
  );

  it("in parentheses declares no name", () => {
    const other = "const It = 1; export default (class It { static it = It; }); export { It };";
    const policy = `import it, { It } from "./other.js"; export const blob_verify = () => (It === 1 && it.it === it ? 0 : -13);`;
    expect(verdictOf({ "policy.js": policy, "other.js": other })).toBe(0);
  });
});

describe("what a file exports", () => {
  it("is distinguished by its name, however that is written", () => {
    const policy = `import { "\\u0024default" as a, "\\u0024c_default" as b } from "./other.js";
export const blob_verify = () => (a === 1 && b === 2 ? 0 : -13);`;
    const other = `const x = 1, y = 2; export { x as "\\u0024default", y as "\\u0024c_default" }`;
    expect(verdictOf({ "policy.js": policy, "other.js": other })).toBe(0);
  });

  it.each([
    ["function", "export function f() { return -13; } export function swap() { f = () => 0; }"],
    ["class", "export class f {} export function swap() { [f] = [1]; }"],
    ["default function", "export default function f() {} export function swap() { for (f of [1]); }"],
  ])("cannot be a %s that is assigned to: who imports it would not see that", (_, other) => {
    const policy = `import { swap } from "./other.js"; export const blob_verify = () => swap() ?? 0;`;
    expect(refusalOf({ "policy.js": policy, "other.js": other })).toMatch(
      /^POLICY_FORBIDDEN at other\.js:1:1: exports the variable `(f|default)`, which could change$/,
    );
  });
});

describe("`this`", () => {
  it.each([
    ["at the top of a policy", "const it = this; export const blob_verify = () => (it === undefined ? 0 : -13);"],
    ["in an arrow function", "export const blob_verify = () => (this === undefined ? 0 : -13);"],
    ["in a hook", "export function blob_verify() { return this === undefined ? 0 : -13; }"],
  ])("%s is undefined, as in any module", (_, policy) => {
    expect(verdictOf(policy)).toBe(0);
  });

  it("at the top of an imported file is undefined, too", () => {
    const policy = `import { it } from "./other.js"; export const blob_verify = () => (it === undefined ? 0 : -13);`;
    expect(verdictOf({ "policy.js": policy, "other.js": "export const it = this;" })).toBe(0);
  });
});

describe("a hook becomes an arrow function where nobody can tell", () => {
  it.each([
    ["a comment within its parameters", "function blob_verify(blob /* ) */, current, // )\n) { return 0; }"],
    ["a default that is in parentheses", "function blob_verify(blob, current, other = (0)) { return other; }"],
    ["its body on a line of its own", "function blob_verify()\n{\n  return 0;\n}\n(0)"],
    ["a comment before its parameters", "function blob_verify /* ( */ (blob) { return 0; }"],
  ])("%s", (_, hook) => {
    const { source } = link(`export ${hook}`);
    expect(source).toContain("const blob_verify");
    expect(source).not.toContain("function blob_verify");
    expect(verdictOf(`export ${hook}`)).toBe(0);
  });

  it.each([
    ["`this`", "function blob_verify() { return this === undefined ? 0 : -13; }"],
    ["`arguments`", "function blob_verify() { return arguments.length === 2 ? 0 : -13; }"],
    ["its own name", "function blob_verify() { return blob_verify.length; }"],
  ])("not if it uses %s", (_, hook) => {
    expect(link(`export ${hook}`).source).toContain("function blob_verify");
    expect(verdictOf(`export ${hook}`)).toBe(0);
  });
});

describe("what QuickJS is asked to compile when a policy is linked", () => {
  const other = "export const a = 1, b = () => 2; export default class { #x = 3; }";
  it.each<[string, Readonly<Record<string, string>>]>([
    ["one file", { "policy.js": "export const blob_verify = () => 0;" }],
    ["a file that remembers", { "policy.js": "let n = 0; export function blob_verify() { return n++; }" }],
    ["two files", { "policy.js": `import { a } from "./o.js"; export const blob_verify = () => a;`, "o.js": other }],
    [
      "a namespace",
      { "policy.js": `import * as o from "./o.js"; export const blob_verify = () => o.a;`, "o.js": other },
    ],
  ])("has every line of the policy where the text that runs has it: %s", (_, files) => {
    const entry = Object.keys(files)[0]!;
    const units = readUnits(entry, { read: (path) => files[path]!, root: "" }, new LinkTime(entry));
    const { text, trial } = assemble(units, ["blob_verify"], new Set());
    const lines = trial.split("\n");
    expect(lines).toHaveLength(text.split("\n").length);
    text.split("\n").forEach((line, index) => {
      // the first and the last line of a file can have something of the linker's around them
      if (!line.includes("$c_guest") && !line.startsWith(";")) expect(lines[index]).toBe(line);
    });
    expect([refusedByEngine(text), refusedByEngine(trial)]).toEqual([null, null]);
  });

  it.each(["/[/;", "/\\p{Nope}/u;", "({ a = 1 });", "1 = 2;", "for (;;", "'\\x'"])("is enough to reject %s", (text) => {
    for (const policy of [
      `${text}\nexport const blob_verify = () => 0;`,
      `export const blob_verify = () => { ${text} };`,
    ])
      expect(() => link(policy)).toThrow(expect.objectContaining({ code: "POLICY_SYNTAX" }));
  });
});
