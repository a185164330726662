import { beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { Workplace } from "../../../support/workplace.js";

const place = new Workplace("  - policy: policies/p.js");
place.write("policies/lib.js", "export const isRoot = (uid) => uid === 0;\n");
const POLICY = `import { deny } from "countersign";
import { isRoot } from "./lib.js";
export const bpf_prog_load = (_, { uid }) => (isRoot(uid) ? 0 : deny("is not root"));
`;

const test = (cases: string, accepted: string | null, ...words: readonly string[]) => {
  place.write("policies/p.test.yaml", cases);
  place.write("policies/p.mutants.yaml", accepted ?? "[]");
  return runCommand("test", "--no-cache", "--mutate", "--config", place.config, ...words);
};
const ROOT = "- { program: { type: xdp }, uid: 0, expect: allow }\n";
const OTHER = "- { program: { type: xdp }, uid: 1, expect: -EPERM }\n";
const REASON = "- { program: { type: xdp }, uid: 1, expect: -EPERM, reason: is not root }\n";

describe("countersign test --mutate", () => {
  beforeEach(() => {
    place.write("policies/p.js", POLICY);
  });

  it("notices every change if the cases check everything, in all files of a policy", { tags: ["deep"] }, async () => {
    const { code, out } = await test(ROOT + REASON, null);
    expect(out).toMatch(/2 passed, 0 failed\n\n10 changed policies: a test notices 10\n$/);
    expect(code).toBe(0);
  });

  it("names the changes that no case notices, and exits with 1", { tags: ["deep"] }, async () => {
    const { code, out } = await test(ROOT + OTHER, null);
    expect(out).toMatch(/survived +\S*policies\/p\.js:3:70 +"is not root" -> ""\n/);
    expect(out).toContain("no test notices 1");
    expect(code).toBe(1);
    const { mutants } = JSON.parse((await test(ROOT, null, "--json")).out);
    const survived = mutants.filter(({ status }: { status: string }) => status === "survived");
    expect(survived.map(({ mutant }: { mutant: string }) => mutant)).toEqual([
      "isRoot(uid) -> true",
      'isRoot(uid) ? 0 : deny("is not root") -> 0',
      '"is not root" -> ""',
      "uid === 0 -> -1",
    ]);
  });

  it("tells which case noticed a change, or the error at start", { tags: ["deep"] }, async () => {
    const { out } = await test(ROOT + REASON, null, "--json");
    const { mutants } = JSON.parse(out);
    expect(mutants.every(({ by }: { by: string }) => /p\.test\.yaml:[12]:3$|^[A-Z_]+$/.test(by))).toBe(true);
  });

  it("accepts changes with a reason", { tags: ["deep"] }, async () => {
    const entry = (mutant: string) => `- { mutant: '${mutant}', reason: not checked here }\n`;
    const entries = entry('"is not root" -> ""');
    const { code, out } = await test(ROOT + OTHER, entries);
    expect(code).toBe(0);
    expect(out).toMatch(/accepted +\S*p\.js:3:70 +"is not root" -> "" \(not checked here\)/);
  });

  it.each([
    ["- { mutant: 'a -> b', reason: r }", "there is no change `a -> b`"],
    ["- { mutant: 'uid === 0 -> uid !== 0', reason: r }", "a case notices `uid === 0 -> uid !== 0`"],
    ["- { mutant: 'isRoot(uid) -> false', reason: r }", "a case notices `isRoot(uid) -> false`"],
    ["- { mutant: 'isRoot', reason: r }", "is no change"],
    ["- { mutant: 'a -> b', reason: '' }", "say why"],
  ])("rejects an entry that accepts nothing: %s", { tags: ["deep"] }, async (accepted, message) => {
    const { code, err } = await test(ROOT + REASON, accepted);
    expect(code).toBe(2);
    expect(err).toMatch(/p\.mutants\.yaml:1:\d+/);
    expect(err).toContain(message);
  });

  it("tests at most as many as it is told to, always the same ones", { tags: ["deep"] }, async () => {
    const first = await test(ROOT + REASON, null, "--mutants", "3");
    expect(first.out).toContain("3 changed policies (of 10; --mutants sets how many are tested): a test notices 3");
    const chosen = async () => JSON.parse((await test(ROOT + REASON, null, "--mutants", "3", "--json")).out).mutants;
    expect(await chosen()).toEqual(await chosen());
    expect((await test(ROOT, null, "--mutants", "0")).code).toBe(2);
  });

  it("changes nothing while a case fails", async () => {
    const { code, out } = await test(ROOT.replace("allow", "deny"), null);
    expect(code).toBe(1);
    expect(out).not.toContain("changed policies");
  });

  it("ends, though a changed loop never does", { tags: ["deep"] }, async () => {
    place.write("policies/p.js", "export const bpf_prog_load = () => { for (let i = 0; i < 3; i++) {} return 0; };");
    const { out } = await test(ROOT, null);
    expect(out).toMatch(/changed policies: a test notices \d+\n/);
  });
});
