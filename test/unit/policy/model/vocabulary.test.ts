import { readFileSync } from "node:fs";
import type * as guest from "countersign";
import { describe, expect, expectTypeOf, it } from "vitest";
import { VOCABULARY } from "../../../../src/engine/load/vocabulary.js";
import type { FactDomain } from "../../../../src/fact-type.js";
import { FACTS, NAMED_FACTS } from "../../../../src/policy/model/facts.gen.js";
import { NAME_KINDS, type NameKind } from "../../../../src/policy/model/vocabulary.js";
import { SUBJECT_DOMAINS } from "../../../../src/prove/facts/subject-domains.js";

const declared = readFileSync(new URL("../../../../types/countersign.d.ts", import.meta.url), "utf8");
const CLOSED = new Set(Object.values(SUBJECT_DOMAINS).flatMap((domains) => Object.values(domains).flatMap(closedIn)));
const kinds = Object.keys(NAME_KINDS) as NameKind[];
const isName = (kind: string) => Object.hasOwn(NAME_KINDS, kind);

/** The name of a list of names that no later version adds to, if a fact has one. */
function closedIn(domain: FactDomain): readonly (string | null)[] {
  if (domain.kind === "null or") return closedIn(domain.of);
  return domain.kind === "text" && domain.values !== undefined ? [domain.names] : [];
}

/** By interface: its facts that are declared as names. */
function declaredNames(): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  const bases: Record<string, string> = {};
  for (const [, name, base, body] of declared.matchAll(
    /^export interface (\w+)(?: extends (\w+))? \{\n([\s\S]*?)^\}/gm,
  )) {
    const own = Array.from(
      body!.matchAll(/^ {2}readonly (\w+): (?:readonly )?(\w+)(\[\])?/gm),
      ([, key, type, list]) => {
        return [key!, `${type}${list ?? ""}`] as const;
      },
    ).filter(([, type]) => isName(type.replace("[]", "")));
    found[name!] = Object.fromEntries(own);
    if (base !== undefined) bases[name!] = base;
  }
  for (const [name, base] of Object.entries(bases)) found[name] = { ...found[base], ...found[name] };
  return found;
}

describe("the names that facts can have", () => {
  it.each(kinds)(
    "of the type %s are declared as the tables have them, and any other text unless the list is closed",
    (kind) => {
      const union = new RegExp(`^export type ${kind} =([^;]+);`, "m").exec(declared)![1]!;
      const members = union
        .split("|")
        .map((one) => one.trim())
        .filter((one) => one !== "");
      expect(members).toEqual([
        ...VOCABULARY[kind].map((name) => JSON.stringify(name)),
        ...(CLOSED.has(kind) ? [] : ["(string & Record<never, never>)"]),
      ]);
      expect(new Set(VOCABULARY[kind]).size).toBe(VOCABULARY[kind].length);
    },
  );

  it("are declared for the facts that the linker checks, and for no other", () => {
    const checked = Object.entries(NAMED_FACTS).map(([name, facts]) => {
      return [name, Object.fromEntries(Object.entries(facts).filter(([, kind]) => isName(kind.replace("[]", ""))))];
    });
    const of = declaredNames();
    const names = Object.keys(of).filter((name) => Object.keys(of[name]!).length > 0);
    expect(Object.fromEntries(names.map((name) => [name, of[name]]))).toEqual(
      Object.fromEntries(checked.filter(([, facts]) => Object.keys(facts!).length > 0)),
    );
  });

  it("are reached by every fact that leads to them", () => {
    const leads = (kind: string): boolean => Object.hasOwn(NAMED_FACTS, kind) || kind === "Effects";
    for (const [name, facts] of Object.entries(FACTS))
      for (const [key, kind] of Object.entries(facts)) {
        const inner = kind.replace(/\?$/, "");
        if (leads(inner.replace("[]", ""))) expect(NAMED_FACTS[name]?.[key], `${name}.${key}`).toBe(inner);
      }
  });

  it("are the keys of `effects`", () => {
    expect(Object.keys(FACTS.Effects).sort()).toEqual([...VOCABULARY.EffectName].sort());
  });

  it("are offered by an editor, and another version's are no error", () => {
    expectTypeOf<"kprobe">().toExtend<guest.ProgramType>();
    expectTypeOf<"from_a_newer_kernel">().toExtend<guest.ProgramType>();
    expectTypeOf<string>().not.toEqualTypeOf<guest.ProgramType>();
    expectTypeOf<number>().not.toExtend<guest.ProgramType>();
  });
});
