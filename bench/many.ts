import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { CacheFolder } from "../src/cache-folder.js";
import { parseConfig, readConfig } from "../src/config/config.js";
import { Engine } from "../src/engine/decision/engine.js";
import { LinkCache } from "../src/engine/load/link-cache.js";
import type { Current } from "../src/policy/model/current.js";

/** Milliseconds since the process began, and bytes. */
export interface Told {
  readonly opened: number;
  readonly first: number;
  readonly all: number;
  readonly rss: number;
}

/**
 * Opens the engine of a site of domains.ts and asks each policy once. As a command that decides about one file: only
 * the first one, with its flags. `linked`: with link results of an earlier process, too.
 */
export async function main(folder: string, as?: "--command" | "--linked"): Promise<Told> {
  // as src/cli/input/open-engine.ts does
  if (as !== undefined) setFlagsFromString("--liftoff-only");
  const file = join(folder, "countersign.yaml");
  const cache = as === "--linked" ? new LinkCache(CacheFolder.open()!, file) : null;
  const parse = (name: string, text: string) => cache?.config(name, text, parseConfig) ?? parseConfig(name, text);
  const config = readConfig(file, "library", parse);
  const engine = await Engine.open(config, { cache });
  const opened = performance.now();
  let first = 0;
  for (let index = 0; index < (as === undefined ? config.attachments.length : 1); index++) {
    const { verdict } = engine.decide({ hook: "blob_verify", subject: blob(index), current: tenant(index) });
    if (verdict !== 0) throw new Error(`tenant ${index} was answered ${verdict}`);
    if (index === 0) first = performance.now();
  }
  cache?.save();
  return { opened, first, all: performance.now(), rss: process.memoryUsage.rss() };
}

const blob = (index: number) => ({ name: `n${index}`, digest: "d", data: Uint8Array.of(1), signature: null });

function tenant(index: number): Current {
  const container = { id: "c", name: null, labels: { tenant: `t${index}` }, annotations: {} };
  const ids = { pid: 1, tid: 1, uid: 0, euid: 0, gid: 0 };
  return { ...ids, comm: "x", exe: null, cgroup: null, capabilities: [], namespaces: {}, container };
}
