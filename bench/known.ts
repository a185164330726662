import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/decision/engine.js";
import type { Current } from "../src/policy/model/current.js";
import { Authority } from "../src/trust/issuing/authority.js";
import { subjectsOf } from "../test/support/file-subjects.js";

/** Policies that stay within the interface of every version that is compared. */
const POLICIES: Readonly<Record<string, string>> = {
  "known facts": `export const bpf_prog_load = (prog) =>
  prog.type === "sched_cls" && !prog.effects.reads_kernel_memory && prog.maps.length < 100 ? 0 : -1;`,
  "a loop over facts": `export function bpf_prog_load(prog) {
  let found = 0;
  for (const name of prog.helpers) if (name.startsWith("map_")) found += 1;
  for (const map of prog.maps) found += map.max_entries > 0 ? 1 : 0;
  return found >= 0 && prog.insn_cnt > 0 ? 0 : -1;
}`,
  "`current` read": `export const bpf_prog_load = (prog, current) =>
  current.uid === 0 && current.container === null && prog.license !== "none" ? 0 : -1;`,
  "a denial with a reason": `import { deny } from "countersign";
export const bpf_prog_load = (prog) => deny("no " + prog.name);`,
  "a signature found absent": `import { verify_signature } from "countersign";
export const bpf_prog_load = (prog) => verify_signature(prog.insns, prog.signature, "platform", "PKCS7") === 0 ? -1 : 0;`,
};

const CURRENT: Current = {
  ...{ pid: 7, tid: 7, uid: 0, euid: 0, gid: 0, comm: "tc", exe: "/sbin/tc", cgroup: "/" },
  capabilities: [],
  namespaces: {},
  container: null,
};

/** For each policy, a function that decides about one program which the engine has seen before. `object` is a path. */
export async function decisions(object: string): Promise<Readonly<Record<string, () => unknown>>> {
  const [subject] = subjectsOf(object, readFileSync(object), "bpf_prog_load");
  const made: Record<string, () => unknown> = {};
  for (const [name, text] of Object.entries(POLICIES)) {
    const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies/p.js"), text);
    const config = join(folder, "countersign.yaml");
    writeFileSync(join(folder, "ca.pem"), Authority.create({ subject: "CA" }).pem.certificate);
    writeFileSync(
      config,
      "version: 1\nkeyrings: { platform: { trust: [ca.pem] } }\nattachments: [{ policy: policies/p.js }]\n",
    );
    const engine = await Engine.open(readConfig(config));
    made[name] = () => engine.decide({ hook: "bpf_prog_load", subject: subject as never, current: CURRENT });
  }
  return made;
}
