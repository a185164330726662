import { CountersignError } from "../../../error.js";
import type { IssuedObject } from "../../call/issued-objects.js";

/** The error that reports programs that another version recorded without facts of this one; null if there are none. */
export function unknownFacts(issued: readonly IssuedObject[]): CountersignError | null {
  const missing = issued.flatMap((object) => ("missing" in object ? [object.missing ?? []] : []));
  if (missing.length === 0) return null;
  const facts = [...new Set(missing.flat())].sort();
  const programs = missing.length === 1 ? "1 program" : `${missing.length} programs`;
  return new CountersignError(
    "FACTS_UNKNOWN",
    `another version recorded ${programs} without \`${facts.join("`, `")}\`: policies at bpf_prog that read it fail`,
    { remedy: "load these programs again; see docs/errors/FACTS_UNKNOWN.md" },
  );
}
