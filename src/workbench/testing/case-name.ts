import { PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import { VOCABULARY } from "../../engine/load/vocabulary.js";
import { CountersignError } from "../../error.js";
import type { FactDomain } from "../../fact-type.js";
import { didYouMean } from "../../nearest.js";
import { meant, NAME_KINDS, type NameKind } from "../../policy/model/vocabulary.js";

/** Throws CONFIG_INVALID for a name in the description of a subject that is not among those that are known. */
export function checkName(what: string, known: readonly string[], name: string, place: string): void {
  if (known.includes(name)) return;
  const right = known === PROGRAM_TYPES ? meant("ProgramType", name, VOCABULARY) : didYouMean(name, known);
  throw new CountersignError("CONFIG_INVALID", `\`${name}\` is no ${what}${right}`, {
    place,
    remedy: "spell it as bpftool and `countersign inspect` do",
  });
}

/** Throws CONFIG_INVALID for a name, anywhere in the facts, that the type of its fact does not list. */
export function checkNames(domain: FactDomain, value: unknown, place: string): void {
  if (value === null) return;
  if (domain.kind === "null or") checkNames(domain.of, value, place);
  else if (domain.kind === "list") for (const one of value as readonly unknown[]) checkNames(domain.of, one, place);
  else if (domain.kind === "object")
    for (const [name, of] of Object.entries(domain.fields))
      checkNames(of, (value as Readonly<Record<string, unknown>>)[name], place);
  else if (domain.kind === "text" && domain.names !== null) {
    const kind = domain.names as NameKind;
    checkName(NAME_KINDS[kind], VOCABULARY[kind], value as string, place);
  }
}
