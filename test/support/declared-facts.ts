/**
 * Compares subjects with the declarations that ship: types/countersign.d.ts by way of the table made of it.
 */
import { domainsOf } from "../../src/fact-type.js";
import { OWN_FIELDS } from "../../src/hooks/subject-fields.js";
import { elementOf, type Kind, withoutNull } from "../../src/policy/model/fact-kinds.js";
import { FACTS } from "../../src/policy/model/facts.gen.js";

/** What of a program no policy is given. */
const WITHHELD = ["evidence"];

/** The facts of files that a subject lacks where they are unknown. */
const CAN_BE_UNKNOWN = Object.entries(domainsOf(OWN_FIELDS.file))
  .filter(([, { kind }]) => kind === "unknown or")
  .map(([name]) => name);

/** What is other than declared about facts, one line for each: `Program.tag is undefined`. */
export function differences(value: unknown, kind: Kind, path: string = kind): string[] {
  if (kind.endsWith("?")) return value === null ? [] : differences(value, withoutNull(kind), path);
  if (value === null || value === undefined) return [`${path} is ${value}`];
  const element = elementOf(kind);
  if (element !== null) {
    if (!Array.isArray(value)) return [`${path} is no array`];
    return value.flatMap((one, index) => differences(one, element, `${path}[${index}]`));
  }
  if (kind === "Bytes") return value instanceof Uint8Array ? [] : [`${path} is no bytes`];
  if (kind === "record") return typeof value === "object" ? [] : [`${path} is no object`];
  if (kind === "scalar") return ["number", "string"].includes(typeof value) ? [] : [`${path} is a ${typeof value}`];
  if (!Object.hasOwn(FACTS, kind)) return typeof value === kind ? [] : [`${path} is a ${typeof value}`];
  const facts: Readonly<Record<string, Kind>> = FACTS[kind as keyof typeof FACTS];
  const held = value as Readonly<Record<string, unknown>>;
  return [
    ...Object.keys(facts).flatMap((key) =>
      // an accessor of a class is a fact too
      key in held
        ? differences(held[key], facts[key]!, `${path}.${key}`)
        : kind === "File" && CAN_BE_UNKNOWN.includes(key)
          ? []
          : [`${path}.${key} is missing`],
    ),
    ...Object.keys(held)
      .filter((key) => !Object.hasOwn(facts, key) && !WITHHELD.includes(key))
      .map((key) => `${path}.${key} is not declared`),
  ];
}

/** A value with every fact of a kind, none of them null. */
export function sample(kind: Kind): unknown {
  const bare = withoutNull(kind);
  const element = elementOf(bare);
  if (element !== null) return [sample(element)];
  if (bare === "Bytes") return Uint8Array.of(1, 2, 3);
  const facts: Readonly<Record<string, Kind>> | undefined = FACTS[bare as keyof typeof FACTS];
  if (facts === undefined) return PRIMITIVES[bare];
  return Object.fromEntries(Object.entries(facts).map(([name, inner]) => [name, sample(inner)]));
}

const PRIMITIVES: Readonly<Record<string, unknown>> = {
  string: "text",
  number: 1,
  boolean: true,
  scalar: "2^53",
  record: { key: "x" },
};

/** An object or array of facts within a subject. */
export interface Place {
  /** An expression, such as `subject.maps[0]`. */
  readonly path: string;
  readonly kind: Kind;
  /** The facts that can be read there. */
  readonly names: readonly string[];
}

/** Every object and array within a kind, `path` being the expression for the whole. */
export function places(kind: Kind, path: string): Place[] {
  const bare = withoutNull(kind);
  const element = elementOf(bare);
  if (element !== null) return [{ path, kind: bare, names: ["length"] }, ...places(element, `${path}[0]`)];
  const facts: Readonly<Record<string, Kind>> | undefined = FACTS[bare as keyof typeof FACTS];
  if (facts === undefined) return [];
  const within = Object.entries(facts).flatMap(([name, inner]) => places(inner, `${path}.${name}`));
  return [{ path, kind: bare, names: Object.keys(facts) }, ...within];
}
