import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BpfObject } from "../../../src/bpf/object.js";
import type { InstalledObject } from "../../support/real-objects.js";
import { runningKernel, writeKernelFolder } from "./kernel-folder.js";
import { LibbpfRecorder } from "./libbpf-recorder.js";
import type { Recordings } from "./recording.js";
import { testedObjects } from "./tested-objects.js";

describe("what libbpf is recorded to load on the running kernel", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-kernel-"));
  let reason: string | null = null;
  let objects: readonly InstalledObject[];
  let recordings: Recordings;

  beforeAll(() => {
    const recorder = LibbpfRecorder.open();
    const kernel = runningKernel();
    const tested = testedObjects();
    if (typeof recorder === "string" || typeof kernel === "string" || typeof tested === "string") {
      reason = [recorder, kernel, tested].find((each): each is string => typeof each === "string")!;
      return;
    }
    writeKernelFolder(folder, kernel);
    objects = tested;
    recordings = recorder.record(folder, tested);
    recorder.close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is every program of libbpf-tools, some with a target that exists", (context) => {
    if (reason !== null) return context.skip(reason);
    const tools = recordings.programs.filter(({ object }) => object.startsWith("libbpf-tools/"));
    expect(tools.length).toBeGreaterThan(300);
    expect(tools.filter(({ load }) => load === null)).toEqual([]);
    for (const { target, refusal } of tools)
      expect(refusal?.log[0] ?? "").toMatch(target === null ? /^$/ : /failed to find kernel BTF type ID of/);
  });

  it("is refused where the object asks for what no kernel has", (context) => {
    if (reason !== null) return context.skip(reason);
    const first = (name: string) =>
      recordings.programs.filter(({ object }) => object === `own/${name}-v3`).map(({ refusal }) => refusal?.log[0]);
    expect(first("no-such-config")).toEqual([expect.stringContaining("'CONFIG_COUNTERSIGN_NOWHERE' (strong): not")]);
    expect(first("no-such-kfunc")).toEqual([expect.stringContaining("not found in kernel or module BTFs")]);
    expect(first("no-such-symbol")).toEqual([expect.stringContaining("'countersign_no_such_symbol' (strong): not")]);
    const variable = expect.stringContaining("not found in kernel BTF");
    expect(first("no-such-variable")).toEqual([variable, variable]);
    expect(first("unknown-section")).toEqual([expect.stringContaining("missing BPF prog type"), undefined]);
    expect(first("struct-ops-nowhere")).toEqual([expect.stringContaining("is not found in kernel BTF")]);
    expect(first("too-far")).toEqual([expect.stringContaining("value too big"), ...Array(3).fill(undefined)]);
  });

  it("has the instructions that the object's parts are linked to, where nothing is relocated", (context) => {
    if (reason !== null) return context.skip(reason);
    let compared = 0;
    for (const { name, bytes } of objects) {
      const object = new BpfObject(bytes);
      for (const of of object.functions) {
        const program = object.program(of);
        const { load } = recordings.programs.find((one) => one.object === name && one.program === of.name)!;
        const externs = [...program.linked.references.values()].filter(({ to }) => to !== "map");
        if (load === null || externs.length > 0 || program.rewrittenSlots().length > 0) continue;
        expect(Buffer.from(load.insns).equals(program.linked.insns), `${name}: ${of.name}`).toBe(true);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(100);
  });
});
