import { expect, it } from "vitest";
import { CheckedPolicies } from "../../../../src/prove/check/checked-policies.js";
import { attachmentAt } from "../../../../src/prove/check/examined.js";
import { TableChecker } from "../../../../src/prove/check/table-checker.js";
import { CertifiedFolder } from "../../../support/certificates.js";

it("names what it does not evaluate: the length of a part of a list, which the explorer decides", {
  tags: ["deep"],
}, () => {
  const body = "prog.maps.filter((map) => map.type === 'hash').length > 4 ? -1 : 0";
  const folder = new CertifiedFolder("budget.js", `export const bpf_prog_load = (prog) =>\n  ${body};\n`);
  const policies = new CheckedPolicies(folder.config, {});
  const checker = new TableChecker(attachmentAt("bpf_prog_load", policies, policies.placed[0]!), policies.names);
  expect(checker.outcome([])).toEqual({
    notEvaluated: expect.stringContaining("`filter`"),
    line: "budget.js:2",
  });
  policies.close();
  expect(() => folder.make()).toThrow(
    expect.objectContaining({
      code: "PROOF_UNSUPPORTED",
      place: "budget.js:2",
      message: expect.stringContaining("cannot evaluate `filter`"),
    }),
  );
  folder.remove();
});

it("a value of a map may be null, which is no signature: no fault is certified in its place", () => {
  const call = 'verify_signature(prog.insns, map_lookup("allowed_programs", "x") ?? null, "platform", PKCS7)';
  const text = `import { map_lookup, PKCS7, verify_signature } from "countersign";\nexport const bpf_prog_load = (prog) => ${call};\n`;
  const folder = new CertifiedFolder("signature.js", text);
  const policies = new CheckedPolicies(folder.config, {});
  const checker = new TableChecker(attachmentAt("bpf_prog_load", policies, policies.placed[0]!), policies.names);
  const exists = { atom: { kind: "exists", of: 'map_lookup("allowed_programs","x")!' }, is: true } as const;
  expect(checker.outcome([exists])).toMatchObject({ question: { kind: "type" } });
  policies.close();
  folder.remove();
});

const PATTERNS = `import { deny, map_lookup, note } from "countersign";
const NAMES = [/^tcp_/, /_socket$/];
export const bpf_prog_load = (prog, { uid }) => {
  note(\`uid \${uid} loads \${prog.name}\`);
  if (prog.attach_to !== null && NAMES.some((name) => name.test(prog.attach_to))) return deny("the network", 13);
  return map_lookup("program_budget", \`uid \${uid}\`) === "none" ? -1 : 0;
};
`;

it("certifies regular expressions, notes, and keys of maps with numbers", { tags: ["deep"] }, () => {
  const folder = new CertifiedFolder("patterns.js", PATTERNS);
  const [table] = folder.check(JSON.stringify(folder.make()));
  expect(table).toMatchObject({ attachment: "patterns", paths: 10 });
  folder.remove();
});

const IMPORT = 'import { deny, map_lookup } from "countersign";\n';

const CASES = `import { map_lookup } from "countersign";
const NETWORK = new Set(["xdp", "sched_cls"]);
const uidVerdict = (uid) => {
  switch (true) {
    case uid === 0:
      return 0;
    case uid > 1000:
      break;
    default:
      return -1;
  }
  return -2;
};
export const bpf_prog_load = ({ type }, { uid }) => {
  switch (map_lookup("program_budget", "x")) {
    case undefined:
    case null:
      return NETWORK.has(type) ? -13 : uidVerdict(uid);
    case 5:
      return NETWORK.has(map_lookup("program_budget", "x")) ? -99 : -5;
    case "text":
      return -6;
  }
  return 0;
};
`;

it("certifies `switch`, also with other values than texts, and sets of constants", { tags: ["deep"] }, () => {
  const folder = new CertifiedFolder("cases.js", CASES);
  const [table] = folder.check(JSON.stringify(folder.make()));
  expect(table).toMatchObject({ attachment: "cases", paths: 15 });
  folder.remove();
});

it("certifies JSON of constants", () => {
  const value = `{ b: { 2: "x", 1: null }, a: true, none: undefined }`;
  const body = `JSON.stringify(${value}) === '{"b":{"1":null,"2":"x"},"a":true}' ? -5 : 0`;
  const folder = new CertifiedFolder("json.js", `export const bpf_prog_load = () => ${body};\n`);
  const certificate = folder.make();
  expect(folder.check(JSON.stringify(certificate))[0]).toMatchObject({ attachment: "json", paths: 1 });
  expect(certificate.tables[0]!.tree).toMatchObject({ end: { verdict: -5 } });
  folder.remove();
});

const LISTS = `const PROBES = ["bpf_probe_read", "bpf_probe_write_user"];
export const bpf_prog_load = ({ maps, helpers, name, statements }, { capabilities }) => {
  if (capabilities.includes("CAP_SYS_ADMIN")) return 0;
  if (helpers.some((one) => one === name || PROBES.includes(one))) return -1;
  if (!maps.every(({ type, key_size }) => type === "hash" || key_size < 8)) return -2;
  if (helpers.some(() => true) && statements.some(({ settings }) => settings.length > 3)) return -3;
  return 0;
};
`;

it("certifies `some`, `every` and `includes` of lists", { tags: ["deep"] }, () => {
  const folder = new CertifiedFolder("lists.js", LISTS);
  const [table] = folder.check(JSON.stringify(folder.make()));
  expect(table).toMatchObject({ attachment: "lists", paths: 6 });
  folder.remove();
});

it("asks whether an element is in one of the cases in which a callback is true", () => {
  const body = 'prog.maps.some(({ type, flags }) => (flags > 7 ? type !== "hash" : prog.gpl_compatible)) ? -1 : 0';
  const folder = new CertifiedFolder("cases.js", `export const bpf_prog_load = (prog) => ${body};\n`);
  const policies = new CheckedPolicies(folder.config, {});
  const checker = new TableChecker(attachmentAt("bpf_prog_load", policies, policies.placed[0]!), policies.names);
  const gpl = { kind: "flag", of: "prog.gpl_compatible" } as const;
  expect(checker.outcome([])).toMatchObject({ question: gpl });
  const term = { constant: "7", of: [["-1", "prog.maps[*].flags"]] };
  const flags = { kind: "number", term, is: "< 0" };
  const hash = { kind: "equals", of: "prog.maps[*].type", text: "hash" };
  const [large, small] = [true, false].map((is) => ({ atom: flags, is }));
  const cases = { large: [large, { atom: hash, is: false }], small: [small] };
  expect(checker.outcome([{ atom: gpl, is: true }])).toMatchObject({
    question: { kind: "some", of: "prog.maps", where: [cases.large, cases.small], first: null },
  });
  expect(checker.outcome([{ atom: gpl, is: false }])).toMatchObject({ question: { where: [cases.large] } });
  policies.close();
  folder.remove();
});

it.each([
  ["a label", 'cases: switch (prog.type) { case "xdp": break cases; } return 0;'],
  ["a name before its declaration in a case", "const n = 1; switch (2) { case 1: const n = 2; case 2: return -n; }"],
  ["a name of a case in a test", "const n = 1; switch (1) { case n: const n = 2; return -n; } return 0;"],
  ["a method of a set that is read", 'const { has } = new Set(["xdp"]); return has(prog.type) ? -1 : 0;'],
  ["a method of an expression that is read", "const { test } = /a/; return test(prog.type) ? -1 : 0;"],
  ["another method of a set", 'new Set(["xdp"]).add(prog.type); return 0;'],
  ["a property of a set", 'return -new Set(["xdp"]).size;'],
  ["a set without `new`", 'return Set(["xdp"]).has(prog.type) ? -1 : 0;'],
  ["a set of a text", 'return new Set("xdp").has(prog.type) ? -1 : 0;'],
  ["a set of two arguments", 'return new Set(["xdp"], 1).has(prog.type) ? -1 : 0;'],
  ["a map with an entry", 'return new Map().set("xdp", 1).get(prog.type) === 1 ? -1 : 0;'],
  ["a map of entries", 'return new Map([["xdp", 1]]).get(prog.type) === 1 ? -1 : 0;'],
  ["a map without `new`", "return Map().get(prog.type) === 1 ? -1 : 0;"],
  ["JSON of a fact", "return JSON.stringify({ type: prog.type }) === '{}' ? -1 : 0;"],
  ["JSON of an array", "return JSON.stringify([]) === '[]' ? -1 : 0;"],
  ["JSON with spaces", "return JSON.stringify({ type: 1 }, null, 1) === '{}' ? -1 : 0;"],
  ["other functions of JSON", "return JSON.parse('1') === 1 ? -1 : 0;"],
  ["another class", 'return new Map([["xdp", 1]]).has(prog.type) ? -1 : 0;'],
  ["the index of an element", 'return prog.helpers.some((one, at) => at === 0 && one === "x") ? -1 : 0;'],
  ["a change by an element", "let n = 0; return prog.maps.some((map) => { n = 1; return map.flags > n; }) ? -1 : 0;"],
  ["`deny` for an element", "return prog.maps.some(() => deny('x') === -1) ? -1 : 0;"],
  ["what fails for an element", "return prog.maps.some((map) => map.flags > 7 && null.length > 2) ? -1 : 0;"],
  ["a list within another one", "return prog.maps.some((map) => prog.helpers.includes(map.name)) ? -1 : 0;"],
  ["a list within itself", "return prog.maps.some((a) => prog.maps.some((b) => a.name === b.name)) ? -1 : 0;"],
  ["other methods of lists", "return prog.maps.filter((map) => map.flags > 0).length > 2 ? -1 : 0;"],
  ["another function with that name", 'const Set = () => 1; return new Set(["xdp"]).has(prog.type) ? -1 : 0;'],
])("does not evaluate %s", (_, body) => {
  const folder = new CertifiedFolder("policy.js", `${IMPORT}export function bpf_prog_load(prog) { ${body} }\n`);
  const policies = new CheckedPolicies(folder.config, {});
  const checker = new TableChecker(attachmentAt("bpf_prog_load", policies, policies.placed[0]!), policies.names);
  expect(checker.outcome([])).toHaveProperty("notEvaluated");
  policies.close();
  folder.remove();
});

it.each([
  ["a property of a regular expression", "/a/.source === 'a' ? -1 : 0"],
  ["another method of a regular expression", "/a/.exec(prog.name) === null ? -1 : 0"],
  ["a regular expression with flags", "/a/i.test(prog.name) ? -1 : 0"],
  ["a regular expression of other characters", "/\u00e4/.test(prog.name) ? -1 : 0"],
])("does not evaluate %s", (_, expression) => {
  const folder = new CertifiedFolder("pattern.js", `export const bpf_prog_load = (prog) => ${expression};\n`);
  const policies = new CheckedPolicies(folder.config, {});
  const checker = new TableChecker(attachmentAt("bpf_prog_load", policies, policies.placed[0]!), policies.names);
  expect(checker.outcome([])).toHaveProperty("notEvaluated");
  policies.close();
  folder.remove();
});
