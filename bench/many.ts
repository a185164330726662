import { join } from "node:path";
import { readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/engine.js";
import type { Current } from "../src/policy/current.js";

/** Milliseconds since the process began, and bytes. */
export interface Told {
  readonly opened: number;
  readonly first: number;
  readonly all: number;
  readonly rss: number;
}

/** Opens the engine of a site of domains.ts and asks each policy once. */
export async function main(folder: string): Promise<Told> {
  const config = readConfig(join(folder, "countersign.yaml"));
  const engine = await Engine.open(config);
  const opened = performance.now();
  let first = 0;
  for (let index = 0; index < config.attachments.length; index++) {
    const { verdict } = engine.decide({ hook: "blob_verify", subject: blob(index), current: tenant(index) });
    if (verdict !== 0) throw new Error(`tenant ${index} was answered ${verdict}`);
    if (index === 0) first = performance.now();
  }
  return { opened, first, all: performance.now(), rss: process.memoryUsage.rss() };
}

const blob = (index: number) => ({ name: `n${index}`, digest: "d", data: Uint8Array.of(1), signature: null });

function tenant(index: number): Current {
  const container = { id: "c", name: null, labels: { tenant: `t${index}` }, annotations: {} };
  const ids = { pid: 1, tid: 1, uid: 0, euid: 0, gid: 0 };
  return { ...ids, comm: "x", exe: null, cgroup: null, capabilities: [], namespaces: {}, container };
}
