import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { FactDomain } from "../../../../src/fact-type.js";
import { HOOK_NAMES, hookRow } from "../../../../src/hooks/catalogue.js";
import { CURRENT_NUMBERS, CURRENT_OTHERS, ROOT_ON_HOST } from "../../../../src/policy/model/current.js";
import { CONTAINER_DOMAINS, CURRENT_DOMAINS } from "../../../../src/policy/model/current-fields.js";
import { FACTS, SUBJECTS } from "../../../../src/policy/model/facts.gen.js";
import { outsideDomain } from "../../../../src/prove/facts/in-domain.js";
import { SUBJECT_DOMAINS } from "../../../../src/prove/facts/subject-domains.js";

/** The kind that facts.gen.ts, which is made from the declarations for policies, writes for a domain. */
function kindOf(domain: FactDomain): string {
  switch (domain.kind) {
    case "flag":
      return "boolean";
    case "count":
    case "amount":
      return "number";
    case "text":
      return "string";
    case "integer or text":
      return "scalar";
    case "bytes":
      return "Bytes";
    case "unknown or":
      return kindOf(domain.of);
    case "null or":
      return `${kindOf(domain.of)}?`;
    case "list":
      return `${kindOf(domain.of)}[]`;
    case "record":
      return "record";
    case "object":
      return domain.declared;
  }
}

function compare(declared: string, fields: Readonly<Record<string, FactDomain>>, seen = new Set<string>()): void {
  const kinds = Object.fromEntries(Object.entries(fields).map(([name, domain]) => [name, kindOf(domain)]));
  expect(kinds, declared).toEqual(FACTS[declared as keyof typeof FACTS]);
  for (const domain of Object.values(fields)) {
    let inner = domain;
    while (inner.kind === "null or" || inner.kind === "list") inner = inner.of;
    if (inner.kind !== "object" || seen.has(inner.declared)) continue;
    seen.add(inner.declared);
    compare(inner.declared, inner.fields, seen);
  }
}

describe("the domains of facts", () => {
  it.each(HOOK_NAMES)("cover every fact that policies of %s are declared to see, and no other", (hook) => {
    compare(SUBJECTS[hook], SUBJECT_DOMAINS[hookRow(hook).subject]);
  });

  it("cover every field of `current` that the sandbox passes on", () => {
    compare("Current", CURRENT_DOMAINS);
    const inner = Object.keys(CONTAINER_DOMAINS).map((name) => `container.${name}`);
    const fields = [...Object.keys(CURRENT_DOMAINS).filter((name) => name !== "container"), ...inner];
    expect(fields.sort()).toEqual([...CURRENT_NUMBERS, ...CURRENT_OTHERS].sort());
  });

  it("contain the task that asks unless another is described", () => {
    const domain = { kind: "object", declared: "Current", fields: CURRENT_DOMAINS } as const;
    expect(outsideDomain(ROOT_ON_HOST, domain, "current")).toEqual([]);
  });

  it("name the place of a value that is outside", () => {
    const domain = { kind: "object", declared: "Current", fields: CURRENT_DOMAINS } as const;
    const container = { id: "c", name: null, labels: { tier: 1 }, annotations: {} };
    const { gid, ...rest } = { ...ROOT_ON_HOST, uid: -1, capabilities: ["CAP_BPF", null], container };
    expect(gid).toBe(0);
    expect(outsideDomain(rest, domain, "current")).toEqual([
      "current.uid",
      "current.gid",
      "current.capabilities.1",
      "current.container.labels.tier",
    ]);
  });

  it("are made from tables, which the declarations are made from too", () => {
    const declared = readFileSync(new URL("../../../../types/countersign.d.ts", import.meta.url), "utf8");
    for (const fields of Object.values(SUBJECT_DOMAINS))
      for (const name of Object.keys(fields)) expect(declared).toMatch(new RegExp(`^  readonly ${name}\\??: `, "m"));
  });
});
