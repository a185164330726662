import { factsOfObject } from "../../src/bpf/object.js";
import { programDetailsOf } from "../../src/bpf/report/program-details.js";
import { damaged } from "../support/damage.js";
import { sectionData } from "../support/elf-patch.js";
import { example } from "../support/examples.js";
import { type FuzzTarget, outcome } from "./target.js";

const SECTIONS = [".symtab", ".BTF", ".BTF.ext", ".text", "tc", ".reltc", ".rel.text", ".maps", ".strtab", "license"];

/** An object whose headers are right, with damage in one section that keeps its size. */
export const target: FuzzTarget = {
  rounds: 50_000,
  round(next) {
    const file = example("rate-limit");
    const data = sectionData(file, SECTIONS[next(SECTIONS.length)]!);
    data.set(damaged(data, next).subarray(0, data.length));
    return outcome(() => factsOfObject(file, (program) => programDetailsOf(program)));
  },
};
