import { GPL_COMPATIBLE } from "../../bpf/analysis/program-facts.js";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import type { Candidate } from "../identify/identify.js";
import type { KnownMap } from "../identify/known-program.js";
import type { MapReport, ProgramReport } from "../model/objects.js";
import type { LoadAgain } from "./load.js";

/** A loaded program with the known ones that it can be. */
export interface Question {
  readonly report: ProgramReport;
  /** As links and targets say it; empty if nothing says it. */
  readonly attachTypes: readonly string[];
  /** Those of its report, as far as the kernel lists them. */
  readonly maps: readonly MapReport[];
  readonly candidates: readonly Candidate[];
}

/** Known programs that one load stands for. */
export interface PlannedLoad {
  readonly load: LoadAgain;
  readonly candidates: readonly Candidate[];
}

/** What is to be loaded again for a loaded program, and why the other known ones cannot be, each once. */
export interface Plan {
  readonly loads: readonly PlannedLoad[];
  readonly obstacles: readonly string[];
}

/** Types that are loaded for a function or program that the kernel does not report in full. */
const WITH_TARGET: ReadonlySet<string> = new Set(["tracing", "lsm", "ext", "struct_ops"]);
/** Number of instructions that the verifier looks at within a second in any case. */
const MAX_VERIFIED = 500_000;

/** The loads that a question needs: one for each known program with other instructions or another attach type. */
export function plannedLoads(question: Question): Plan {
  const loads = new Map<string, { load: LoadAgain; candidates: Candidate[] }>();
  const obstacles = new Set<string>();
  for (const candidate of question.candidates) {
    const load = loadOf(candidate, question);
    if (typeof load === "string") {
      obstacles.add(load);
      continue;
    }
    const key = `${candidate.digest} ${load.type} ${load.attachType} ${load.flags} ${load.functions?.records.length}`;
    const same = loads.get(key);
    if (same === undefined) loads.set(key, { load, candidates: [candidate] });
    else same.candidates.push(candidate);
  }
  return { loads: [...loads.values()], obstacles: [...obstacles] };
}

/** The load of a candidate, or why it cannot be loaded again, as a clause. */
function loadOf(known: Candidate, { report, attachTypes, maps }: Question): LoadAgain | string {
  if (WITH_TARGET.has(report.type)) return `programs of type ${report.type} need a target`;
  if (report.device !== null) return "it was loaded for a device";
  if (report.verifiedInsns > MAX_VERIFIED) return "it takes too long to verify";
  if (known.insns === null) return "only the digest of the known program is known";
  const type = PROGRAM_TYPES.indexOf(report.type);
  if (type <= 0) return "its type is not known";
  if (known.license !== null && GPL_COMPATIBLE.has(known.license) !== report.gplCompatible)
    return "the known program has another licence";
  const references = referencesOf(known, maps);
  if (references === null) return "its maps are not known";
  const attachType = known.attachType ?? attachTypes[0] ?? null;
  const { functions } = known;
  const needsBtf = functions !== null && functions.length > 1 && functions.every(({ btfId }) => btfId !== null);
  return {
    type,
    attachType: attachType === null ? 0 : Math.max(0, ATTACH_TYPES.indexOf(attachType)),
    flags: known.flags,
    license: known.license ?? (report.gplCompatible ? "GPL" : ""),
    insns: known.insns,
    references,
    functions:
      needsBtf && report.btfId !== null
        ? { btf: report.btfId, records: recordsOf(functions.flatMap(({ start, btfId }) => [start, btfId!])) }
        : null,
  };
}

const recordsOf = (words: readonly number[]) => new Uint8Array(Uint32Array.from(words).buffer);

/**
 * The loaded program's own maps take the places of the known ones. Those that only removed instructions refer to are
 * found by their types and names: they do not change what is left. Null if one is not found.
 */
function referencesOf({ references, assigned }: Candidate, maps: readonly MapReport[]): LoadAgain["references"] | null {
  if (references === null || assigned === null) return null;
  const ids = new Map<KnownMap, number>();
  for (const [id, map] of assigned) ids.set(map, id);
  const left = maps.filter(({ id }) => !assigned.has(id));
  const found: LoadAgain["references"][number][] = [];
  for (const { map, slot, offset } of references) {
    if (!ids.has(map)) {
      const fitting = left.filter(({ type }) => map.type === null || map.type === type);
      const its = fitting.find(({ name }) => name !== "" && map.name.startsWith(name)) ?? fitting[0];
      if (its === undefined) return null;
      left.splice(left.indexOf(its), 1);
      ids.set(map, its.id);
    }
    found.push({ slot, map: ids.get(map)!, offset });
  }
  return found;
}
