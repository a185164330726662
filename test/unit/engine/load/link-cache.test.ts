import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { CacheFolder } from "../../../../src/cache-folder.js";
import { parseConfig, readConfig } from "../../../../src/config/config.js";
import { LinkCache } from "../../../../src/engine/load/link-cache.js";
import { TimedEngine } from "../../../../src/engine/timed-engine.js";
import * as linker from "../../../../src/policy/linker/linker.js";
import { task } from "../../../task.js";

vi.mock("../../../../src/policy/linker/linker.js", { spy: true });

const POLICY = `import { deny } from "countersign";
import { limit } from "./limit.ts";
export function blob_verify(blob) {
  if (blob.name === "fault") throw new Error("at line 4");
  return blob.data.length > limit ? deny("too large") : 0;
}`;
const windows = process.geteuid === undefined;

describe.skipIf(windows)("link results of an earlier run (Windows has no owner of a file that node knows)", () => {
  let folder: string;
  let cache: string;
  /** How often the last run parsed the configuration. */
  let parsed: number;
  const at = (name: string) => join(folder, name);
  const write = (name: string, text: string) => writeFileSync(at(name), text);

  /** What the policy decides, and how often something was linked. */
  const run = async (name = "blob", code = "code") => {
    vi.mocked(linker.linkPolicy).mockClear();
    const file = at("countersign.yaml");
    const folder = CacheFolder.open(cache, code);
    const known = folder === null ? null : new LinkCache(folder, file);
    parsed = 0;
    const parse = (name: string, text: string) => {
      parsed += 1;
      return parseConfig(name, text);
    };
    const config = readConfig(file, "check", (name, text) => known?.config(name, text, parse) ?? parse(name, text));
    expect(config).toEqual(readConfig(file, "check"));
    const engine = await TimedEngine.open(config, { cache: known });
    const linked = vi.mocked(linker.linkPolicy).mock.calls.length;
    const subject = { name, digest: "d", data: Uint8Array.of(1, 2), signature: null };
    const { verdict, denied_by, answers } = await engine.decide({ hook: "blob_verify", subject, current: task() });
    const { warnings } = engine;
    engine.close();
    return { linked, verdict, reason: denied_by?.reason ?? null, place: answers[0]?.fault?.place ?? null, warnings };
  };

  // what loads the stripper takes so long that it is not kept
  beforeAll(() => {
    linker.linkPolicy("a.ts", { read: () => "export const bpf = () => 0;", hookNames: ["bpf"], root: "" });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    cache = join(folder, "cache", "countersign");
    write("policy.js", POLICY);
    write("limit.ts", "export const limit: number = 1;");
    write("countersign.yaml", "version: 1\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("are used by the next one, which decides alike", { tags: ["deep"] }, async () => {
    const first = await run();
    expect(first).toMatchObject({ linked: 1, verdict: -1, reason: "policy: too large" });
    expect(await run()).toEqual({ ...first, linked: 0 });
    expect((await run("fault")).linked).toBe(0);
  });

  it("hold the configuration as it was parsed, as long as its text is the same", { tags: ["deep"] }, async () => {
    const parses = async () => {
      await run();
      return parsed;
    };
    expect([await parses(), await parses()]).toEqual([1, 0]);
    write("countersign.yaml", `${readFileSync(at("countersign.yaml"), "utf8")}mode: audit\n`);
    expect([await parses(), await parses()]).toEqual([1, 0]);
    write("countersign.yaml", "version: 2\n");
    await expect(run()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("hold each kind of configuration whole", () => {
    const every = readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
    const [, text = ""] = /```yaml[^\n]*\n([\s\S]*?)```/.exec(every) ?? [];
    const config = parseConfig("countersign.yaml", text);
    expect(config.attachments.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(config))).toStrictEqual(config);
  });

  it("tell the place of a fault as linking does", async () => {
    const first = await run("fault");
    expect(first).toMatchObject({ linked: 1, place: "policy.js:4:45" });
    expect(await run("fault")).toEqual({ ...first, linked: 0 });
  });

  /** What makes a result that is there not count, until it is replaced. */
  const STALE: Readonly<Record<string, () => void>> = {
    "the policy has changed": () => write("policy.js", `${POLICY}\n`),
    "a file that it imports has changed": () => write("limit.ts", "export const limit: number = 1 + 0;"),
  };

  it.each(Object.keys(STALE))("do not count where %s, and are replaced", { tags: ["deep"] }, async (what) => {
    const first = await run();
    STALE[what]!();
    expect(await run()).toEqual(first);
    expect(await run()).toEqual({ ...first, linked: 0 });
  });

  it("do not count for another version of the code", async () => {
    expect((await run("blob", "code")).linked).toBe(1);
    expect((await run("blob", "other")).linked).toBe(1);
    expect((await run("blob", "other")).linked).toBe(0);
  });

  it("do not hide that a file is gone, or that a policy is rejected", async () => {
    await run();
    rmSync(at("limit.ts"));
    await expect(run()).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    write("limit.ts", "export enum limit { a }");
    await expect(run()).rejects.toMatchObject({ code: "POLICY_FORBIDDEN" });
  });

  it("do not let a policy import a file that was replaced by a link out of its folder", async () => {
    mkdirSync(at("policies"));
    write("policies/policy.js", POLICY);
    write("policies/limit.ts", "export const limit: number = 1;");
    write("countersign.yaml", "version: 1\nattachments: [{ policy: policies/policy.js }]\n");
    expect((await run()).linked).toBe(1);
    rmSync(at("policies/limit.ts"));
    symlinkSync(at("limit.ts"), at("policies/limit.ts"));
    await expect(run()).rejects.toMatchObject({ code: "POLICY_FORBIDDEN" });
  });

  it("are read only by offline commands, and by no gate", () => {
    const src = new URL("../../../../src/", import.meta.url);
    const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const having = (text: string) => files.filter((file) => readFileSync(new URL(file, src), "utf8").includes(text));
    expect(having("/open-engine.js").sort()).toEqual([
      "cli/commands/bench.ts",
      "cli/commands/check.ts",
      "cli/commands/scan.ts",
      "cli/commands/seal/seal-build.ts",
      "cli/commands/seal/seal-plan.ts",
      "cli/input/recorded-check.ts",
      "cli/input/request-check.ts",
      "cli/input/sealed-agent.ts",
      "cli/testing/test-command.ts",
    ]);
    expect(having("CacheFolder.open(")).toEqual(["cli/input/cache-option.ts"]);
    expect(having("new LinkCache(")).toEqual(["cli/input/open-engine.ts"]);
    for (const file of ["link-cache.js", "cache-folder.js"])
      expect(having(file).filter((file) => file.startsWith("gate"))).toEqual([]);
  });
});
