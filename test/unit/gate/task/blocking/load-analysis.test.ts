import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Btf } from "../../../../../src/bpf/btf/btf.js";
import type { CodeMap } from "../../../../../src/bpf/model/code.js";
import { BpfObject } from "../../../../../src/bpf/object.js";
import { factsOfLoad, type Load } from "../../../../../src/bpf/prog-load.js";
import { type Analysis, analyse, namedTypes } from "../../../../../src/gate/task/blocking/load-analysis.js";
import { example } from "../../../../support/examples.js";
import { loadOf } from "../../../../support/growing-programs.js";
import { liveLoad } from "../../../../support/live-load.js";

const EXAMPLES = ["rate-limit", "exec-log", "xdp-steer", "switch-watch", "exec-guard", "peek-tc"];
const VMLINUX = "/sys/kernel/btf/vmlinux";

/** What the gate makes of a load for another thread. */
function analysisOf({ fds, kernel, ...load }: Load): Analysis {
  const maps = new Map<string, CodeMap>();
  for (let fd = 0; fd < 64; fd++) {
    const map = fds.mapByFd(fd);
    if (map !== null) maps.set(`fd ${fd}`, map);
  }
  const attr = Buffer.from(load.attr);
  const target = { attachBtfId: attr.readUInt32LE(108), expectedAttachType: attr.readUInt32LE(68) };
  return { ...load, maps, kernel: kernel === null ? null : namedTypes(load.insns, target, kernel as Btf) };
}

describe("the analysis of a load that crosses threads", () => {
  it.each(EXAMPLES)("gives the facts that it gives in place: %s", (name) => {
    const kernel = existsSync(VMLINUX) ? new Btf(readFileSync(VMLINUX)) : null;
    const object = new BpfObject(example(name));
    for (const of of object.functions) {
      const load = liveLoad(object, object.program(of), kernel);
      const analysis = structuredClone(analysisOf(load));
      expect(structuredClone(analyse(analysis))).toEqual({ facts: factsOfLoad(load) });
    }
  });

  it("gives the reason where there are no facts", () => {
    const load = { ...loadOf(new Uint8Array(16)), insns: new Uint8Array(8) };
    expect(structuredClone(analyse(analysisOf(load)))).toEqual({
      failure: expect.objectContaining({ code: "LOAD_MALFORMED" }),
    });
  });
});
