/** Kernel modules that `learn` finds in records of a guard. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseModuleNames } from "../../../../src/cli/kernel/modules/module-names.js";
import { EVENT_HOOKS } from "../../../../src/seal/status/event-hooks.js";
import { reasonNumber } from "../../../../src/seal/status/reasons.js";
import { guardRecord, guardStart } from "../../../../src/seal/status.js";
import { runCommand } from "../../../support/command-line.js";
import { DEPMOD, writeModuleTree } from "../../../support/module-tree.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-learn-modules-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RELEASE = "6.12.1-test";
const PATHS = DEPMOD["modules.dep"].map((line) => line.split(":")[0]!);
const contentsOf = (path: string) => Buffer.from(`module ${path}`);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const file = (path: string) => at(`root/lib/modules/${RELEASE}/${path}`);

beforeAll(() => {
  writeFileSync(at("c.yaml"), "version: 1\nattachments: []\n");
  writeFileSync(at("empty"), "");
  writeModuleTree(at("root"), RELEASE, at("empty"));
  for (const path of PATHS) writeFileSync(file(path), gzipSync(contentsOf(path)));
});

const hookNumber = (name: string) => [...EVENT_HOOKS].find(([, hook]) => hook.name === name)![0];

/** A record as `seal log` prints it. */
function record(
  digest: string,
  { hook = "kernel_post_read_file", reason = "module", mode = "audit" } = {},
  number = 1n,
) {
  const event = {
    ...{ number, time: 1n, reason: reasonNumber(reason), pid: 7, uid: 0, gid: 0, hook: hookNumber(hook) },
    ...{ detail: [100, 3, 0] as const, comm: "modprobe", digest },
  };
  return guardRecord(event, { mode: mode as "audit", time: Date.UTC(2026, 0, 2), bootId: digest + hook });
}

async function learn(records: readonly object[], ...words: readonly string[]) {
  const start = { ...guardStart({ bootId: "b", since: 0 }), kernel: RELEASE };
  writeFileSync(at("log.jsonl"), [start, ...records].map((one) => `${JSON.stringify(one)}\n`).join(""));
  rmSync(at("out"), { recursive: true, force: true });
  const common = ["--config", at("c.yaml"), "--root", at("root"), "--out", at("out")];
  const { code, out, err } = await runCommand("learn", ...common, ...words, at("log.jsonl"));
  const written = existsSync(at("out/modules")) ? readFileSync(at("out/modules"), "utf8") : null;
  const names = written === null ? null : parseModuleNames(written, "modules").map(({ text }) => text);
  return { code, out, err, names };
}

const EXT4 = "kernel/fs/ext4/ext4.ko.xz";
const NVME = "kernel/drivers/nvme/host/nvme.ko.xz";

describe("countersign learn, of a guard's log", () => {
  it("finds modules by the digest of their file, and of what is in it", async () => {
    const whole = record(sha256(readFileSync(file(NVME))));
    const contents = record(sha256(contentsOf(EXT4)), { hook: "kernel_post_load_data" });
    const again = record(sha256(readFileSync(file(NVME))), { hook: "bprm_check_security" });
    const canary = record("cd".repeat(32), { hook: "bpf_prog_load", reason: "canary" });
    const { code, out, err, names } = await learn([canary, whole, contents, again]);
    expect({ code, err, names }).toEqual({ code: 0, err: expect.any(String), names: ["ext4", "nvme"] });
    expect(out).toBe(`learnt 2 kernel modules: ext4, nvme\n${at("out/modules")}\n`);
  });

  it("names digests that no module has, and exits with 2", async () => {
    const { code, out, names } = await learn([record("ab".repeat(32)), record(sha256(contentsOf(EXT4)))]);
    expect({ code, names }).toEqual({ code: 2, names: ["ext4"] });
    expect(out).toContain(`not learnt, since no module of the kernel has this SHA-256:\n  ${"ab".repeat(32)}\n`);
  });

  it("leaves out what was denied, unless told otherwise, and other reasons", async () => {
    const denied = record(sha256(contentsOf(EXT4)), { mode: "enforce" });
    const other = record(sha256(contentsOf(NVME)), { reason: "kernel_change" });
    expect(await learn([denied, other])).toMatchObject({ code: 2, err: expect.stringContaining("[LEARN_NOTHING]") });
    expect((await learn([denied, other], "--include-denied")).names).toEqual(["ext4"]);
  });

  it("has the report as JSON", async () => {
    const { out } = await learn([record(sha256(contentsOf(EXT4)))], "--json");
    expect(JSON.parse(out)).toMatchObject({
      loads: 0,
      modules: { names: ["ext4"], unknown: [] },
      files: [at("out/modules")],
    });
  });
});
