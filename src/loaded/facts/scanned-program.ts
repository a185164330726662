import { EFFECTS, type Effects, type Evidence, type MapFacts, type ProgramSubject } from "../../bpf/model/facts.js";
import { factsOfMap } from "../../bpf/model/map-memory.js";
import type { MapReport, ProgramReport } from "../model/objects.js";

/** What is known of a program that was loaded before anybody was asked. */
export interface ScannedProgram {
  readonly report: ProgramReport;
  /** Null if it has none; undefined if it is not known. */
  readonly attachType: string | null | undefined;
  readonly attachTo: string | null | undefined;
  /** What it can at most do. */
  readonly effects: Effects;
  readonly evidence: readonly Evidence[];
  /** SHA-256 of the instructions as they were loaded, in lower-case hex; null if the kernel does not show it. */
  readonly digest: string | null;
  /** Those of its report, as far as the kernel lists them. */
  readonly maps: readonly MapReport[];
}

/**
 * How effects are given that the program has at most, so that it may not have them: `most` says that it has them,
 * `least` that it has not, and `unknown` leaves them out. `read_only` is the other way round.
 */
export const POSSIBILITIES = ["most", "unknown", "least"] as const;
export type Possibility = (typeof POSSIBILITIES)[number];

/**
 * The subject of hook `bpf_prog_load`, or with `isLoaded` of `bpf_prog`. It lacks each fact that a scan does not know,
 * so that a policy that reads it has the fault UNKNOWN_FACT.
 */
export function scannedSubject(program: ScannedProgram, possibility: Possibility, isLoaded: boolean): ProgramSubject {
  const { report, attachType, attachTo, digest, maps, evidence } = program;
  const facts: Partial<ProgramSubject> = {
    name: report.name,
    section: null,
    type: report.type,
    ...(attachType === undefined ? {} : { expected_attach_type: attachType }),
    ...(attachTo === undefined ? {} : { attach_to: attachTo }),
    gpl_compatible: report.gplCompatible,
    ...(digest === null ? {} : { digest, tag: digest.slice(0, 16) }),
    // A program that has lost a map of its report was not read as a whole.
    ...(maps.length === report.maps.length ? { maps: maps.map(scannedMap) } : {}),
    effects: possibleEffects(program.effects, possibility),
    evidence,
    object: null,
    loaded: isLoaded
      ? {
          tag: report.tag,
          verified_insns: report.verifiedInsns,
          xlated_size: report.translated,
          jited_size: report.jited,
          map_ids: report.maps,
        }
      : null,
    rewritten: false,
  };
  return Object.freeze(facts) as ProgramSubject;
}

/** BPF_F_RDONLY_PROG of linux/bpf.h. */
const RDONLY_PROG = 1 << 7;

/** Lacks the contents of a map that can have them as a fact: they are not read. */
export function scannedMap(report: MapReport): MapFacts {
  const { name, type, keySize, valueSize, maxEntries, flags, frozen } = report;
  const sizes = { key_size: keySize, value_size: valueSize, max_entries: maxEntries };
  const { contents, ...facts } = factsOfMap({ name, type, ...sizes, flags, contents: null });
  return frozen === false || (flags & RDONLY_PROG) === 0 ? { ...facts, contents } : (facts as MapFacts);
}

function possibleEffects(effects: Effects, possibility: Possibility): Effects {
  if (possibility === "most") return effects;
  const unsure = EFFECTS.filter((name) => effects[name]);
  if (possibility === "unknown") {
    const left = Object.entries(effects).filter(([name, is]) => (name === "read_only" ? is : !is));
    return Object.fromEntries(left) as unknown as Effects;
  }
  return { ...effects, ...Object.fromEntries(unsure.map((name) => [name, false])), read_only: true };
}
