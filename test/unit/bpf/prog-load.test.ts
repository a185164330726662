import { describe, expect, it } from "vitest";
import { BpfObject, factsOfObject } from "../../../src/bpf/object.js";
import { factsOfLoad } from "../../../src/bpf/prog-load.js";
import { example } from "../../support/examples.js";
import { liveLoad } from "../../support/live-load.js";

const EXAMPLES = [
  "drop-telnet",
  "exec-log",
  "kill-writer",
  "legacy-count",
  "peek-tc",
  "rate-limit",
  "switch-watch",
  "xdp-steer",
];

const loads = (name: string) => {
  const object = new BpfObject(example(name));
  return object.functions.map((each) => liveLoad(object, object.program(each)));
};

describe("the facts about a live load", () => {
  it.each(EXAMPLES)("of %s are those of its object, its section and target aside", (name) => {
    const fromFile = factsOfObject(example(name)).programs;
    for (const [index, load] of loads(name).entries()) {
      const live = factsOfLoad(load);
      const { raw_insns: _, ...file } = fromFile[index]!;
      expect(live).toEqual({
        ...file,
        raw_insns: load.insns,
        section: null,
        attach_to: null,
        evidence: expect.any(Array),
      });
      expect(live.evidence.map(({ effect, insn, source, because }) => [effect, insn, source, because])).toEqual(
        file.evidence.map(({ effect, insn, source, because }) => [effect, insn, source, because]),
      );
    }
  });

  it("leave a kfunc without a name where no kernel's BTF gives one", () => {
    const [guard] = loads("exec-guard");
    expect(factsOfLoad(guard!)).toMatchObject({ kfuncs: ["kfunc#0"], effects: { read_only: false } });
  });

  it("say that an unknown map may be shared", () => {
    const [load] = loads("peek-tc");
    const facts = factsOfLoad({ ...load!, fds: { mapByFd: () => null, mapByIndex: () => null } });
    expect(facts.maps).toEqual([]);
    expect(facts.effects.writes_shared_map).toBe(true);
  });

  it("name a program of no BTF by the attr", () => {
    const [load] = loads("drop-telnet");
    const attr = Buffer.from(load!.attr);
    attr.writeUInt32LE(0, 88);
    expect(factsOfLoad({ ...load!, attr, btf: null }).name).toBe("drop_telnet");
  });

  it("find subprograms by their calls where func_info does not tell", () => {
    const [load] = loads("rate-limit");
    const attr = Buffer.from(load!.attr);
    attr.writeUInt32LE(0, 88);
    const [told, found] = [factsOfLoad(load!), factsOfLoad({ ...load!, attr })];
    expect(found.effects).toEqual(told.effects);
  });

  it("take an attr of an older kernel, which is shorter", () => {
    const [load] = loads("drop-telnet");
    expect(factsOfLoad({ ...load!, attr: load!.attr.subarray(0, 48) })).toMatchObject({
      type: "sched_cls",
      insn_cnt: 22,
    });
  });
});
