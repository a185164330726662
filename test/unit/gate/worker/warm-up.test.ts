import { describe, expect, it } from "vitest";
import { factsOfLoad } from "../../../../src/bpf/prog-load.js";
import { Attr, LOAD } from "../../../../src/gate/call/attr.js";
import { nothingLearnt, warmUp } from "../../../../src/gate/worker/warm-up.js";
import { FUNCTION_SIZE, LINE_SIZE, warmUpProgram } from "../../../../src/gate/worker/warm-up-program.js";
import { capabilities, Impersonator } from "../../../../src/sys/credentials.js";
import { openFiles } from "../../../support/open-fds.js";

const supported = process.platform === "linux" && process.arch === "x64";

describe("a warm-up", () => {
  it("leaves no fd behind and the thread's capabilities as they were", { tags: ["deep"] }, async ({ skip }) => {
    if (!supported) skip("needs Linux on x86-64");
    const impersonator = new Impersonator();
    for await (const _ of warmUp(impersonator)); // what is opened once for a process
    const before = { fds: openFiles(), capabilities: capabilities() };
    for await (const _ of warmUp(impersonator));
    expect({ fds: openFiles(), capabilities: capabilities() }).toEqual(before);
  });

  it("gives the subject of a program as an example for policies", { tags: ["deep"] }, async ({ skip }) => {
    if (!supported) skip("needs Linux on x86-64");
    const { examples, facts } = nothingLearnt();
    for await (const _ of warmUp(new Impersonator(), { examples, facts }));
    expect([...examples.keys()]).toEqual(["bpf_prog_load", "bpf_prog"]);
    expect(facts.size).toBeGreaterThan(1);
    for (const example of examples.values()) expect(example).toMatchObject({ name: "step", type: "tracepoint" });
  });

  it("has a program whose types, functions and lines can be read", () => {
    const { insns, btf, functions, lines } = warmUpProgram(3);
    const attr = new Attr(LOAD.size, LOAD.size);
    attr.setU32(LOAD.progType, 5);
    attr.setU32(LOAD.insnCount, insns.byteLength / 8);
    attr.setU32(LOAD.funcInfoRecordSize, FUNCTION_SIZE);
    attr.setU32(LOAD.funcInfoCount, functions.byteLength / FUNCTION_SIZE);
    attr.setU32(LOAD.lineInfoRecordSize, LINE_SIZE);
    attr.setU32(LOAD.lineInfoCount, lines.byteLength / LINE_SIZE);
    const fds = { mapByFd: () => null, mapByIndex: () => null };
    const rest = { license: "GPL", coreRelos: new Uint8Array(0), kernel: null, fds };
    const facts = factsOfLoad({ attr: attr.bytes, insns, btf, funcInfo: functions, lineInfo: lines, ...rest });
    expect(facts.name).toBe("step");
    expect(JSON.stringify(facts.evidence)).toContain("f.c:1");
  });
});
