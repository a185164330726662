import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCases } from "../../src/config/cases.js";
import { CountersignError } from "../../src/error.js";
import { runCommand } from "../support/command-line.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { Workplace } from "../support/workplace.js";

/** A test beside a policy, with every key that a case can have. */
const CASES = `- name: a blob
  blob: { name: x, data: firmware, signature: s }
  hook: blob_verify
  uid: 0
  comm: tc
  exe: /sbin/tc
  labels: { tier: edge }
  time: 2026-01-31T12:00:00Z
  maps: { known: { x: 1, y: [1, { a: null }] } }
  helpers: { verify_signature platform: -ENODATA }
  expect: deny
  reason: "is not"
- program: { type: kprobe, helpers: [bpf_probe_read_kernel], statements: [] }
  container: { id: c0, name: web, labels: null }
  expect: -EPERM
- { map: { type: hash, name: m }, expect: not asked }
- { file: a.o, expect: fault POLICY_ERROR }
`;

const folder = mkdtempSync(join(tmpdir(), "countersign-"));
const file = join(folder, "policy.test.yaml");

/** What reading a text gives: its cases, or the error, which must say where and what to do. */
function read(text: string | Uint8Array): { readonly error: CountersignError | null; readonly count: number } {
  writeFileSync(file, text);
  try {
    return { error: null, count: readCases(file).length };
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    expect(["CONFIG_INVALID", "FILE_UNREADABLE", "FILE_TOO_LARGE"]).toContain(error.code);
    expect(error.place).toContain(file);
    expect(error.remedy).not.toBe("");
    return { error, count: 0 };
  }
}

const deep = (count: number) =>
  `- { blob: { name: x, data: a }, expect: deny, maps: { m: { k: ${"[".repeat(count)}${"]".repeat(count)} } } }`;
const LAUGHS = `- &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
  .split("")
  .map((name, index) => `- &${name} [${Array(9).fill(`*${"abcdefghi"[index]}`)}]`)
  .join("\n")}\n`;

describe("a test beside a policy", () => {
  it.each([
    ["no YAML", "- {"],
    ["a number", "7"],
    ["a mapping", "name: x"],
    ["a tab", "-\tblob: x\n\t- y"],
    ["a binary file", Buffer.from([0, 1, 2, 0xff, 0xfe])],
    ["no UTF-8", Buffer.from([0x2d, 0x20, 0xc3, 0x28])],
    ["a case that is none", "- 7\n- null\n"],
    ["a case without a subject", "- { expect: deny }"],
    ["two subjects", "- { file: a.o, blob: { name: x, data: a }, expect: deny }"],
    ["an unknown key", "- { file: a.o, expect: deny, tpye: kprobe }"],
    ["the prototype", "- { file: a.o, expect: deny, __proto__: { uid: 7 } }"],
    ["the prototype's members", "- { file: a.o, expect: deny, constructor: x, toString: y }"],
    ["a key twice", "- { file: a.o, file: b.o, expect: deny }"],
    ["a user that is none", "- { file: a.o, uid: -1, expect: deny }"],
    ["a user of no number", "- { file: a.o, uid: .nan, expect: deny }"],
    ["a verdict that is none", "- { file: a.o, expect: -ENOSUCH }"],
    ["another verdict that is none", "- { file: a.o, expect: toString }"],
    ["a time that is none", "- { file: a.o, expect: deny, time: 2026-02-31T12:00:00Z }"],
    ["a tag of JavaScript", "- !!js/function 'function () { return 7 }'"],
    ["lists of lists of lists", LAUGHS],
    ["values that are deep", deep(5000)],
    ["more than is read", `# ${"x".repeat(2 ** 20)}\n${CASES}`],
  ])("that has %s is an error with its place and the remedy", (_, text) => {
    const { error } = read(text);
    expect(error).not.toBeNull();
  });

  it.each(["allowed", "EPERM", "-ENOSUCH", "fault NO_SUCH"])(
    "cannot expect `%s`, and what it can is said",
    (expected) => {
      const { error } = read(`- { blob: { name: x, data: a }, expect: ${expected} }`);
      expect(error!.message).toContain(`\`${expected}\` is not an answer`);
      expect(error!.message.length).toBeLessThan(80);
      expect(error!.remedy).toContain("`not asked`");
    },
  );

  it("has keys as names of maps that mean something in JavaScript, and they are names alone", () => {
    const text = "- { blob: { name: x, data: a }, expect: deny, maps: { constructor: { toString: 1 } } }";
    const { error, count } = read(text);
    expect([error, count]).toEqual([null, 1]);
    expect(({} as { uid?: unknown }).uid).toBeUndefined();
  });

  it("that is as it should be has its cases", () => {
    expect(read(CASES)).toEqual({ error: null, count: 4 });
  });

  it("that is damaged is read or is an error, whatever the damage", { tags: ["deep"] }, () => {
    const seed = seedOf();
    const next = numbers(seed);
    let accepted = 0;
    for (let round = 0; round < 400; round++) {
      const text = damaged(Buffer.from(CASES), next);
      try {
        if (read(text).error === null) accepted += 1;
      } catch (error) {
        throw new Error(`seed ${seed}, round ${round}: ${text.toString("base64")}`, { cause: error });
      }
    }
    expect(accepted).toBeLessThan(400);
  });

  it.each(["gone.o", "."])("names the case whose file cannot be read: %s", { tags: ["deep"] }, async (name) => {
    const place = new Workplace("  - { policy: policy.js }\n");
    place.write("policy.js", "export const bpf_prog_load = () => 0;\n");
    place.write(
      "policy.test.yaml",
      `- { program: { type: xdp }, expect: allow }\n- { file: ${name}, expect: allow }\n`,
    );
    const { code, err } = await runCommand("test", "--config", place.config);
    expect(code).toBe(2);
    expect(err).toMatch(/policy\.test\.yaml:2:3: .*\[FILE_UNREADABLE\]/);
  });

  it("shows terminal escapes in names and reasons as text", { tags: ["deep"] }, async () => {
    const place = new Workplace("  - { policy: policy.js, limits: { timeout: 5s } }\n");
    place.write("policy.js", "export const blob_verify = () => -1;\n");
    const hostile = JSON.stringify("\u001b[2J\u001b]0;x\u0007\u202e<b>");
    place.write(
      "policy.test.yaml",
      `- { name: ${hostile}, blob: { name: ${hostile}, data: a }, expect: allow, reason: ${hostile} }\n`,
    );
    const { code, out, err } = await runCommand("test", "--config", place.config);
    expect(code).toBe(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});
