import { describe, expect, it } from "vitest";
import { comparisonOf, type Files } from "../../../support/prove-compare.js";
import { oneAttachment } from "../../../support/prove-property.js";

const OTHER_KEY =
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
const VERIFIED =
  'import { verify_program } from "countersign";\nexport const bpf_prog_load = (prog) => verify_program(prog, "platform");\n';
const LISTED =
  'import { map_lookup } from "countersign";\nexport const bpf_prog_load = () => (map_lookup("list", "a") === true ? 0 : -1);\n';
const UNSIGNED = "export const bpf_prog_load = (prog) => (prog.signature === null ? -1 : 0);\n";
const IN_KERNEL = 'export const bpf_prog_load = (prog) => (prog.kernel_keyring === "platform" ? 0 : -1);\n';
const MAP = "maps: { list: { file: list.json } }";

const doubtsOf = (old: Files, its: Files) => {
  const { answer, doubts } = comparisonOf(old, its);
  return [answer, doubts.map(({ why }) => why.replace(/ than in .*/, ""))];
};

function changeYaml(from: string, to: string): (files: Files) => Files {
  return (files) => ({ ...files, "countersign.yaml": files["countersign.yaml"]!.replace(from, to) });
}

describe("what two configurations define under one name", () => {
  it("is another keyring if its files or rules are other ones, and then equal decisions are not decided", {
    tags: ["deep"],
  }, () => {
    const old = oneAttachment(VERIFIED);
    expect(doubtsOf(old, { ...old, "key.pem": OTHER_KEY })).toEqual([
      "not decided",
      ["the keyring `platform` is another one"],
    ]);
    const yaml = old["countersign.yaml"]!.replace("[key.pem]", "[key.pem], signers: 2");
    expect(doubtsOf(old, { ...old, "countersign.yaml": yaml })[0]).toBe("not decided");
  });

  it("is the same keyring in another folder, and is not asked for if no policy verifies anything", () => {
    const old = oneAttachment(VERIFIED);
    expect(doubtsOf(old, old)).toEqual(["equal", []]);
    const plain = oneAttachment("export const bpf_prog_load = (prog) => (prog.insn_cnt > 5 ? -1 : 0);\n");
    expect(doubtsOf(plain, { ...plain, "key.pem": OTHER_KEY })).toEqual(["equal", []]);
  });

  it("is another map if its entries are other ones", { tags: ["deep"] }, () => {
    const old: Files = { ...oneAttachment(LISTED, MAP), "list.json": '{ "a": true, "b": 1 }' };
    expect(doubtsOf(old, { ...old, "list.json": '{"b":1,"a":true}' })).toEqual(["equal", []]);
    expect(doubtsOf(old, { ...old, "list.json": "{}" })).toEqual([
      "not decided",
      ["the map `list` has other contents"],
    ]);
    const yaml = old["countersign.yaml"]!.replace("file: list.json", "writable: { entries: 10, bytes: 1KiB }");
    expect(doubtsOf(old, { ...old, "countersign.yaml": yaml })[0]).toBe("not decided");
  });

  it("is another map if its schema is another one, also where one policy decides alike for both", () => {
    const withSchema = changeYaml("file: list.json", "file: list.json, values: { type: boolean }");
    const old: Files = { ...oneAttachment(LISTED, MAP), "list.json": '{ "a": true }' };
    expect(doubtsOf(withSchema(old), withSchema(old))).toEqual(["equal", []]);
    for (const [one, other] of [
      [old, withSchema(old)],
      [withSchema(old), old],
    ] as const)
      expect(doubtsOf(one, other)).toEqual(["not decided", ["the map `list` has another schema"]]);
  });

  it("gives both only what both schemas say of values", () => {
    const small = 'map_lookup("list", "a") > 5 ? -1 : 0';
    const policy = (body: string) =>
      `import { map_lookup } from "countersign";\nexport const bpf_prog_load = () => (${body});\n`;
    const values = "values: { type: integer, maximum: 5 }";
    const old: Files = {
      ...oneAttachment(policy(small), MAP.replace("list.json", `list.json, ${values}`)),
      "list.json": "{}",
    };
    const its: Files = {
      ...oneAttachment(policy("0"), MAP.replace("list.json", `list.json, ${values}`)),
      "list.json": "{}",
    };
    expect(comparisonOf(old, its).answer).toBe("equal");
    const larger = changeYaml("maximum: 5", "maximum: 6");
    expect(comparisonOf(old, larger(its)).answer).toBe("differs");
  });

  const WRITABLE = "maps: { list: { file: list.json, writable: { entries: 10, bytes: 1KiB }, writers: [policy] } }";
  const COUNTS =
    'import { map_update } from "countersign";\nexport const bpf_prog_load = () => map_update("list", "a", 1);\n';
  /** With an attachment that is asked at another hook. */
  const besideOther = (policy: string): Files =>
    changeYaml(
      "attachments: [",
      "attachments: [{ policy: other.js }, ",
    )({
      ...oneAttachment(policy, WRITABLE),
      "list.json": '{ "a": true }',
      "other.js": "export const bprm_check_security = () => 0;\n",
    });
  const PARTS = [
    ["contents", (files: Files): Files => ({ ...files, "list.json": "{}" }), "other contents"],
    ["entries", changeYaml("entries: 10", "entries: 1"), "another `writable`"],
    ["bytes", changeYaml("1KiB", "2KiB"), "another `writable`"],
    ["writers, one more", changeYaml("[policy]", "[policy, other]"), "other `writers`"],
    ["writers, another one", changeYaml("[policy]", "[other]"), "other `writers`"],
    ["writers, the whole domain", changeYaml(", writers: [policy]", ""), "other `writers`"],
    ["nothing but how it is written", changeYaml("1KiB", "1024"), null],
    [
      "all of these",
      (files: Files): Files => ({
        ...files,
        ...changeYaml("10, bytes: 1KiB }, writers: [policy]", "1, bytes: 1KiB }, writers: [other]")(files),
        "list.json": "{}",
      }),
      "other contents, and another `writable`, and other `writers`",
    ],
  ] as const;

  it.each(PARTS)("is another writable map for a policy that reads it: %s", (_, change, words) => {
    const old = besideOther(LISTED);
    const expected = words === null ? ["equal", []] : ["not decided", [`the map \`list\` has ${words}`]];
    expect(doubtsOf(old, change(old))).toEqual(expected);
  });

  it.each(PARTS)("is another writable map for a policy that writes to it: %s", (_, change, words) => {
    const old = besideOther(COUNTS);
    const [answer, doubts] = doubtsOf(old, change(old));
    expect(answer).toBe(words === null ? "equal" : "not decided");
    if (words !== null) expect(doubts).toContain(`the map \`list\` has ${words}`);
  });

  it.each(PARTS)("is another writable map, which no policy uses: %s", (_, change) => {
    const old = besideOther(UNSIGNED);
    expect(doubtsOf(old, change(old))).toEqual(["equal", []]);
  });

  it("is another map if an attachment is of another domain, which may not write to it", () => {
    const yaml = (domain: string) =>
      `version: 1\nmaps: { list: { writable: { entries: 10, bytes: 1KiB }, writers: [a, b] } }\n` +
      "attachments: [{ policy: other.js, name: x, domain: a }, { policy: other.js, name: y, domain: b }, " +
      `{ policy: policy.js, domain: ${domain} }]\n`;
    const files = (domain: string): Files => ({
      "policy.js": COUNTS,
      "other.js": "export const bprm_check_security = () => 0;\n",
      "countersign.yaml": yaml(domain),
    });
    expect(doubtsOf(files("a"), files("a"))).toEqual(["equal", []]);
    for (const domain of ["b", "c"]) {
      const [answer, doubts] = doubtsOf(files("a"), files(domain));
      expect(answer).toBe("not decided");
      expect(doubts).toContain("the map `list` has other `writers`");
    }
  });

  it("is other signatures if the folders have other files, or cannot be compared", () => {
    const old = oneAttachment(UNSIGNED);
    const yaml = `${old["countersign.yaml"]}signatures: [.]\n`;
    const [outcome, doubts] = doubtsOf(old, { ...old, "countersign.yaml": yaml });
    expect([outcome, doubts]).toEqual(["not decided", ["the signatures are other ones"]]);
  });

  const LISTS: Files = { "list.json": "{}", "other.json": '{ "a": true }' };
  it.each([
    ["keyring", VERIFIED, "", (yaml: string) => yaml, { "key.pem": OTHER_KEY }],
    ["map", LISTED, MAP, (yaml: string) => yaml.replace("list.json", "other.json"), {}],
    ["signature", UNSIGNED, "", (yaml: string) => `${yaml}signatures: [.]\n`, {}],
    ["kernel keyring", IN_KERNEL, "", (yaml: string) => `${yaml}gate: { keyrings: { "5": platform } }\n`, {}],
  ])("is asked for also where only other attachments were changed: a %s", (_, policy, more, change, own: Files) => {
    const beside = (limit: string, changed: boolean): Files => {
      const files: Files = { ...oneAttachment(policy, more), ...LISTS, ...(changed ? own : {}) };
      const yaml = files["countersign.yaml"]!.replace("attachments: [", "attachments: [{ policy: limit.js }, ");
      const limits = `export const bpf_prog_load = (prog) => (prog.insn_cnt > ${limit} ? -1 : 0);\n`;
      return { ...files, "countersign.yaml": changed ? change(yaml) : yaml, "limit.js": limits };
    };
    expect(doubtsOf(beside("4 + 1", false), beside("5", false))).toEqual(["equal", []]);
    const [answer, doubts] = doubtsOf(beside("4 + 1", false), beside("5", true));
    expect([answer, doubts?.length]).toEqual(["not decided", 1]);
  });

  it("does not hide a difference of the policies", () => {
    const old = oneAttachment(VERIFIED);
    const { answer, doubts } = comparisonOf(old, {
      ...oneAttachment("export const bpf_prog_load = () => 0;\n"),
      "key.pem": OTHER_KEY,
    });
    expect([answer, doubts.length]).toEqual(["differs", 1]);
  });
});
