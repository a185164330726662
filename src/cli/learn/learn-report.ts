import { visibleText } from "../../visible-text.js";
import type { LearnBy } from "../../workbench/learn/learn-by.js";
import type { LeftOut } from "../../workbench/learn/learner.js";
import type { CheckedGroup, LearntCheck } from "../../workbench/learn/learnt-check.js";
import { shortened } from "../../workbench/learn/learnt-map.js";
import { isForSeenKernels, isForWholeType, type LearntRule } from "../../workbench/learn/learnt-rules.js";
import type { VaryingProgram } from "../../workbench/learn/varying-programs.js";
import type { LearntModules } from "./learnt-modules.js";

/** What `learn` prints, as JSON. */
export interface LearnReport {
  readonly by: LearnBy;
  readonly label: string | null;
  readonly loads: number;
  /** Number of rules by their kind. */
  readonly rules: Readonly<Record<LearnBy, number>>;
  readonly left_out: LeftOut;
  /** Programs that are known by digest, for the kernels only on which they were seen. */
  readonly for_seen_kernels: readonly SeenDigest[];
  /** Types of which every program is allowed, with the programs that were seen and may do anything. */
  readonly whole_types: readonly WholeType[];
  /** Number of programs that match a statement of which the log does not say who signed it. */
  readonly unasked: number;
  readonly varying: readonly VaryingProgram[];
  /** Kernel modules in records of a guard; null if there are none. */
  readonly modules: LearntModules | null;
  readonly files: readonly string[];
  /** Null without --check. */
  readonly check: (LearntCheck["counts"] & { readonly groups: readonly CheckedGroup[] }) | null;
}

export interface SeenDigest {
  readonly programs: readonly string[];
  readonly type: string;
  readonly digest: string;
  readonly kernels: readonly string[];
}

export interface WholeType {
  readonly type: string;
  readonly programs: readonly string[];
}

export function countsOf(rules: readonly LearntRule[]): LearnReport["rules"] {
  const counts = { statement: 0, digest: 0, signer: 0, effects: 0 };
  for (const { condition } of rules) counts[condition.by] += 1;
  return counts;
}

export function forSeenKernels(rules: readonly LearntRule[]): readonly SeenDigest[] {
  return rules.filter(isForSeenKernels).flatMap(({ condition, programs, kernels }) => {
    return condition.by === "digest" ? [{ programs, type: condition.type, digest: condition.digest, kernels }] : [];
  });
}

export function wholeTypes(rules: readonly LearntRule[]): readonly WholeType[] {
  return rules.filter(isForWholeType).map(({ type, programs }) => ({ type, programs }));
}

/** Number of programs, and of groups, that are named as text. */
const SHOWN = 20;

/** The report as lines for people. */
export function textOf(report: LearnReport): readonly string[] {
  const { rules, loads, by } = report;
  const kinds = Object.entries(rules).filter(([, count]) => count > 0);
  const learnt = kinds.map(([kind, count]) => `${count} by ${kind}`).join(", ");
  const lines = [
    ...(loads === 0 ? [] : [`learnt from ${counted(loads, "load")}: ${learnt}`]),
    ...moduleLines(report.modules),
    ...leftOutLines(report.left_out),
    ...seenKernelLines(report.for_seen_kernels, by),
    ...wholeTypeLines(report.whole_types),
    ...unaskedLines(report.unasked),
    ...varyingLines(report.varying),
    ...report.files,
    ...checkLines(report.check),
  ];
  return lines.map(visibleText);
}

function moduleLines(modules: LearntModules | null): readonly string[] {
  if (modules === null) return [];
  const { names, unknown } = modules;
  return [
    `learnt ${counted(names.length, "kernel module")}: ${names.join(", ")}`,
    ...(unknown.length === 0
      ? []
      : ["not learnt, since no module of the kernel has this SHA-256:", ...listed(unknown)]),
  ];
}

function leftOutLines({ denied, probes, unusable }: LeftOut): readonly string[] {
  return [
    ...(denied === 0 ? [] : [`left out: ${counted(denied, "denied load")} (see --include-denied)`]),
    ...(probes === 0 ? [] : [`left out: ${counted(probes, "probe")} of loaders, which the gate allows anyway`]),
    ...Object.entries(unusable).map(([why, count]) => `not learnt: ${counted(count, "load")}: ${why}`),
  ];
}

function seenKernelLines(programs: readonly SeenDigest[], by: LearnBy): readonly string[] {
  if (programs.length === 0) return [];
  const kernels = [...new Set(programs.flatMap((one) => one.kernels))].sort();
  const where = kernels.length === 0 ? "the kernel that loaded them" : kernels.join(", ");
  const why = by === "digest" ? "" : `, since no ${by} of theirs was verified`;
  return [
    `by digest${why}, and for ${where} only (--objects and --btf add other kernels):`,
    ...listed(
      programs.map(({ programs: names, type, digest }) => `${names.map(shortened).join(", ")} (${type}) ${digest}`),
    ),
  ];
}

function wholeTypeLines(types: readonly WholeType[]): readonly string[] {
  if (types.length === 0) return [];
  return [
    "every program of these types is allowed, since one may do anything or could not be analysed; learn by digest:",
    ...listed(types.map(({ type, programs }) => `${type}: ${programs.map(shortened).join(", ")}`)),
  ];
}

function unaskedLines(count: number): readonly string[] {
  if (count === 0) return [];
  const programs = count === 1 ? "1 of them matches" : `${count} of them match`;
  return [`${programs} a statement that no policy asked about: record with policies/observe.js`];
}

function varyingLines(programs: readonly VaryingProgram[]): readonly string[] {
  if (programs.length === 0) return [];
  return [
    "their digests differ from run to run, so that the next run is denied; learn them with --by effects:",
    ...listed(
      programs.map(({ name, type, exe, digests }) => {
        return `${shortened(name)} (${type})${exe === null ? "" : ` of ${exe}`}: ${digests} digests`;
      }),
    ),
  ];
}

function checkLines(check: LearnReport["check"]): readonly string[] {
  if (check === null) return [];
  const { allowed, denied, unknown, groups } = check;
  return [
    `checked: ${allowed} allowed, ${denied} denied, ${unknown} unknown`,
    ...listed(
      groups.map(({ result, subject, because, count, ids }) => {
        const what = result === "denied" ? `denied: ${because}` : `unknown without ${because}`;
        return `${count} × \`${shortened(subject)}\`: ${what}${ids[0] === undefined ? "" : ` [${ids[0]}]`}`;
      }),
    ),
  ];
}

function listed(lines: readonly string[]): readonly string[] {
  const shown = lines.slice(0, SHOWN).map((line) => `  ${line}`);
  return lines.length > SHOWN ? [...shown, `  … and ${lines.length - SHOWN} more, which --json has`] : shown;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
