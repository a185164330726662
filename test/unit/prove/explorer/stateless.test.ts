import { describe, expect, it } from "vitest";
import { LinkTime } from "../../../../src/policy/syntax/link-time.js";
import { readUnits } from "../../../../src/policy/units/units.js";
import { isStateless } from "../../../../src/prove/explorer/stateless.js";

const stateOf = (text: string) => {
  const policy = `${text}\nexport const bpf_prog_load = (prog) => own(prog);\nfunction own(prog) { return 0; }\n`;
  return isStateless(readUnits("policy.js", { read: () => policy, root: "." }, new LinkTime("policy.js")).at(-1)!);
};

describe("a file of a policy has no state", () => {
  it.each([
    "",
    'import { deny } from "countersign";\nconst LIMIT = 5;\nconst twice = (a) => 2 * a;',
    'const TYPES = ["xdp", "tc"];\nconst is = (type) => TYPES.includes(type) || TYPES.some((one) => one === type);',
  ])("with functions, constants and lists that are only read: %s", (text) => expect(stateOf(text)).toBe(true));

  it.each([
    "let asked = 0;",
    "const seen = [];\nconst add = (a) => seen.push(a);",
    "const seen = [];\nconst other = seen;",
    "const seen = {};",
    "const seen = [{}];",
    "const seen = [1];\nconst end = () => { seen.length = 0; };",
    "const seen = [1];\nconst end = () => seen.some((one, at, all) => all.pop());",
    "const seen = new Set();",
    "export const seen = [1];",
  ])("unless it has a value that can change: %s", (text) => expect(stateOf(text)).toBe(false));
});
