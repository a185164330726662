import type { RefusedCase } from "./case.js";

const hook = (body: string) => `export function blob_verify(blob) { ${body} return 0; }`;
const forbidden = (name: string, policy: string, place?: string): RefusedCase => ({
  name,
  policy,
  code: "POLICY_FORBIDDEN",
  ...(place && { place }),
});
const unknown = (name: string, policy: string): RefusedCase => ({ name, policy, code: "POLICY_UNKNOWN_NAME" });
const syntax = (name: string, policy: string): RefusedCase => ({ name, policy, code: "POLICY_SYNTAX" });

/** What acorn and QuickJS could read differently, and what would leave the decision. */
export const linking: readonly RefusedCase[] = [
  forbidden("top-level await", `await 0;\n${hook("")}`, "policy.js:1:1"),
  forbidden("an async hook", `export async function blob_verify() { return 0; }`, "policy.js:1:8"),
  forbidden("an async arrow", hook(`const f = async () => 0;`)),
  forbidden("an async method", hook(`const o = { async f() {} };`)),
  forbidden("an async generator", hook(`async function* f() {}`)),
  forbidden("`for await`", `for await (const x of []);\n${hook("")}`),
  forbidden("dynamic import", hook(`import("./x.js");`)),
  forbidden("import.meta", hook(`import.meta.url;`)),
  forbidden("an import of a package", `import fs from "node:fs";\n${hook("")}`, "policy.js:1:1"),
  forbidden("an import outside of the folder", `import { x } from "../secret.js";\n${hook("")}`),
  forbidden("an import by a path from the root", `import { x } from "/etc/passwd.js";\n${hook("")}`),
  forbidden("an import of what is no script", `import x from "./data.json";\n${hook("")}`),
  unknown("a name that the module does not have", `import { exec } from "countersign";\n${hook("")}`),
  unknown(
    "a name that the module does not have, of its namespace",
    `import * as c from "countersign";\n${hook("c.exec();")}`,
  ),
  forbidden("eval", hook(`eval("1");`)),
  forbidden("eval by another name", hook(`(0, eval)("1");`)),
  forbidden("`arguments` of the linker's function", `const x = arguments;\n${hook("")}`),
  forbidden("a directive that an engine might know", `"use math";\n${hook("")}`),
  forbidden("a directive that strips", hook(`"use strip";`)),
  forbidden("`debugger`", hook(`debugger;`)),
  forbidden("an error taken apart before it is looked at", hook(`try { f(); } catch ({ message }) { return 0; }`)),
  forbidden("a comment that only a script has", hook(`let x = 1, y = 2; x<!--y;`)),
  forbidden("a comment's end that only a script has", hook(`let x = 3;\nwhile (x-->0);`)),
  forbidden("a line separator", hook(`// \u2028 throw 1`)),
  forbidden("a paragraph separator in a string", hook(`const s = "\u2029";`)),
  forbidden("a byte order mark", `\ufeff${hook("")}`),
  forbidden("a text that runs from right to left", hook(`const s = "\u202e";`)),
  forbidden("a space that is none", hook(`const\u00a0x = 1;`)),
  forbidden("a space of zero width", hook(`const x\u200b = 1;`)),
  forbidden("NUL", hook(`const s = "\0";`)),
  forbidden("a lone surrogate", hook(`const s = "\ud800";`)),
  forbidden("a name with an escape", hook(`const \\u0062 = 1;`)),
  forbidden("a name of the linker's", hook(`const $default = 1;`)),
  syntax("a hashbang", `#!/usr/bin/env node\n${hook("")}`),
  syntax("a return outside of a function", `return 0;\n${hook("")}`),
  syntax("an end of the linker's function", `}})();\n${hook("")}`),
  syntax("`with`", hook(`with ({}) {}`)),
  syntax("an octal of old", hook(`const x = 010;`)),
  syntax("a regular expression that is none", hook(`/(/;`)),
  syntax("`using`", hook(`using x = null;`)),
  syntax("a decorator", `@x class A {}\n${hook("")}`),
  syntax("a text nested deep", hook(`const x = ${"[".repeat(20000)}${"]".repeat(20000)};`)),
  syntax("a hook twice", `${hook("")}\n${hook("")}`),
  {
    name: "a hook that is none",
    policy: `export function blob_verifi() { return 0; }`,
    code: "POLICY_UNKNOWN_HOOK",
    place: "policy.js:1:1",
  },
  {
    name: "a default export",
    policy: `export default function blob_verify() { return 0; }`,
    code: "POLICY_UNKNOWN_HOOK",
  },
  { name: "no hook", policy: `const x = 1;`, code: "POLICY_NO_HOOK" },
  { name: "nothing", policy: ``, code: "POLICY_NO_HOOK" },
];
