import type { FactDomain } from "../../fact-type.js";
import { get, isPlain } from "./members.js";
import { here, notDecided, raise } from "./path.js";
import { Sym, type Term, termOf } from "./term.js";

type Holder = Extract<Term, { k: "object" | "lazy" }>;

/** The caller, or its container, with some fields changed: what `change(value, changes)` of a property returns. */
export function change(value: unknown, changes: unknown): unknown {
  const term = termOf(value);
  const domains = term === null ? null : domainsOf(term);
  if (domains === null) {
    const isKnown = value === null || value === undefined;
    return isKnown ? raise("TypeError", "change: no object") : notDecided("a change of this value");
  }
  if (!isPlain(changes)) return notDecided("`change` with changes that are no object");
  const names = Object.keys(domains);
  for (const key of Object.keys(changes)) {
    if (!names.includes(key)) return raise("TypeError", `change: no field ${key}`);
    if (!isAllowed(changes[key], domains[key]!)) return notDecided(`a change of \`${key}\` to this value`);
  }
  const fields = names.map((name) => {
    const isChanged = Object.hasOwn(changes, name);
    return [name, isChanged ? () => changes[name] : () => get(here(), value, name)] as const;
  });
  return new Sym({ k: "lazy", name: (term as Holder).name, fields: Object.fromEntries(fields), domains });
}

/** The fields that can be changed; null for a value that is no caller and no container. */
function domainsOf(term: Term): Readonly<Record<string, FactDomain>> | null {
  if (term.k === "object") return term.isSubject ? null : term.fields;
  return term.k === "lazy" ? term.domains : null;
}

/** Whether a fact can have a value that the property gives it. */
function isAllowed(value: unknown, domain: FactDomain): boolean {
  switch (domain.kind) {
    case "null or":
      return value === null || isAllowed(value, domain.of);
    case "text":
      return typeof value === "string" && domain.hex === null;
    case "count":
      return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= domain.most;
    case "object": {
      const term = termOf(value);
      return term?.k === "lazy" && term.domains !== null && Object.keys(domain.fields).join() === keysOf(term);
    }
    case "record":
      return isPlain(value) && Object.values(value).every((one) => isAllowed(one, domain.of));
    default:
      return false;
  }
}

function keysOf({ fields }: Extract<Term, { k: "lazy" }>): string {
  return Object.keys(fields).join();
}
