import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { own } from "../../support/workplace.js";
import { TOOL_PATHS } from "./libbpf-tools.js";
import { BIN, done, mountTracefs, needsGate, Site } from "./site.js";

const POLICIES = readdirSync(own("policies")).filter((name) => /^[a-z-]+\.[jt]s$/.test(name));
/** How long each tool has, in seconds, and how many run at a time. */
const [TIME, ABREAST] = [3, 8];

/** All shipped policies in audit, beside one that allows. */
const CONFIG = `version: 1
keyrings: { platform: { trust: [ca.pem] }, network: { trust: [ca.pem] } }
maps:
  debug_read_only: { file: debug.yaml }
  allowed_programs: { file: allowed.yaml }
  container_policy: { file: containers.yaml }
  program_budget: { writable: { entries: 1000, bytes: 64KiB } }
log: { file: log.jsonl, level: inputs, rotate: 4MiB, keep: 100 }
attachments:
  - { policy: policy.js, limits: { timeout: 10s } }
${POLICIES.map((name) => `  - { policy: policies/${name}, mode: audit, limits: { timeout: 10s } }\n`).join("")}`;

describe("a log of the tools of libbpf-tools behind a gate", () => {
  let site: Site;
  beforeAll(() => {
    site = new Site("export const bpf_prog_load = () => 0, bpf_prog = () => 0;");
    mkdirSync(join(site.folder, "policies"));
    for (const name of POLICIES) copyFileSync(own(`policies/${name}`), join(site.folder, "policies", name));
    site.write("ca.pem", Authority.create({ subject: "CA" }).pem.certificate);
    site.write("debug.yaml", "uid: 1000\n");
    site.write("allowed.yaml", "none: 1\n");
    site.write("containers.yaml", "edge: { keyring: platform }\n");
    site.write("countersign.yaml", CONFIG);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    if (TOOL_PATHS.length === 0) context.skip("needs libbpf-tools");
  });

  it("is replayed the same: every decision on what they load", () => {
    mountTracefs();
    const each = `timeout -s INT ${TIME} $0 > /dev/null 2>&1 < /dev/null; true`;
    const tools = TOOL_PATHS.map((path) => basename(path)).join(" ");
    site.run("sh", "-c", `printf '%s\\n' ${tools} | xargs -P ${ABREAST} -n 1 sh -c '${each}'`);
    const log = join(site.folder, "log.jsonl");
    expect(existsSync(log)).toBe(true);
    const { status, stdout, stderr } = done([process.execPath, BIN, "replay", log]);
    expect([status, stdout, stderr]).toEqual([
      0,
      expect.stringMatching(/^\d{2,} the same, 0 different, 0 unknown/),
      "",
    ]);
  });
});
