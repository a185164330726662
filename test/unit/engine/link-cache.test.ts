import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { parseConfig, readConfig } from "../../../src/config/config.js";
import { LinkCache } from "../../../src/engine/link-cache.js";
import { TimedEngine } from "../../../src/engine/timed-engine.js";
import * as linker from "../../../src/policy/linker.js";
import { task } from "../../task.js";

vi.mock("../../../src/policy/linker.js", { spy: true });

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
    const known = LinkCache.open(file, code, cache);
    parsed = 0;
    const parse = (name: string, text: string) => {
      parsed += 1;
      return parseConfig(name, text);
    };
    const config = readConfig(file, "check", (name, text) => known?.config(name, text, parse) ?? parse(name, text));
    expect(config).toEqual(readConfig(file, "check"));
    const engine = await TimedEngine.open(config, known);
    const linked = vi.mocked(linker.linkPolicy).mock.calls.length;
    const subject = { name, digest: "d", data: Uint8Array.of(1, 2), signature: null };
    const { verdict, denied_by, answers } = await engine.decide({ hook: "blob_verify", subject, current: task() });
    const { warnings } = engine;
    engine.close();
    return { linked, verdict, reason: denied_by?.reason ?? null, place: answers[0]?.fault?.place ?? null, warnings };
  };
  const stored = () => join(cache, readdirSync(cache)[0]!);

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

  it("are used by the next one, which decides alike", async () => {
    const first = await run();
    expect(first).toMatchObject({ linked: 1, verdict: -1, reason: "policy: too large" });
    expect(await run()).toEqual({ ...first, linked: 0 });
    expect((await run("fault")).linked).toBe(0);
  });

  it("hold the configuration as it was parsed, as long as its text is the same", async () => {
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
    const every = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
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

  it("are in a folder and a file that nobody else can read or write, and nothing else is left there", async () => {
    await run();
    expect([statSync(cache).mode & 0o777, statSync(stored()).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(readdirSync(cache)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.link$/)]);
  });

  /** What makes a result that is there not count, until it is replaced. */
  const STALE: Readonly<Record<string, () => void>> = {
    "the policy has changed": () => write("policy.js", `${POLICY}\n`),
    "a file that it imports has changed": () => write("limit.ts", "export const limit: number = 1 + 0;"),
    "its file was cut off": () => truncateSync(stored(), statSync(stored()).size - 1),
    "its file is empty": () => truncateSync(stored(), 0),
    "one byte of its file is another one": () => {
      const bytes = readFileSync(stored());
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(stored(), bytes);
    },
    "its file is gone": () => rmSync(stored()),
    "its file is a link": () => {
      const file = stored();
      renameSync(file, at("elsewhere"));
      symlinkSync(at("elsewhere"), file);
    },
    "others can write its file": () => chmodSync(stored(), 0o606),
    "its group can write its file": () => chmodSync(stored(), 0o660),
    "it is of another version of the linker": () => {
      const text = readFileSync(stored(), "utf8");
      writeFileSync(stored(), text.replace(/^\w{64}/, "0".repeat(64)));
    },
  };

  it.each(Object.keys(STALE))("do not count where %s, and are replaced", async (what) => {
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

  /** Folders in which nothing is read or written. */
  const UNFIT: Readonly<Record<string, () => void>> = {
    "others can write the folder": () => chmodSync(cache, 0o707),
    "the group can write the folder": () => chmodSync(cache, 0o770),
    "the folder is a link": () => {
      renameSync(cache, at("elsewhere"));
      symlinkSync(at("elsewhere"), cache);
    },
    "a file is there instead": () => {
      rmSync(cache, { recursive: true });
      writeFileSync(cache, "");
    },
  };

  it.each(Object.keys(UNFIT))("are not used where %s", async (what) => {
    await run();
    UNFIT[what]!();
    expect(LinkCache.open(at("countersign.yaml"), "code", cache)).toBeNull();
    expect(await run()).toMatchObject({ linked: 1, verdict: -1 });
    expect(await run()).toMatchObject({ linked: 1, verdict: -1 });
  });

  it("are not used by code that is not bundled, since nothing says which it is", () => {
    expect(LinkCache.open(at("countersign.yaml"), null, cache)).toBeNull();
  });

  it("do not hide that a file is gone, or that a policy is rejected", async () => {
    await run();
    rmSync(at("limit.ts"));
    await expect(run()).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    write("limit.ts", "export enum limit { a }");
    await expect(run()).rejects.toMatchObject({ code: "POLICY_FORBIDDEN" });
  });

  it("do not let a policy import what has become a link out of its folder", async () => {
    mkdirSync(at("policies"));
    write("policies/policy.js", POLICY);
    write("policies/limit.ts", "export const limit: number = 1;");
    write("countersign.yaml", "version: 1\nattachments: [{ policy: policies/policy.js }]\n");
    expect((await run()).linked).toBe(1);
    rmSync(at("policies/limit.ts"));
    symlinkSync(at("limit.ts"), at("policies/limit.ts"));
    await expect(run()).rejects.toMatchObject({ code: "POLICY_FORBIDDEN" });
  });

  it("are kept for the last 32 configurations", async () => {
    await run();
    for (let number = 0; number < 40; number++) {
      const file = join(cache, `${number}`.padStart(64, "0"));
      writeFileSync(file, "");
      utimesSync(file, number, number);
    }
    write("policy.js", `${POLICY}\n`);
    await run();
    const left = readdirSync(cache);
    expect(left).toHaveLength(32);
    expect(left.filter((name) => name.endsWith(".link"))).toHaveLength(1);
    expect(left).not.toContain("8".padStart(64, "0"));
    expect((await run()).linked).toBe(0);
  });

  it("that cannot be written only cost time", async () => {
    await run();
    write("policy.js", `${POLICY}\n`);
    const open = LinkCache.open(at("countersign.yaml"), "code", cache)!;
    rmSync(cache, { recursive: true });
    open.add(
      "x",
      new Map(),
      linker.linkPolicy("x.js", { read: () => "export const bpf = () => 0;", hookNames: ["bpf"], root: "" }),
    );
    open.save();
    expect(existsSync(cache)).toBe(false);
  });

  it.each([
    ["in a file system that makes no folders", () => "/proc/none/countersign"],
    ["in a folder that is two levels from being there", () => join(folder, "no", "such", "countersign")],
    ["below a file", () => at("policy.js/countersign")],
  ])("are not kept %s", (_, place) => {
    expect(LinkCache.open(at("countersign.yaml"), "code", place())).toBeNull();
  });

  it("are opened by commands that decide offline alone, and by no gate", () => {
    const src = new URL("../../../src/", import.meta.url);
    const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
    const having = (text: string) => files.filter((file) => readFileSync(new URL(file, src), "utf8").includes(text));
    expect(having("LinkCache.open(")).toEqual(["cli/ask.ts"]);
    expect(having("./ask.js").sort()).toEqual(["cli/check.ts", "cli/test.ts"]);
    expect(having("link-cache.js").filter((file) => file.startsWith("gate"))).toEqual([]);
  });
});
