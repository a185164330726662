import { describe, expect, it } from "vitest";
import type { CountersignError } from "../../../../src/error.js";
import { ENGINES, type EngineName, engineCode } from "../../../support/engines.js";
import { Guest, link } from "../../../support/guest.js";

const LIB = `import * as c from "countersign";
export const limit = 3, budget = (n) => n; export { c as codes }; export * as more from "./more.js"; export default 1;`;
const MORE = "export const depth = 1;";
const files = (policy: string) => ({ "policy.js": policy, "lib.js": LIB, "more.js": MORE });
const HEAD = `import * as c from "countersign"; import * as lib from "./lib.js";`;
const policy = (body: string) => files(`${HEAD}\nexport function blob_verify(blob) {\n${body}\n}`);

function rejected(source: Readonly<Record<string, string>>): CountersignError {
  try {
    link(source);
  } catch (error) {
    return error as CountersignError;
  }
  return expect.unreachable(`linked: ${source["policy.js"]}`);
}

const GUEST = "`countersign` does not have";
const OWN = "`lib.js` does not export";
const REST = "`more.js` does not export";

/** Bodies of a hook that name a member that does not exist: with the message, and the column. */
const UNKNOWN: readonly (readonly [body: string, message: string, column: number])[] = [
  ["return -c.EPRM;", `names \`EPRM\`, which ${GUEST} (did you mean \`EPERM\`?)`, 11],
  ["return c.toString ? 0 : -1;", `names \`toString\`, which ${GUEST}`, 10],
  ["return c.__proto__ ? 0 : -1;", `names \`__proto__\`, which ${GUEST}`, 10],
  ["return c[0] ? 0 : -1;", `names \`0\`, which ${GUEST}`, 10],
  ["return (blob ? c : c).EPRM;", `names \`EPRM\`, which ${GUEST} (did you mean \`EPERM\`?)`, 23],
  ["const { codes } = lib; return codes.EPRM;", `names \`EPRM\`, which ${GUEST} (did you mean \`EPERM\`?)`, 37],
  ["return lib.codes.EPRM;", `names \`EPRM\`, which ${GUEST} (did you mean \`EPERM\`?)`, 18],
  ["const { codes: { EPRM } } = lib; return EPRM;", `names \`EPRM\`, which ${GUEST} (did you mean \`EPERM\`?)`, 18],
  ["return lib.limt;", `names \`limt\`, which ${OWN} (did you mean \`limit\`?)`, 12],
  ["return lib?.budgt?.(1) ?? 0;", `names \`budgt\`, which ${OWN} (did you mean \`budget\`?)`, 13],
  ["return lib['limt'];", `names \`limt\`, which ${OWN} (did you mean \`limit\`?)`, 12],
  ["const { limt = 0 } = lib; return limt;", `names \`limt\`, which ${OWN} (did you mean \`limit\`?)`, 9],
  ["let x; ({ limt: x } = lib); return x;", `names \`limt\`, which ${OWN} (did you mean \`limit\`?)`, 11],
  ["return lib.hasOwnProperty('limit') ? 0 : -1;", `names \`hasOwnProperty\`, which ${OWN}`, 12],
  ["lib.added = 1; return 0;", `names \`added\`, which ${OWN}`, 5],
  ["return lib.more.dept;", `names \`dept\`, which ${REST} (did you mean \`depth\`?)`, 17],
  ["const { more: { dept } } = lib; return dept;", `names \`dept\`, which ${REST} (did you mean \`depth\`?)`, 17],
];

const KNOWN: readonly string[] = [
  "return c.EPERM === 1 && c['deny'] === c.deny && c.PKCS7 === 'PKCS7' ? 0 : -1;",
  "const { EPERM, ['ENOENT']: x } = c; return EPERM + x === 3 ? 0 : -1;",
  "return lib.limit + lib.budget(1) + lib.default + lib.more.depth === 6 && lib.codes.EPERM === 1 ? 0 : -1;",
  // names that the file asks for
  "return 'EFUTURE' in c ? -c.EFUTURE : 0;",
  "return Object.hasOwn(lib, 'later') ? lib.later : 0;",
  // what only looks like the namespace
  "return ((c) => c.EPRM)({ EPRM: 0 });",
  "let d = c; d = { EPRM: 0 }; return d.EPRM;",
  "return lib.limit.none === undefined && lib.limit.constructor === Number ? 0 : -1;",
  // a table of rules by a key that is computed
  "return lib['none' + ''] === undefined && lib[blob.name]?.() === undefined ? 0 : -1;",
];

/** Expressions that are true of the virtual module's namespace, as of any module's. */
const UNAFFECTED: readonly string[] = [
  "'EPERM' in c && !('EFUTURE' in c) && !('toString' in c) && !('constructor' in c)",
  "Object.hasOwn(c, 'deny') && !Object.hasOwn(c, 'EFUTURE')",
  "Object.keys(c).length > 30 && Object.entries(c).length === Object.keys(c).length && Object.isFrozen(c)",
  "(() => { let all = 0; for (const key in c) all++; return all; })() === Object.keys(c).length",
  "JSON.parse(JSON.stringify(c)).EPERM === 1 && c[Symbol.iterator] === undefined",
  "Object.getOwnPropertyDescriptor(c, 'EFUTURE') === undefined && typeof c === 'object' && c === c",
];

describe("a member of a namespace", () => {
  it.each(UNKNOWN)("that does not exist is an error at start: %s", (body, message, column) => {
    expect(rejected(policy(body))).toMatchObject({
      code: "POLICY_UNKNOWN_NAME",
      message,
      place: `policy.js:3:${column}`,
    });
  });

  it("that does not exist is an error in a file that the policy imports", () => {
    const source = { "policy.js": `import { x } from "./lib.js"; export const blob_verify = x;`, "lib.js": "" };
    source["lib.js"] = `import * as c from "countersign";\nexport const x = () => c.EPRM;`;
    expect(rejected(source)).toMatchObject({ code: "POLICY_UNKNOWN_NAME", place: "lib.js:2:26" });
  });

  it("that does not exist is an error as that of an import is", () => {
    for (const head of [`import { EPRM } from "countersign";`, `import { limt } from "./lib.js";`])
      expect(rejected(files(`${head}\nexport const blob_verify = () => 0;`)).code, head).toBe("POLICY_UNKNOWN_NAME");
  });

  it.each(KNOWN)("that exists, or that the policy tests for, is not reported: %s", (body) => {
    const linked = link(policy(body));
    expect(linked.warnings).toEqual([]);
    expect(new Guest().ask(linked)).toMatchObject({ verdict: 0, fault: null });
  });

  it.each([
    ["const all = { ...c }; return all.EPRM ?? 0;", 15],
    ["const { EPERM, ...all } = c; return all.EPRM ?? 0;", 16],
    ["return { ...lib.codes }.EPRM ?? 0;", 10],
  ])("is warned of if the namespace is copied: %s", (body, column) => {
    expect(link(policy(body)).warnings).toMatchObject([
      { code: "POLICY_COPIED_FACTS", place: `policy.js:3:${column}` },
    ]);
  });

  describe.each(Object.keys(ENGINES) as EngineName[])("on %s", (name) => {
    const guest = new Guest({ code: engineCode(name) });
    const ask = (body: string) => guest.ask(link(policy(body)));

    it("that does not exist is a fault with a suggestion, also where the text does not show it", () => {
      for (const body of [
        "return ((it) => it.EPRM ?? 0)(c);",
        "try { ((it) => it.EPRM)(c); } catch {} return 0;",
        "for (const { EPRM } of [c]) return EPRM ?? 0;",
        "return Object.create(c)['EP' + 'RM'] ?? 0;",
      ])
        expect(ask(body), body).toMatchObject({
          verdict: null,
          fault: {
            code: "UNKNOWN_FACT",
            message: expect.stringMatching(/^read the name `EPRM` of `countersign`, which does not exist/),
            place: expect.stringMatching(/^policy\.js:3:\d+$/),
          },
        });
      expect(ask("return ((it) => it.EPRM)(c);").fault?.message).toMatch(/\(did you mean `EPERM`\?\)$/);
    });

    it.each(UNAFFECTED)("is as that of any module: %s", (expression) => {
      expect(ask(`return (${expression}) === true ? 0 : -1;`)).toMatchObject({ verdict: 0, fault: null });
    });
  });
});
