import { existsSync } from "node:fs";
import * as z from "zod";
import { readText } from "../input.js";
import { Document } from "./document.js";
import { validated } from "./issue.js";

/** A change of a policy that its tests need not notice. */
export interface AcceptedMutant {
  /** `file:line:column` of the entry. */
  readonly place: string;
  /** The change, such as `a < b -> a <= b`. */
  readonly mutant: string;
  readonly reason: string;
}

const MUTANTS = z.array(
  z.strictObject({
    mutant: z.string().includes(" -> ", { error: "is no change; write it as `countersign test --mutate` prints it" }),
    reason: z.string().min(1, { error: "is empty; say why no test can notice the change" }),
  }),
);

const MAX_MUTANTS = 2 ** 20;

/**
 * Reads `POLICY.mutants.yaml` beside a file of a policy; empty if there is none. Throws FILE_UNREADABLE,
 * FILE_TOO_LARGE, and CONFIG_INVALID with the place.
 */
export function acceptedMutants(policy: string): readonly AcceptedMutant[] {
  const file = policy.replace(/\.[a-z]+$/, ".mutants.yaml");
  if (!existsSync(file)) return [];
  const document = new Document(file, readText(file, MAX_MUTANTS), "CONFIG_INVALID");
  return validated(document, MUTANTS).map((given, index) => ({ ...given, place: document.place([index, "mutant"]) }));
}
