import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { arrowCandidates } from "../../../../src/policy/linker/arrow-functions.js";
import { isStateless } from "../../../../src/policy/linker/stateless.js";
import { LinkTime } from "../../../../src/policy/syntax/link-time.js";
import { readSource } from "../../../../src/policy/syntax/source.js";
import { Guest } from "../../../support/guest.js";

const judge = (text: string) => {
  const source = readSource("policy.js", text, new LinkTime("policy.js"));
  return isStateless(source, arrowCandidates(source, HOOK_NAMES));
};
const hook = "export const blob_verify = () => 0;";

describe("a policy's file", () => {
  it.each([
    ["a hook that is an arrow function", hook],
    ["a hook that is made one", "export function blob_verify(blob) { return 0; }"],
    ["two hooks", `${hook} export const bpf_prog_load = () => blob_verify();`],
    ["a function that is called", `const f = (n) => (n > 0 ? f(n - 1) : 0); export const blob_verify = () => f(3);`],
    ["a function that is called if it is there", `const f = () => 0; export const blob_verify = () => f?.();`],
    ["constants that are primitive", `const A = 1, B = "x", C = null, D = true, E = 1n; ${hook}`],
    ["an import of the virtual module", `import { deny, EPERM } from "countersign"; ${hook}`],
    [
      "what a function makes when it is called",
      `export const blob_verify = () => { class A {} return /x/g.lastIndex; };`,
    ],
  ])("has no memory with %s", (_, text) => {
    expect(judge(text)).toBe(true);
  });

  it.each([
    ["a variable", `let n = 0; ${hook}`],
    ["a list", `const A = []; ${hook}`],
    ["a regular expression", `const A = /x/g; ${hook}`],
    ["a text that is put together", "const A = `x`; export const blob_verify = () => 0;"],
    ["an object taken apart", `const { A } = Math; ${hook}`],
    ["a class", `class A {} ${hook}`],
    ["a generator", `export function* blob_verify() {}`],
    ["a function with a prototype", `function f() {} ${hook}`],
    ["a function expression", `const f = function () {}; ${hook}`],
    ["a hook that names itself", `export function blob_verify() { blob_verify.n = 1; return 0; }`],
    ["a hook that is a value", `export const blob_verify = () => { blob_verify.n = 1; return 0; };`],
    ["a hook that asks for `this`", `export function blob_verify() { return this ? 0 : -1; }`],
    ["a function that is a value", `const f = () => 0; export const blob_verify = () => [1].map(f)[0];`],
    ["a function that is a property's value", `const f = () => 0; export const blob_verify = () => ({ f }).f();`],
    ["a function that is a tag", "const f = () => 0; export const blob_verify = () => f`x`;"],
    ["a function that is exported by a name", `const f = () => 0; export { f as blob_verify };`],
    ["a statement that runs", `note("x"); ${hook}`],
    ["a call", `const n = Math.abs(1); ${hook}`],
    ["an import of a file", `import { f } from "./f.js"; export { f as blob_verify } from "./f.js";`],
  ])("may have memory with %s", (_, text) => {
    expect(judge(text)).toBe(false);
  });

  it("is one that ships", () => {
    const folder = fileURLToPath(new URL("../../../../policies/", import.meta.url));
    for (const name of [
      "allow-unsigned-tc",
      "container-lockdown",
      "hash-allow-list",
      "optional-signature",
      "verify-all",
    ])
      expect(judge(readFileSync(`${folder}${name}.js`, "utf8")), name).toBe(true);
  });

  it("has the same places and the same steps, with state and without", () => {
    const guest = new Guest();
    const body = `const f = (n) => (n > 0 ? f(n - 1) : blob.name.x.y);\n return f(3);`;
    const [without, with_] = ["", "let memory = [];"].map((head) =>
      guest.ask(`${head}\nexport const blob_verify = (blob) => {\n${body} };`),
    );
    expect(without).toEqual(with_);
    expect(without).toMatchObject({ steps: 5, fault: { code: "POLICY_ERROR", place: "policy.js:3:49" } });
  });
});
