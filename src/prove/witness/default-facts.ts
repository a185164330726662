import type { FactDomain } from "../../fact-type.js";

/** A value of a domain, the simplest there is. */
export function defaultFact(domain: FactDomain): unknown {
  switch (domain.kind) {
    case "flag":
      return false;
    case "count":
    case "amount":
    case "integer or text":
      return 0;
    case "text":
      return domain.hex === null ? (domain.names === null ? "" : "unknown") : "0".repeat(2 * domain.hex);
    case "bytes":
      return new Uint8Array(0);
    case "null or":
      return null;
    case "list":
      return [];
    case "unknown or":
      return defaultFact(domain.of);
    case "record":
      return {};
    case "object":
      return defaultFacts(domain.fields);
  }
}

export function defaultFacts(fields: Readonly<Record<string, FactDomain>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, domain]) => [name, defaultFact(domain)]));
}
