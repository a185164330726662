import { expect, it } from "vitest";
import { checkedTables } from "../../../../src/cli/commands/prove/checked-certificate.js";
import { makeCertificate } from "../../../../src/prove/certificate/make-certificate.js";
import { withPolicies } from "../../../support/prove-configuration.js";

const HEAD = `import { deny, map_lookup } from "countersign";
const RULES = { xdp: ["a", "b"], tc: ["c"] };
export function bpf_prog_load(prog, current) {
`;

/** The number of tables of a policy's certificate, of which the engine has decided each witness. */
function certified(body: string): number {
  const files = {
    "policy.js": `${HEAD}${body}\n}\n`,
    "m.yaml": "{}\n",
    "countersign.yaml": "version: 1\nmaps: { m: { file: m.yaml } }\nattachments: [{ policy: policy.js }]\n",
  };
  return withPolicies(files, (policies) => {
    const bounds = { paths: 300, timeout: 30_000 };
    const text = JSON.stringify(makeCertificate(policies, () => true, bounds));
    return [...checkedTables(text, policies.config, "c.json", [])].length;
  });
}

it.each([
  "for (const one of ['a', 'b']) { if (one === 'b') continue; if (prog.name === one) return -1; } return 0;",
  "for (const [key, of] of Object.entries(RULES)) if (prog.name === key && of.includes(prog.tag)) return -1; return 0;",
  "let found = 0; for (const one of ['a', 'b', 'c']) { if (prog.name === one) { found = 1; break; } } return -found;",
  "for (const one of [1, 2]) { switch (prog.insn_cnt) { case one: continue; case 9: return -1; } } return 0;",
  "return Object.keys(RULES).filter((one) => one !== prog.name).length === 2 ? 0 : -1;",
  "return Object.values(RULES).find(([one]) => one === prog.name)?.length === 1 ? 0 : -1;",
  "return ['a', 'b'].map((one) => one + '!')[['a', 'b'].indexOf(prog.name) + 1] === 'b!' ? 0 : -1;",
  "try { return current.container.labels.app === 'a' ? 0 : -1; } catch { return deny('no container'); }",
  "try { return undefined.x; } catch (error) { return -3; }",
  "const its = map_lookup('m', 'a'); return its?.type === 'a' ? 0 : -1;",
  "return RULES[prog.name] === undefined ? -1 : 0;",
])("%s has a certificate", { timeout: 60_000 }, (body) => {
  expect(certified(body)).toBeGreaterThan(0);
});

it.each([
  "return Object.prototype === undefined ? 0 : -1;",
  "return Object.keys({ 2: 1, 1: 2 })[0] === '1' ? 0 : -1;",
  "try { return 0; } finally { RULES.xdp; }",
  "try { undefined.x; } catch (error) { return error.message === 'x' ? 0 : -1; } return 0;",
  "return RULES[prog.name]?.name === 'toString' ? -1 : 0;",
])("%s has none", (body) => {
  expect(() => certified(body)).toThrow(expect.objectContaining({ code: "PROOF_UNSUPPORTED" }));
});
