import { describe, expect, it } from "vitest";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { linkPolicy } from "../../../../src/policy/linker/linker.js";
import { eraseTypes } from "../../../../src/policy/syntax/erase-types.js";
import { type LinkLimits, LinkTime } from "../../../../src/policy/syntax/link-time.js";
import { Guest, link, rejection } from "../../../support/guest.js";

const HOOK = "export const blob_verify = () => 0;";
/** Two lines before, so that a place is not right by chance; `é` and `𝒳` are wider or longer in other encodings. */
const HEAD = `const text = "é𝒳日";\n/* 日 */\t`;

const rejectionOf = (text: string, file = "policy.ts") => rejection({ [file]: text });

const linkWithin = (limits: LinkLimits, text: string) =>
  linkPolicy("policy.ts", { read: () => text, hookNames: HOOK_NAMES, root: "", limits });

/** What is rejected stands at `§`. */
const CODE: Readonly<Record<string, readonly string[]>> = {
  "has an `enum`": [
    "§enum E { A }",
    "§const enum E { A = 1 }",
    "export §enum E { A }",
    "export §const enum E { A }",
    "function f() { §enum E { A } }",
    "§enum E {}",
  ],
  "has a `namespace` or `module`": [
    "§namespace N { closed = true; }",
    "§namespace N { export const a = 1; }",
    "§namespace N.M { const a = 1 }",
    "export §namespace N { export const a = 1; }",
    "§namespace N {}",
    "§namespace N { type X = 1 }",
    "export §namespace N.M { export interface X {} }",
    "interface A { namespace: string }\n/* namespace B { */ §namespace N { }",
    "type A = 1; {0;} §namespace N {} namespace M {}",
    "namespace\nN {}",
    "§module M { const a = 1 }",
    "§module M {}",
  ],
  "has a parameter property": [
    "class A { constructor(private §x: number) {} }",
    "class A { constructor(public §x = 1) {} }",
    "class A { constructor(protected §x) {} }",
    "class A { constructor(readonly §x: number) {} }",
    "class B {} class A extends B { constructor(override §x: number) { super(); } }",
    "class A { constructor(a, private readonly §x: number) {} }",
  ],
  "has an `import … =`": ['§import x = require("./x.js");', "§import x = a.b;", "§export import x = a.b;"],
  "has an `export =`": ["§export = 1;"],
  "has a type assertion `<T>x`": [
    "const x = §<number>y;",
    "const x = { a: §<any>y };",
    "for (const x of §<any>[]) ;",
    "function f() { return (§<any>\n1); }",
    "const x = §<{ a: 1 }>y;",
  ],
  "has a type assertion `<const>x`": ['const x = §<const>["a"];'],
  "has a decorator": [
    "§@d class A {}",
    "class A { §@d x = 1 }",
    "class A { §@d() m() {} }",
    "class A { m(§@d x) {} }",
    "§@d() export class A {}",
  ],
  "has an `accessor` field": ["class A { accessor §x = 1 }", "class A { static accessor §#x = 1 }"],
  "has a `using` declaration": ["{ using §x = y; }"],
  "has an `export as namespace`": ["export §as namespace X;"],
};

describe("a construct of TypeScript that is code is rejected, with its place and what to write", () => {
  const cases = Object.entries(CODE).flatMap(([message, texts]) => texts.map((text) => [text, message] as const));
  it.each(cases)("%s", (marked, message) => {
    const text = marked.replace("§", "");
    const line = marked.slice(0, marked.indexOf("§")).split("\n").length + 1;
    const column =
      (HEAD + marked)
        .slice(0, (HEAD + marked).indexOf("§"))
        .split("\n")
        .at(-1)!.length + 1;
    const found = rejectionOf(`${HEAD}${text}\n${HOOK}`);
    expect(found).toMatchObject({
      code: "POLICY_FORBIDDEN",
      message: `${message}, which generates code and is not only a type`,
      remedy: expect.stringMatching(/^(use|move|declare|write|call) /),
    });
    expect(found?.place).toBe(`policy.ts:${marked.includes("§") ? `${line}:${column}` : "2:9"}`);
  });

  it.each([
    "§declare\nlet closed = true;",
    "§declare // here\nlet closed = true;",
    "§declare /*\n*/ let closed = true;",
    "export const a = 1; §declare\n\nfunction f() { }",
    "§declare\nclass A { x = 1 }",
    "§declare\ntype X = 1;",
    "interface A {\n  /** declare\n */ a: 1;\n declare\n b: 2 }\n§declare\nconst b = 1;",
  ])("`declare` alone on a line, which the stripper and tsc read differently: %j", (marked) => {
    const [before] = marked.split("§") as [string];
    const text = marked.replace("§", "");
    // a declaration without a body is erased, and one with a body may be rejected by the stripper
    const found = rejectionOf(`${text}\n${HOOK}`);
    expect(found?.code).toMatch(/^POLICY_(FORBIDDEN|SYNTAX)$/);
    if (found?.code === "POLICY_SYNTAX") return;
    expect(found?.message).toBe("has `declare` at the end of a line, which can be read in two ways");
    expect(found?.place).toBe(`policy.ts:${before.split("\n").length}:${before.split("\n").at(-1)!.length + 1}`);
  });

  it("the word `declare` at the end of a line of a comment or a type is nothing to reject", () => {
    const text = `/** We declare\n * a type. */\ninterface A {\n  /** declare\n */\n  declare\n  a: [declare\n, 1];\n}\n${HOOK}`;
    expect(link({ "policy.ts": text }).hooks).toEqual(["blob_verify"]);
  });

  it("JSX is not TypeScript of a .ts file", () => {
    expect(rejectionOf(`const x = <div/>;\n${HOOK}`)).toMatchObject({ code: "POLICY_SYNTAX", place: "policy.ts:1:16" });
  });

  it("in a file that is imported, too", () => {
    try {
      link({
        "policy.ts": `import "./other.ts";\n${HOOK}`,
        "other.ts": "let closed = false;\nnamespace N { closed = true }",
      });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "POLICY_FORBIDDEN", place: "other.ts:2:1" });
    }
  });
});

/** A type of each kind, in each place, with the program that is left; `~` is a space that replaces a character. */
const TYPES: readonly (readonly [string, string])[] = [
  ["declare enum E { A }", "~"],
  ["declare const enum E { A }", "~"],
  ["declare namespace N { const a: number; namespace M { } }", "~"],
  ["declare global { const a: number }", "~"],
  ['declare module "x" { const a: number }', "~"],
  ["declare const a: number;", "~"],
  ["declare function f(): void;", "~"],
  ["interface I { namespace: string; a?: 1; (b: 2): 3; new (c: 4): 5; readonly [k: string]: any }", "~"],
  [`type T<U> = U extends infer V ? { [K in keyof V]?: V[K] } : \`a$\{string}\`;`, "~"],
  ['import type { A } from "./a.ts";', "~"],
  ['import type A from "./a.ts";', "~"],
  ["export type { };", "~"],
  ["const a: number = 1;", "const a~ = 1;"],
  ["const a = 1 as unknown as string;", "const a = 1~;"],
  ["const a = { b: 1 } satisfies object;", "const a = { b: 1 }~;"],
  ["const a = [1]!, b = a![0]!;", "const a = [1]~, b = a~[0]~;"],
  ["const a = [1] as const;", "const a = [1]~;"],
  ["function f(this: any, a?: number, ...b: any[]): asserts a is number {}", "function f(~a~, ...b~)~{}"],
  ["function f(a: 1): void;\nfunction f(a: any) {}", "~\nfunction f(a~) {}"],
  ["const f = <T,>(a: T): T => a;", "const f = ~(a~)~=> a;"],
  ["const f = (\na: T\n)\n: T => a;", "const f = (\na~\n~\n~) => a;"],
  ["const a = f<number>(1), b = new C<string>(), c = f<1>;", "const a = f~(1), b = new C~(), c = f~;"],
  [
    "abstract class A<in out T> implements B { abstract m(): void; declare a: 1; b!: 2; c?: 3; readonly d = 4 }",
    "~class A~{~b~; c~;~d = 4 }",
  ],
  [
    "class A { private a = 1; protected static b = 2; public constructor(c: 3); constructor(d?: any) {} [k: string]: 5 }",
    "class A {~a = 1;~static b = 2;~constructor(d~) {}~}",
  ],
  ["class A extends B<C> { override m() {} }", "class A extends B~{~m() {} }"],
  ["const e: 'é日𝒳' = 'é日𝒳' as any; // é", "const e~= 'é日𝒳'~; // é"],
];

describe("a type is replaced by spaces", () => {
  it.each(TYPES)("%s", (text, expected) => {
    const policy = `${text}\n${HOOK}`;
    const erased = eraseTypes("policy.ts", policy, new LinkTime("policy.ts"));
    expect(erased).toHaveLength(policy.length);
    // an arrow function's `)` goes to the line of its `=>`, and a `;` may end a statement
    for (let at = 0; at < policy.length; at++) if (erased[at] !== policy[at]) expect(" );").toContain(erased[at]);
    const escaped = expected.split("~").map((part) => part.replace(/[^\w\n ]/g, "\\$&"));
    expect(erased.slice(0, text.length)).toMatch(new RegExp(`^${escaped.join("[ \n;)]*")}\\s*$`));
  });

  it("and the places of the remaining code stay the same", () => {
    const policy = `type A = "é𝒳日";\nconst f = (a: A): number => { throw new Error(a as string); };
export function blob_verify(blob: { name: string }): number {
  const b: "é" = "é" as const; return f(b as any)!;
}`;
    const { fault } = new Guest().ask(link({ "policy.ts": policy }));
    expect(fault).toMatchObject({ code: "POLICY_ERROR", place: "policy.ts:2:46" });
  });
});

describe("an import of a type that does not say so", () => {
  it.each([
    ["countersign", "Program"],
    ["./other.ts", "Rule"],
  ])("from %s is an error that names the remedy", (from, name) => {
    const files = { "policy.ts": `\nimport { ${name} } from "${from}";\n${HOOK}`, "other.ts": "export type Rule = 1;" };
    expect(() => link(files)).toThrow(
      expect.objectContaining({
        code: "POLICY_UNKNOWN_NAME",
        place: expect.stringMatching(/^policy.ts:2:/),
        remedy: expect.stringContaining("write `import type` if it is a type"),
      }),
    );
  });
});

describe("erasing has a limit of time", () => {
  /** Each level doubles the parser's time. */
  const SLOW: Readonly<Record<string, (depth: number) => string>> = {
    "type assertions": (depth) => `const q = ${"<T>(0, ".repeat(depth)}1${")".repeat(depth)};`,
    "defaults of generic functions": (depth) => `const q = ${"<T>(b, a = ".repeat(depth)}1${")".repeat(depth)};`,
    "async generic calls": (depth) => `const q = ${"async<T>(b, a = ".repeat(depth)}1${")".repeat(depth)};`,
    "conditional arrow functions": (depth) => `const q = ${"a ? (b) : c => (".repeat(depth)}1${")".repeat(depth)};`,
  };

  it.each(["<T>(", "<T>( ", "<T>(a = ", "<T, U>(", "<T>(a=", "async <T>(a = ", "<\nT>\n("])(
    "%j nested 9 times is rejected without trying, and 8 times is not",
    (open) => {
      const text = (depth: number) => `\nconst q = ${open.repeat(depth)}1${")".repeat(depth)};\n${HOOK}`;
      expect(() => linkWithin({ least: 0, perKiB: 0 }, text(9))).toThrow(
        expect.objectContaining({ code: "POLICY_FORBIDDEN", message: "nests `<T>(` more than 8 levels deep" }),
      );
      expect(() => link({ "policy.ts": text(8) })).not.toThrow(expect.objectContaining({ message: /8 levels deep/ }));
      expect(rejectionOf(text(9))?.place).toBe(`policy.ts:2:${open.startsWith("async") ? 17 : 11}`);
    },
  );

  it.each(Object.keys(SLOW))(
    "%s that nest without end are rejected, and the next file is not",
    { tags: ["deep"] },
    (name) => {
      const text = `${SLOW[name]!(60)}\n${HOOK}`;
      expect(() => linkWithin({ least: 150, perKiB: 0 }, text)).toThrow(
        expect.objectContaining({
          code: "POLICY_TOO_LARGE",
          message: "takes more than 150 ms to link",
          place: "policy.ts",
          remedy: expect.stringContaining("nest less"),
        }),
      );
      expect(link({ "policy.ts": `const a: number = 1;\n${HOOK}` }).hooks).toEqual(["blob_verify"]);
    },
  );
});
