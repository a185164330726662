import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import type { HookName } from "../../../../src/hooks/catalogue.js";
import { PlacedPolicies } from "../../../../src/prove/configuration/placed-policies.js";
import { makeReal, type RealWitness } from "../../../../src/prove/real/real-witness.js";
import { examplesOf } from "../../../support/prove-witness.js";

const MAPS = "maps: { m: { writable: { entries: 10, bytes: 1KiB } } }";

/** Makes the example of each path of a policy real; `before` runs before `check` decides. */
async function made(policy: string, hook: HookName, before: (folder: string) => void = () => {}) {
  const files = {
    "policy.js": `import { deny, map_lookup, hash } from "countersign";\n${policy}`,
    "countersign.yaml": `version: 1\n${MAPS}\nattachments: [{ policy: policy.js }]\n`,
  };
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const policies = new PlacedPolicies(readConfig(join(folder, "countersign.yaml"), "check"));
  const examples = examplesOf(policies, hook);
  before(folder);
  const all: RealWitness[] = [];
  for (const [index, example] of examples.entries())
    all.push(await makeReal(example, [{ name: "c.yaml", policies }], join(folder, String(index))));
  policies.close();
  rmSync(folder, { recursive: true });
  return all;
}

/** Facts that a subject of the hook always or never has. */
const IMPOSSIBLE = new Set(["map.access is null", "file.name is null", 'file.purpose is not "exec"']);

describe("an example that is made real", () => {
  it.each<[HookName, string]>([
    ["bpf_map_create", "map.type === 'ringbuf' && map.max_entries > 4096 ? deny('ring') : 0"],
    ["bpf_map", "map.access === 'r' ? deny('read only') : map.name === 'events' ? -1 : 0"],
    [
      "bpf_map_create",
      "map.memory > 1000000 && map.type !== 'array' ? deny('large') : map.type !== 'unknown' ? 0 : -1",
    ],
    ["bpf_map", "map.access !== null && !map.access.includes('w') ? deny('read only') : 0"],
    ["blob_verify", "map_lookup('m', hash('sha512', map.data)) === 1 ? deny('withdrawn') : 0"],
    ["bpf_prog_load", "map.expected_attach_type === 'lsm_mac' && map.attach_to !== null ? deny('hook') : 0"],
    ["bpf", "map.name === 'BPF_PROG_LOAD' ? deny('load') : 0"],
    ["kernel_read_file", "map.name === 'nvidia.ko' ? deny('module') : map.signature === null ? -1 : 0"],
    ["bprm_check_security", "map.purpose === 'exec' ? 0 : deny('what')"],
    ["blob_verify", "map.data.length > 100 ? deny('large') : map_lookup('m', map.name) === 1 ? -1 : 0"],
    ["bpf_prog", "map.maps.some(({ type }) => type === 'ringbuf') ? deny('ring') : 0"],
    ["bpf_prog_load", "map.helpers.includes('bpf_probe_write_user') ? deny('writes') : 0"],
  ])("at %s is decided by `check` as in the model", async (hook, expression) => {
    const all = await made(`export const ${hook} = (map) => ${expression};`, hook);
    expect(all.length).toBeGreaterThan(0);
    const outcomes = all.map(({ lacks, checked }) => [lacks, checked.map(({ isSame }) => isSame)]);
    expect(outcomes, JSON.stringify(all)).toEqual(
      all.map(({ lacks }) => [lacks.filter((one) => IMPOSSIBLE.has(one)), lacks.length > 0 ? [] : [true]]),
    );
  });

  it("is not made if no file has such facts, which are named", { tags: ["deep"] }, async () => {
    const policy = `export const bpf_prog_load = (prog) => (prog.digest === '${"0".repeat(64)}' ? deny('zero') : 0);`;
    const lacks = (await made(policy, "bpf_prog_load")).map((one) => one.lacks);
    expect(lacks).toContainEqual([`prog.digest is "${"0".repeat(64)}"`]);
    const token = "export const bpf_token_create = (token) => 0;";
    expect((await made(token, "bpf_token_create")).map((one) => one.lacks)).toEqual([
      ["`check` does not ask at bpf_token_create"],
    ]);
  });

  it("is reported if `check` decides in another way", async () => {
    const policy = "export const bpf_prog_load = (prog) => (prog.insn_cnt > 9 ? deny('large') : 0);";
    const changed = (folder: string) =>
      writeFileSync(join(folder, "policy.js"), "export const bpf_prog_load = () => -7;\n");
    const all = await made(policy, "bpf_prog_load", changed);
    const found = { enforced_verdict: "-E2BIG", attachment: "policy" };
    expect(all).toMatchObject(all.map(() => ({ lacks: [], checked: [{ found, isSame: false }] })));
    expect(all.length).toBe(2);
  });
});
