import { Btf } from "../../src/bpf/btf/btf.js";
import { BpfObject } from "../../src/bpf/object.js";
import { missingFrom } from "../../src/bpf/report/kernel-needs.js";
import { damaged } from "../support/damage.js";
import { sectionData } from "../support/elf-patch.js";
import { example } from "../support/examples.js";
import { type FuzzTarget, outcome } from "./target.js";

const sources = ["calm-tcp", "switch-watch", "rate-limit"].map((name) => sectionData(example(name), ".BTF"));
const wanting = ["calm-tcp", "switch-watch", "exec-guard"].flatMap((name) => {
  const object = new BpfObject(example(name));
  return object.functions.map((each) => object.program(each));
});

/** BTF as a kernel's file or a loader gives it: every type of it is looked at, and programs look for what they want. */
export const target: FuzzTarget = {
  rounds: 50_000,
  round(next) {
    const bytes = damaged(sources[next(sources.length)]!, next);
    return outcome(() => {
      const btf = new Btf(bytes);
      missingFrom(btf, wanting[next(wanting.length)]!);
      for (let id = 0; id < btf.count; id++) {
        btf.name(id);
        btf.size(id);
        btf.sizeOf(id);
        btf.linkage(id);
        btf.array(id);
        if (btf.target(id) < btf.count) btf.resolve(id);
        for (const rows of [btf.members(id), btf.parameters(id), btf.variables(id)]) rows.length;
      }
    });
  },
};
