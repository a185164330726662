import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { CountersignError } from "../../../../src/error.js";
import { HOOK_NAMES } from "../../../../src/hooks/catalogue.js";
import { type LinkedPolicy, linkPolicy } from "../../../../src/policy/linker/linker.js";

function link(source: string | Readonly<Record<string, string>>): LinkedPolicy {
  const files: Readonly<Record<string, string>> = typeof source === "string" ? { "p.js": source } : source;
  return linkPolicy(Object.keys(files)[0]!, { read: (path) => files[path]!, hookNames: HOOK_NAMES, root: "" });
}

function rejected(source: string | Readonly<Record<string, string>>): CountersignError {
  try {
    link(source);
  } catch (error) {
    return error as CountersignError;
  }
  return expect.unreachable(`linked: ${JSON.stringify(source)}`);
}

const load = (body: string) => `export function bpf_prog_load(prog, current) {\n${body}\n}`;

/**
 * Policies that read what does not exist: with the name, what has no such name, what was probably meant, and the place.
 */
const UNKNOWN: readonly (readonly [text: string, name: string, owner: string, meant: string, place: string])[] = [
  [load("return prog.efects ? -1 : 0;"), "efects", "Program", "effects", "p.js:2:13"],
  [load("return prog?.efects?.x ? -1 : 0;"), "efects", "Program", "effects", "p.js:2:14"],
  [load("return prog['efects'] ? -1 : 0;"), "efects", "Program", "effects", "p.js:2:13"],
  [load("return prog[`efects`] ? -1 : 0;"), "efects", "Program", "effects", "p.js:2:13"],
  [
    load("return (prog).effects\n.reads_kernal_memory ? -1 : 0;"),
    "reads_kernal_memory",
    "Effects",
    "reads_kernel_memory",
    "p.js:3:2",
  ],
  [load("return prog.helpers.lenght;"), "lenght", "an array", "length", "p.js:2:21"],
  [load("return prog.helpers.include('x') ? -1 : 0;"), "include", "an array", "includes", "p.js:2:21"],
  [load("return prog.maps[0].max_entrys;"), "max_entrys", "MapFacts", "max_entries", "p.js:2:21"],
  [load("return prog.statements[0]?.settigns;"), "settigns", "Statement", "settings", "p.js:2:28"],
  [
    load("return prog.statements.some(({ settings }) => settings.some((one) => one.valeu === 1)) ? -1 : 0;"),
    "valeu",
    "Setting",
    "value",
    "p.js:2:74",
  ],
  [
    `import { statement_of } from "countersign";
export const bpf_prog_load = (prog) => (statement_of(prog, "k")?.settings.some((one) => one.nmae === "pid") ? 0 : -1);`,
    "nmae",
    "Setting",
    "name",
    "p.js:2:93",
  ],
  [load("return prog.mismatches[0].propety;"), "propety", "Mismatch", "property", "p.js:2:27"],
  [load("return prog.insns.lenght;"), "lenght", "Bytes", "length", "p.js:2:19"],
  [load("return prog.name.lenght;"), "lenght", "a string", "length", "p.js:2:18"],
  [load("return prog.insn_cnt.toFixd();"), "toFixd", "a number", "toFixed", "p.js:2:22"],
  [load("return prog.object?.sha265;"), "sha265", "ObjectFile", "sha256", "p.js:2:21"],
  [load("return current.user === 0 ? 0 : -1;"), "user", "Current", "", "p.js:2:16"],
  [load("return current.container.lables.tier ? 0 : -1;"), "lables", "Container", "labels", "p.js:2:26"],
  [load("const { efects } = prog; return 0;"), "efects", "Program", "effects", "p.js:2:9"],
  [load("const { efects = {} } = prog; return 0;"), "efects", "Program", "effects", "p.js:2:9"],
  [load("const { effects: { redirect } } = prog; return 0;"), "redirect", "Effects", "redirects", "p.js:2:20"],
  [load("const { 'efects': x } = prog; return 0;"), "efects", "Program", "effects", "p.js:2:9"],
  [load("let x; ({ efects: x } = prog); return 0;"), "efects", "Program", "effects", "p.js:2:11"],
  [load("const [{ nmae }] = prog.maps; return 0;"), "nmae", "MapFacts", "name", "p.js:2:10"],
  [
    load("const { effects } = prog; return effects.redirect ? -1 : 0;"),
    "redirect",
    "Effects",
    "redirects",
    "p.js:2:42",
  ],
  [load("const all = prog.maps; return all[0].nmae ? -1 : 0;"), "nmae", "MapFacts", "name", "p.js:2:38"],
  [load("for (const map of prog.maps) if (map.nmae) return -1;\nreturn 0;"), "nmae", "MapFacts", "name", "p.js:2:38"],
  [load("for (const { nmae } of prog.maps) return -1;\nreturn 0;"), "nmae", "MapFacts", "name", "p.js:2:14"],
  [load("return prog.maps.some((map) => map.nmae) ? -1 : 0;"), "nmae", "MapFacts", "name", "p.js:2:36"],
  [load("return [1].every(() => prog.efects) ? -1 : 0;"), "efects", "Program", "effects", "p.js:2:29"],
  [load("return typeof prog.efects === 'object' ? 0 : -1;"), "efects", "Program", "effects", "p.js:2:20"],
  [
    "export function bpf_prog_load({ effects: { redirect } }) { return redirect ? -1 : 0; }",
    "redirect",
    "Effects",
    "redirects",
    "p.js:1:44",
  ],
  [
    "export const bpf_prog_load = ({ efects = {} }) => (efects.x ? -1 : 0);",
    "efects",
    "Program",
    "effects",
    "p.js:1:33",
  ],
  [
    "export const bpf_prog_load = (prog, { container: { lables } }) => (lables ? 0 : -1);",
    "lables",
    "Container",
    "labels",
    "p.js:1:52",
  ],
  [
    "const f = (prog) => (prog.efects ? -1 : 0);\nexport { f as bpf_prog_load };",
    "efects",
    "Program",
    "effects",
    "p.js:1:27",
  ],
  [
    "export const bpf_prog_load = function (prog = {}) { return prog.efects ? -1 : 0; };",
    "efects",
    "Program",
    "effects",
    "p.js:1:65",
  ],
  [
    "export function bpf_map_create(map) { return map.max_entrys > 9 ? -1 : 0; }",
    "max_entrys",
    "BpfMap",
    "max_entries",
    "p.js:1:50",
  ],
  [
    "export function bpf({ attach }) { return attach?.target?.nam === 'x' ? -1 : 0; }",
    "nam",
    "AttachTarget",
    "name",
    "p.js:1:58",
  ],
  ["export function bpf_token_create(token) { return token.nmae ? -1 : 0; }", "nmae", "Token", "name", "p.js:1:56"],
  [
    "export function kernel_read_file(file) { return file.parameter ? -1 : 0; }",
    "parameter",
    "File",
    "parameters",
    "p.js:1:54",
  ],
  [
    "export function blob_verify(blob) { return blob.singature ? -1 : 0; }",
    "singature",
    "Blob",
    "signature",
    "p.js:1:49",
  ],
  [
    `import { PKCS7, signer_of } from "countersign";
export const blob_verify = (blob) => (signer_of(blob.data, blob.signature, "k", PKCS7)?.subjct === "x" ? 0 : -1);`,
    "subjct",
    "Signer",
    "subject",
    "p.js:2:89",
  ],
  [
    `import * as c from "countersign";
export function blob_verify(blob) { const { keyid } = c.signer_of(blob.data, null, "k", c.MODSIG); return 0; }`,
    "keyid",
    "Signer",
    "key_id",
    "p.js:2:45",
  ],
];

/** Policies in which nothing is wrong, or nothing that the text shows. */
const LINKED: readonly string[] = [
  load("return 'efects' in prog && prog.efects ? -1 : 0;"),
  load("return Object.hasOwn(prog, 'efects') && prog.efects ? -1 : 0;"),
  load("return prog.hasOwnProperty('efects') && prog.efects ? -1 : 0;"),
  load("return prog.helpers.length > 3 && prog.helpers[3].startsWith('bpf') && prog.helpers['0'] ? -1 : 0;"),
  load("return prog.toString() + prog.helpers.map(String).join().lenght ? 0 : -1;"),
  load(
    "return current.namespaces.nett + current.container.labels.whatever + current.container.annotations['a/b'] ? 0 : -1;",
  ),
  load("prog = { efects: 1 }; return prog.efects ? -1 : 0;"),
  load("return [{ efects: 1 }].some((prog) => prog.efects) ? -1 : 0;"),
  load("const map = { nmae: 1 }; return prog.maps.some((map) => map.name) && map.nmae ? -1 : 0;"),
  load("{ const effects = prog.effects; } const other = { effects }; return other.efects ? 0 : -1;").replace(
    "export",
    "const effects = { redirect: 1 };\nexport",
  ),
  load("{ const effects = prog.effects; } return effects.redirect ? -1 : 0;").replace(
    "export",
    "const effects = { redirect: 1 };\nexport",
  ),
  load("const key = 'efects'; return key.length;"),
  load("let one = prog; for (one of [{ efects: 1 }]) if (one.efects) return -1; return 0;"),
  load("let one = prog; for (one in { a: 1 }) if (one.efects) return -1; return 0;"),
  `${load("return check({ efects: prog.effects });")}\nfunction check(prog) { return prog.efects ? -1 : 0; }`,
  "export const blob_verify = () => 0;",
  load("const [{ value }] = prog.statements[0].settings; return value.length ?? value.toFixed() ? -1 : 0;"),
  `import { signer_of } from "countersign";
export function blob_verify(blob) { const own = (signer_of) => signer_of().subjct; return own(() => ({ subjct: 0 })); }`,
  `import { PKCS7, signer_of } from "countersign";
export const blob_verify = (blob) => (signer_of(blob.data, blob.signature, "k", PKCS7)?.key_id.startsWith("0") ? 0 : -1);`,
];

const COPIES: readonly (readonly [body: string, place: string])[] = [
  ["const copy = { ...prog }; return copy.efects ? -1 : 0;", "p.js:2:16"],
  ["const { name, ...rest } = prog; return rest.efects ? -1 : 0;", "p.js:2:15"],
  ["const { effects: { redirects, ...rest } } = prog; return rest.x ? -1 : 0;", "p.js:2:31"],
  ["const copy = Object.assign({}, prog.effects); return copy.x ? -1 : 0;", "p.js:2:14"],
  ["const copy = JSON.parse(JSON.stringify(prog)); return copy.x ? -1 : 0;", "p.js:2:14"],
  ["const copy = JSON.parse(JSON.stringify(prog.maps)); return copy.x ? -1 : 0;", "p.js:2:14"],
  ["const copy = Object.fromEntries(Object.entries(current)); return copy.x ? -1 : 0;", "p.js:2:14"],
  ["const copies = prog.maps.map((map) => ({ ...map })); return copies[0].x ? -1 : 0;", "p.js:2:42"],
];

/** Copies of what is no object with facts. */
const NO_COPIES: readonly string[] = [
  "const all = [...prog.helpers, ...prog.kfuncs]; return all.length;",
  "const labels = { ...current.container.labels }; return labels.x ? -1 : 0;",
  "const { tier, ...others } = current.container.labels; return others.x ? -1 : 0;",
  "const one = { type: prog.type, ...{ a: 1 } }; return one.x ? -1 : 0;",
  "return JSON.stringify(prog).length > 10 && JSON.parse('{}').x ? -1 : 0;",
  "return Object.entries(prog.effects).filter(([, is]) => is).length;",
];

describe("a fact that the text of a policy reads", () => {
  it.each(UNKNOWN)("and that does not exist is an error at start: %s", (text, name, owner, meant, place) => {
    const error = rejected(text);
    expect(error.toString()).toContain("[POLICY_UNKNOWN_FACT]");
    const suggestion = meant === "" ? "" : ` (did you mean \`${meant}\`?)`;
    expect(error.message).toBe(`reads \`${name}\`, which ${owner} does not have${suggestion}`);
    expect(error.place).toBe(place);
    expect(error.remedy).toMatch(/^correct the name/);
  });

  it.each(LINKED)("and that may exist is no error: %s", (text) => {
    expect(link(text).warnings).toEqual([]);
  });

  it("is looked for in the file that has the hook's function, and names that file", () => {
    const error = rejected({
      "p.js": 'export { check as bpf_prog_load } from "./q.js";',
      "q.js": 'import { f } from "./r.js";\nexport { f as check };',
      "r.js": "export const f = (prog) => (prog.efects ? -1 : 0);",
    });
    expect([error.code, error.place]).toEqual(["POLICY_UNKNOWN_FACT", "r.js:1:34"]);
  });

  it("is not looked for in the subject of a function that serves hooks with different ones", () => {
    const text = (body: string) =>
      `const f = (it, current) => ${body};\nexport { f as bpf_prog_load, f as bpf_map_create };`;
    expect(link(text("(it.max_entries > 1 ? -1 : 0)")).hooks).toEqual(["bpf_prog_load", "bpf_map_create"]);
    expect(rejected(text("(current.usr ? -1 : 0)")).code).toBe("POLICY_UNKNOWN_FACT");
    const alike = "const f = (it) => (it.max_entries > 1 ? -1 : 0);\nexport { f as bpf_prog, f as bpf_prog_load };";
    expect(rejected(alike).code).toBe("POLICY_UNKNOWN_FACT");
  });

  it.each(COPIES)("and copies is warned of: %s", (body, place) => {
    expect(link(load(body)).warnings).toEqual([
      expect.objectContaining({ code: "POLICY_COPIED_FACTS", place, remedy: expect.stringContaining("itself") }),
    ]);
  });

  it.each(NO_COPIES)("and does not copy is not warned of: %s", (body) => {
    expect(link(load(body)).warnings).toEqual([]);
  });
});

it("the table of facts is what the declarations say", { tags: ["deep"] }, () => {
  const script = fileURLToPath(new URL("../../../../scripts/facts.mjs", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  expect(status, stderr).toBe(0);
});
