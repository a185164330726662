import { roleOf } from "../../bpf/object/section.js";
import { SECTIONS } from "../../bpf/tables/sections.gen.js";

/** What of a program its section says. */
export interface SectionFacts {
  readonly section: string | null;
  readonly type: string;
  readonly expected_attach_type: string | null;
  readonly attach_to: string | null;
}

/** Types whose programs are often written, which are tried first if the type is not said. */
const USUAL = ["xdp", "tc", "kprobe", "tracepoint", "fentry", "raw_tp", "cgroup_skb/ingress", "lsm", "syscall"];

/** Stands for a target of which only is known that there is one. */
const SOME_TARGET = "witness";

/** A section that libbpf does not know. */
const UNKNOWN = "other";

/** Names of sections, of which those come first whose programs have the most of the wanted facts. */
export function sectionsFor(wanted: SectionFacts): readonly string[] {
  // A target of no name cannot be said
  const target = wanted.attach_to === "" ? SOME_TARGET : wanted.attach_to;
  const named = SECTIONS.flatMap(([name, , , hasTarget]) =>
    target !== null && hasTarget ? [`${name}/${target}`, name] : [name],
  );
  const given = wanted.section === null || wanted.section === "" ? [] : [wanted.section];
  const ranked = [...named, UNKNOWN].map((section, index) => ({ section, rank: rankOf(section, wanted), index }));
  ranked.sort((one, other) => one.rank - other.rank || one.index - other.index);
  return [...new Set([...given, ...ranked.map(({ section }) => section)])];
}

/** A number that is the smaller, the more facts fit. */
function rankOf(section: string, wanted: SectionFacts): number {
  const { type, expectedAttachType, attachTo } = roleOf(section);
  const usual = USUAL.findIndex((name) => section === name || section.startsWith(`${name}/`));
  const wrong =
    (type === wanted.type ? 0 : 4) +
    (expectedAttachType === wanted.expected_attach_type ? 0 : 2) +
    (attachTo === wanted.attach_to ? 0 : 1);
  return 100 * wrong + (usual === -1 ? USUAL.length : usual);
}
