import { hash } from "node:crypto";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import { refusedByEngine } from "../../sandbox/quickjs/syntax.js";
import type { Warning } from "../../warning.js";
import { neverMatches } from "../checks/never-matches.js";
import { checkFacts } from "../checks/unknown-facts.js";
import { checkMembers } from "../checks/unknown-members.js";
import { SUBJECTS } from "../model/facts.gen.js";
import type { Vocabulary } from "../model/vocabulary.js";
import { type LinkLimits, LinkTime } from "../syntax/link-time.js";
import { placeIn } from "../syntax/source.js";
import { hookParameters } from "../units/fact-flow.js";
import { type Files, readUnits, type Unit } from "../units/units.js";
import { arrowCandidates } from "./arrow-functions.js";
import { assemble } from "./assemble.js";
import { hooksWithoutSubject } from "./hooks-without-subject.js";
import { type ConfiguredName, configuredNames } from "./names.js";
import { locate } from "./places.js";
import type { MarksFor, Point } from "./points.js";

/** A policy and the files that it imports, linked into the one function that the sandbox runs. */
export interface LinkedPolicy {
  readonly file: string;
  /** The linked text: an expression for a function, which sandbox/guest/main.ts calls once for each runtime. */
  readonly source: string;
  /** SHA-256 of `source`, lower-case hex. */
  readonly digest: string;
  /** The hooks that the policy exports, in the order of their numbers in `source`. */
  readonly hooks: readonly string[];
  /** For each hook, whether it takes no subject; see hooks-without-subject.ts. */
  readonly blind: readonly boolean[];
  /** Names of keyrings and maps that the policy gives as literals. */
  readonly names: readonly ConfiguredName[];
  /** Probable mistakes in the policy. */
  readonly warnings: readonly Warning[];
  /** The points that `source` tells the host of, by number; empty unless {@link LinkOptions.marksFor}. */
  readonly points: readonly Point[];
  /** The names of its files, as {@link LinkOptions.read} gets them. */
  readonly files: readonly string[];
  /**
   * The place in the policy's own files, such as `policies/tc.js:4:11`, of a place in `source`. Lines and columns count
   * from 1. For a read of a property, `property` is its name.
   */
  locate(line: number, column: number, property?: string): string;
}

export interface LinkOptions extends Files {
  readonly hookNames: readonly string[];
  /** The interface of types/countersign.d.ts for each hook's subject, which facts are checked against. */
  readonly subjects?: Readonly<Record<string, string>>;
  /** All names that facts can have. If absent, the linker does not look for strings that can never match. */
  readonly vocabulary?: Vocabulary;
  /** The linked text tells the host which points it reaches, for this purpose. */
  readonly marksFor?: MarksFor | undefined;
  /** The first file that is read, if it is a library (library.ts): the linked text imports it instead of having it. */
  readonly library?: string | undefined;
  /** Units that compiling may take; those of a policy if absent. */
  readonly units?: number | undefined;
  /** Time limits, which tests change. */
  readonly limits?: LinkLimits;
}

/**
 * Links a policy. Throws POLICY_SYNTAX, POLICY_FORBIDDEN, POLICY_TOO_LARGE, POLICY_UNKNOWN_HOOK, POLICY_NO_HOOK,
 * POLICY_UNKNOWN_NAME or POLICY_UNKNOWN_FACT with the place, and what `read` throws.
 */
export function linkPolicy(file: string, options: LinkOptions): LinkedPolicy {
  const time = new LinkTime(file, options.limits);
  return linkUnits(file, readUnits(file, options, time), options, time);
}

/** Links the files of a policy that have been read. Throws as {@link linkPolicy}. */
export function linkUnits(
  file: string,
  units: readonly Unit[],
  options: Omit<LinkOptions, keyof Files>,
  time: LinkTime,
): LinkedPolicy {
  const [policy, trial] = time.linear(() => assembled(file, units, options));
  const refusal = refusedByEngine(trial, options.units);
  if (refusal === null) return policy;
  const place = policy.locate(refusal.line, refusal.column);
  if (refusal.kind === "size")
    throw new CountersignError("POLICY_TOO_LARGE", refusal.message, { place, remedy: SMALLER });
  throw new CountersignError("POLICY_SYNTAX", `QuickJS cannot parse this module: ${refusal.message}`, {
    place,
    remedy: "rewrite that code with simpler syntax",
  });
}

function assembled(
  file: string,
  units: readonly Unit[],
  { hookNames, subjects = SUBJECTS, vocabulary, marksFor, library }: Omit<LinkOptions, keyof Files>,
): [policy: LinkedPolicy, trial: string] {
  const hooks = hooksOf(units.at(-1)!, hookNames);
  const { source } = units.at(-1)!;
  const arrows = arrowCandidates(source, hooks);
  const { text, trial, parts, points } = assemble(units, hooks, arrows, marksFor, library);
  let digest: string | undefined;
  const policy: LinkedPolicy = {
    file,
    source: text,
    // Computed on demand: many policies are linked and never asked.
    get digest() {
      digest ??= hash("sha256", text);
      return digest;
    },
    hooks,
    blind: hooksWithoutSubject(source, hooks, arrows),
    names: units.flatMap(configuredNames),
    warnings: [
      ...checkMembers(units),
      ...checkFacts(hookParameters(units, hooks, subjects)),
      ...(vocabulary === undefined ? [] : neverMatches(units, hooks, vocabulary)),
    ],
    points,
    files: units.map(({ source }) => source.file),
    locate: (line, column, property) => locate(parts, line, column, property) ?? file,
  };
  return [policy, trial];
}

const SMALLER = "move tables to maps of the configuration, shorten regular expressions, or split the policy";

function hooksOf({ source, exports }: Unit, known: readonly string[]): string[] {
  for (const [name, { node }] of exports) {
    if (known.includes(name)) continue;
    throw new CountersignError(
      "POLICY_UNKNOWN_HOOK",
      `exports \`${name}\`, which is not a hook${didYouMean(name, known)}`,
      {
        place: placeIn(source, node),
        remedy: `export hooks only: ${known.join(", ")}`,
      },
    );
  }
  if (exports.size > 0) return [...exports.keys()];
  throw new CountersignError("POLICY_NO_HOOK", "exports no hook", {
    place: source.file,
    remedy: `export a function named as a hook: ${known.join(", ")}`,
  });
}
