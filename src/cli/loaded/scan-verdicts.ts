import { mapSubject } from "../../engine/files/map-subject.js";
import type { RequestWithMaps, TimedEngine } from "../../engine/timed-engine.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import {
  POSSIBILITIES,
  type Possibility,
  type ScannedProgram,
  scannedMap,
  scannedSubject,
} from "../../loaded/facts/scanned-program.js";
import type { MapReport } from "../../loaded/model/objects.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { ExaminedScan } from "../../loaded/scan.js";
import type { Current } from "../../policy/model/current.js";

/** What a configuration would have decided about an object that is loaded. */
export interface ScanVerdict {
  readonly of: "program" | "map";
  readonly id: number;
  readonly name: string;
  readonly hook: HookName;
  readonly verdict: "denied" | "not decided" | "nobody asked" | "allowed";
  /** Why it is not allowed; null if it is, or nobody was asked. */
  readonly reason: string | null;
}

type Asked = Pick<TimedEngine, "decideAll">;

/**
 * What the policies of an engine decide about what is loaded: programs, then maps. `callerOf` is asked with the uid.
 */
export async function scanVerdicts(
  engine: Asked,
  { maps }: Scan,
  { subjects }: Pick<NonNullable<ExaminedScan["examined"]>, "subjects">,
  callerOf: (uid: number) => Current,
): Promise<readonly ScanVerdict[]> {
  const programs = await programVerdicts(engine, subjects, ({ report }) => callerOf(report.uid));
  return [...programs, ...(await mapVerdicts(engine, maps, callerOf(0)))];
}

/**
 * What the policies decide about loaded programs: of their load, then of their hand-out. `callerOf` is the task that
 * counts as the loader. Each decision sees the maps of the configuration as they are, and leaves no writes.
 */
async function programVerdicts(
  engine: Asked,
  programs: readonly ScannedProgram[],
  callerOf: (program: ScannedProgram) => Current,
): Promise<readonly ScanVerdict[]> {
  const hooks = ["bpf_prog_load", "bpf_prog"] as const;
  const asked = programs.flatMap((program) => hooks.map((hook) => ({ program, hook })));
  const questions = asked.flatMap(({ program, hook }) =>
    POSSIBILITIES.map((possibility): RequestWithMaps => {
      const subject = scannedSubject(program, possibility, hook === "bpf_prog");
      return { hook, subject, current: callerOf(program), maps: {} };
    }),
  );
  const decisions = await engine.decideAll(questions);
  return asked.map(({ program: { report }, hook }, index) => {
    const first = index * POSSIBILITIES.length;
    const outcomes = Object.fromEntries(
      POSSIBILITIES.map((possibility, at) => [possibility, outcomeOf(decisions[first + at]!)]),
    ) as Record<Possibility, Outcome>;
    return { of: "program", id: report.id, name: report.name, hook, ...certain(outcomes) };
  });
}

/** The same of maps: of their creation, then of their hand-out with the access that their flags allow. */
async function mapVerdicts(
  engine: Asked,
  maps: readonly MapReport[],
  current: Current,
): Promise<readonly ScanVerdict[]> {
  const hooks = ["bpf_map_create", "bpf_map"] as const;
  const asked = maps.flatMap((report) => hooks.map((hook) => ({ report, hook })));
  const questions = asked.map(({ report, hook }): RequestWithMaps => {
    const access = report.flags & RDONLY ? "r" : report.flags & WRONLY ? "w" : "rw";
    const subject = mapSubject({ ...scannedMap(report), contents: null }, hook === "bpf_map" ? access : null);
    return { hook, subject, current, maps: {} };
  });
  const decisions = await engine.decideAll(questions);
  return asked.map(({ report: { id, name }, hook }, index) => {
    return { of: "map", id, name, hook, ...outcomeOf(decisions[index]!) };
  });
}

/** BPF_F_RDONLY and BPF_F_WRONLY of linux/bpf.h: the access of user space to the map. */
const RDONLY = 1 << 3;
const WRONLY = 1 << 4;

type Outcome = Pick<ScanVerdict, "verdict" | "reason">;

/**
 * The verdict whatever of its possible effects a program has. It is denied if it is denied with all of them, and
 * allowed only if it is allowed with all, without any, and without asking for one of them.
 */
function certain({ most, unknown, least }: Record<Possibility, Outcome>): Outcome {
  if (most.verdict === "denied") {
    if (unknown.verdict === "denied") return unknown;
    return { verdict: "denied", reason: `${most.reason}, by what it can at most do` };
  }
  return [most, unknown, least].find(({ verdict }) => verdict !== "allowed") ?? most;
}

/** A fault is no decision, whatever the attachment's `on_fault` makes of it: mostly a fact is not known. */
function outcomeOf({ answers, denied_by }: Decision): Outcome {
  const enforced = answers.filter(({ mode }) => mode === "enforce");
  const denial = enforced.find(({ fault, denial }) => fault === null && denial !== null)?.denial;
  if (denial != null) return { verdict: "denied", reason: denial.reason };
  const fault = enforced.find(({ fault }) => fault !== null)?.fault;
  if (fault != null) return { verdict: "not decided", reason: `${fault.message} [${fault.code}]` };
  if (denied_by !== null) return { verdict: "denied", reason: denied_by.reason };
  return { verdict: answers.length === 0 ? "nobody asked" : "allowed", reason: null };
}
