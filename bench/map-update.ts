import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/decision/engine.js";
import type { Current } from "../src/policy/model/current.js";

const POLICY = `import { map_update } from "countersign";
let count = 0;
export const bpf_token_create = () => map_update("uses", "token", { count: count++ % 1000, names: ["a", "b"] });`;
const SCHEMA = `
    values:
      type: object
      additionalProperties: false
      required: [count]
      properties:
        count: { type: integer, minimum: 0 }
        names: { type: array, items: { type: string } }`;
const CURRENT: Current = {
  ...{ pid: 7, tid: 7, uid: 0, euid: 0, gid: 0, comm: "tc", exe: "/sbin/tc", cgroup: "/" },
  capabilities: [],
  namespaces: {},
  container: null,
};

/** Decisions that write one value to a map, without a schema of it and with one. */
export async function updates(): Promise<Readonly<Record<"without" | "with", () => void>>> {
  return { without: await decision(""), with: await decision(SCHEMA) };
}

async function decision(schema: string): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  writeFileSync(join(folder, "p.js"), POLICY);
  const config = join(folder, "countersign.yaml");
  writeFileSync(
    config,
    `version: 1
maps:
  uses:
    writable: { entries: 10, bytes: 1KiB }${schema}
attachments: [{ policy: p.js }]
`,
  );
  const engine = await Engine.open(readConfig(config));
  const subject = { name: "token", digest: "" };
  return () => {
    const { verdict } = engine.decide({ hook: "bpf_token_create", subject: subject as never, current: CURRENT });
    if (verdict !== 0) throw new Error(`map_update returned ${verdict}`);
  };
}
