import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Btf } from "../../../src/bpf/btf/btf.js";
import { EFFECTS } from "../../../src/bpf/model/facts.js";
import { Callees } from "../../../src/loaded/effects/callees.js";
import { KernelSymbols } from "../../../src/loaded/effects/kernel-symbols.js";
import { runsOf, TOOL_PATHS } from "../gate/libbpf-tools.js";
import { mountTracefs } from "../gate/site.js";
import { amount } from "../nightly.js";
import { buildRecorder, effectsAtMost, exactEffects, type RecordedLoad, recordedLoads } from "./recorded-loads.js";
import { needsScan } from "./scan-site.js";

const BTF = "/sys/kernel/btf/vmlinux";
/** Tools whose programs differ: tracepoints, tracing, kprobes, perf events, their own data, lookups of each kind. */
const FEW = [
  "biolatency",
  "bindsnoop",
  "cpudist",
  "filetop",
  "offcputime",
  "opensnoop",
  "runqlat",
  "syscount",
  "tcplife",
];

/**
 * Tools of libbpf-tools load their programs, as this kernel can. What each can at most do, from its translated
 * instructions, has the effects of the instructions that were loaded.
 */
describe("what the tools' programs can at most do", () => {
  const folder = mkdtempSync(join(tmpdir(), "at-most-"));
  const loads: (readonly [tool: string, load: RecordedLoad])[] = [];
  let kernel: { callees: Callees; types: Btf };

  beforeAll(() => {
    if (process.geteuid?.() !== 0 || process.arch !== "x64" || !existsSync(BTF) || TOOL_PATHS.length === 0) return;
    if (spawnSync("gcc", ["--version"]).status !== 0) return;
    mountTracefs();
    const library = join(folder, "record.so");
    buildRecorder(library);
    const types = new Btf(readFileSync(BTF), "the kernel's BTF");
    kernel = { types, callees: new Callees(new KernelSymbols(readFileSync("/proc/kallsyms")), process.arch) };
    const tools = TOOL_PATHS.filter((path) => amount(0, 1) === 1 || FEW.includes(basename(path, "-libbpf")));
    for (const path of tools) {
      const records = join(folder, basename(path));
      mkdirSync(records);
      const [run] = runsOf(path, process.pid);
      spawnSync("timeout", ["-s", "INT", "-k", "5", "60", path, ...(run?.words.slice(1) ?? [])], {
        env: { ...process.env, LD_PRELOAD: library, RECORDED_LOADS: records },
        stdio: "ignore",
      });
      if (readdirSync(records).length > 0)
        for (const load of recordedLoads(records, types)) loads.push([basename(path), load]);
    }
  }, 3_600_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it("contains the effects of their instructions, and is at most twice as many", (context) => {
    needsScan(context, "gcc");
    if (TOOL_PATHS.length === 0 || !existsSync(BTF)) context.skip("needs libbpf-tools, and a kernel with BTF");
    if (readFileSync("/proc/sys/kernel/kptr_restrict", "utf8").trim() === "2") context.skip("addresses are hidden");
    const missing: string[] = [];
    let [exact, said] = [0, 0];
    for (const [tool, load] of loads) {
      const effects = exactEffects(load);
      const found = effectsAtMost(load, kernel);
      for (const name of EFFECTS) {
        exact += Number(effects[name]);
        said += Number(found.effects[name]);
        if (effects[name] && !found.effects[name]) missing.push(`${tool} ${load.name}: ${name}`);
      }
      expect(found.unknown, `${tool} ${load.name}`).toEqual([]);
    }
    expect(missing).toEqual([]);
    expect(loads.length).toBeGreaterThan(5);
    console.info(`${loads.length} programs: ${said} effects for ${exact} exact ones`);
    expect(said).toBeLessThanOrEqual(2 * exact);
  });
});
