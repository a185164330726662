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

describe("what two configurations define under one name", () => {
  it("is another keyring if its files or rules are other ones, and then equal decisions are not decided", () => {
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

  it("is another map if its entries are other ones", () => {
    const old: Files = { ...oneAttachment(LISTED, MAP), "list.json": '{ "a": true, "b": 1 }' };
    expect(doubtsOf(old, { ...old, "list.json": '{"b":1,"a":true}' })).toEqual(["equal", []]);
    expect(doubtsOf(old, { ...old, "list.json": "{}" })).toEqual([
      "not decided",
      ["the map `list` has other contents"],
    ]);
    const yaml = old["countersign.yaml"]!.replace("file: list.json", "writable: { entries: 10, bytes: 1KiB }");
    expect(doubtsOf(old, { ...old, "countersign.yaml": yaml })[0]).toBe("not decided");
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
