import { type DecidingWay, type SubjectField, whenUnknown } from "./known-fact.js";

/**
 * The values that a fact can have, for `countersign prove`. A domain may contain values that no fact ever has, but
 * never lacks one that a fact can have: what is proved about all values of the domain is then true of the fact.
 */
export type FactDomain =
  | { readonly kind: "flag" }
  /** The integers from 0 to `most`. */
  | { readonly kind: "count"; readonly most: number }
  /** The integers from 0 to {@link LARGEST_AMOUNT}: one above 2^53 is rounded. */
  | { readonly kind: "amount" }
  /**
   * Any string of UTF-16 code units; `hex` is the number of bytes if it is lower-case hex, `names` a type of names, and
   * `values` are all of these if no later version adds to them.
   */
  | {
      readonly kind: "text";
      readonly names: string | null;
      readonly hex: number | null;
      readonly values?: readonly string[];
    }
  | { readonly kind: "integer or text" }
  | { readonly kind: "bytes" }
  | { readonly kind: "null or"; readonly of: FactDomain }
  | { readonly kind: "list"; readonly of: FactDomain }
  /** An object with exactly these facts; `declared` is the name of its interface. */
  | { readonly kind: "object"; readonly declared: string; readonly fields: Readonly<Record<string, FactDomain>> }
  /** A fact that can be unknown: the object lacks it then. It is only the type of a field of an object. */
  | { readonly kind: "unknown or"; readonly of: FactDomain }
  /** An object with any keys, which inherits nothing. */
  | { readonly kind: "record"; readonly of: FactDomain };

/** No product of two counts is larger, nor a sum of a few of them. */
export const LARGEST_AMOUNT = 2 ** 110;

/** The type of a fact, for the engine, for policies and for text that is read back. */
export interface FactType<T> {
  /** The type in types/countersign.d.ts. */
  readonly declared: string;
  readonly domain: FactDomain;
  /** Whether it is a string, a number or a boolean, or null. */
  readonly isScalar: boolean;
  /** When the fact is null, as a clause; absent if it never is. */
  readonly whenNull?: string;
  /** The table of the object, or of the objects in the list. */
  readonly fields?: FactFields;
  /**
   * Reads a value that was written as text. Returns undefined for a value of another type. Adds the paths of facts that
   * an object lacks to `missing`; facts that an object has and this version does not know are left out.
   */
  read(value: unknown, path: string, missing: string[]): T | undefined;
}

/** One fact: a row of a table. {@link SubjectField} is one that policies see. */
export interface FactField<T = unknown> {
  readonly type: FactType<T>;
  /** One or two sentences for policies' authors, for the declarations and the documentation. */
  readonly doc: string;
}

/**
 * A row of a table of facts that not all owners have: the commands of bpf(2), or the kinds of attach targets. For any
 * owner that `of` does not name, the fact is null.
 */
export interface OwnedField<Owner extends string = string> {
  readonly of: readonly Owner[] | "all";
}

/** Whether a command, or an attach target of a kind, has a fact; for any other it is null. */
export function isFactOf({ of }: OwnedField, owner: string): boolean {
  return of === "all" || of.includes(owner);
}

export type FactFields = Readonly<Record<string, FactField>>;
export type OwnedFields<Owner extends string = string> = Readonly<Record<string, FactField & OwnedField<Owner>>>;

/** The object that a table of facts describes. */
export type FactsOf<F extends FactFields> = {
  readonly [N in keyof F as F[N] extends Unknowable ? never : N]: ValueOf<F[N]>;
} & { readonly [N in keyof F as F[N] extends Unknowable ? N : never]?: ValueOf<F[N]> };

/** A row that is unknown in one of the ways that decide. */
type Unknowable = {
  [W in DecidingWay]: { readonly known: { readonly [_ in W]: { readonly unknown: string } } };
}[DecidingWay];
type ValueOf<F extends FactField> = F["type"] extends FactType<infer T> ? T : never;

function scalar<T>(declared: string, domain: FactDomain, is: (value: unknown) => boolean): FactType<T> {
  return { declared, domain, isScalar: true, read: (value) => (is(value) ? (value as T) : undefined) };
}

export const FLAG = scalar<boolean>("boolean", { kind: "flag" }, (value) => typeof value === "boolean");
export const COUNT = scalar<number>(
  "number",
  { kind: "count", most: Number.MAX_SAFE_INTEGER },
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);
/** An id of the kernel: of a task, a user or a group. */
export const ID = scalar<number>(
  "number",
  { kind: "count", most: 0xffff_ffff },
  (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff,
);
/** A product of counts, which can be larger than the integers that a number represents exactly. */
export const AMOUNT: FactType<number> = { ...COUNT, domain: { kind: "amount" } };
export const BYTES: FactType<Uint8Array> = {
  declared: "Bytes",
  domain: { kind: "bytes" },
  isScalar: false,
  read: (value) => (value instanceof Uint8Array ? value : undefined),
};
export const TEXT = named("string");
export const INTEGER_OR_TEXT: FactType<number | string> = scalar(
  "number | string",
  { kind: "integer or text" },
  (value) => typeof value === "string" || Number.isSafeInteger(value),
);

/** A string with one of the names that a type of the declarations lists. */
export function named(declared: string): FactType<string> {
  const names = declared === "string" ? null : declared;
  return scalar(declared, { kind: "text", names, hex: null }, (value) => typeof value === "string");
}

/** One of a list of names that no later version adds to; `declared` is its type of the declarations. */
export function oneOf<T extends string>(declared: string, values: readonly T[]): FactType<T> {
  const domain = { kind: "text", names: declared, hex: null, values } as const;
  return scalar(declared, domain, (value) => (values as readonly unknown[]).includes(value));
}

/** An object with any keys. */
export function record<T>({ declared, domain, read }: FactType<T>): FactType<Readonly<Record<string, T>>> {
  return {
    declared: `Readonly<Record<string, ${declared}>>`,
    domain: { kind: "record", of: domain },
    isScalar: false,
    read(value, path, missing) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      const facts: Record<string, T> = Object.create(null);
      for (const [key, one] of Object.entries(value)) {
        const fact = read(one, `${path}.${key}`, missing);
        if (fact === undefined) return undefined;
        facts[key] = fact;
      }
      return facts;
    },
  };
}

/** Lower-case hex of this many bytes. */
export function hex(bytes: number): FactType<string> {
  const digits = new RegExp(`^[0-9a-f]{${2 * bytes}}$`);
  const domain = { kind: "text", names: null, hex: bytes } as const;
  return scalar("string", domain, (value) => typeof value === "string" && digits.test(value));
}

/** A value or null; `whenNull` says when, as a clause. */
export function orNull<T>({ read, ...type }: FactType<T>, whenNull: string): FactType<T | null> {
  return {
    ...type,
    declared: `${type.declared} | null`,
    domain: { kind: "null or", of: type.domain },
    whenNull,
    read: (value, path, missing) => (value === null ? null : read(value, path, missing)),
  };
}

export function list<T>({ declared, domain, read, ...type }: FactType<T>): FactType<readonly T[]> {
  return {
    ...type,
    declared: `readonly ${declared}[]`,
    domain: { kind: "list", of: domain },
    isScalar: false,
    read(value, path, missing) {
      if (!Array.isArray(value)) return undefined;
      const elements: T[] = [];
      for (const one of value) {
        const element = read(one, `${path}[]`, missing);
        if (element === undefined) return undefined;
        elements.push(element);
      }
      return elements;
    },
  };
}

/** An object with the facts of a table; `declared` is the name of its interface. */
export function object<F extends FactFields>(declared: string, fields: F): FactType<FactsOf<F>> {
  return {
    declared,
    domain: { kind: "object", declared, fields: domainsOf(fields) },
    isScalar: false,
    fields,
    read: (value, path, missing) => readFacts(fields, value, `${path}.`, missing),
  };
}

/** The rows of a table and of the tables in it, each by its interface and name: `File.path`. */
export function* rowsByName(declared: string, fields: FactFields): Iterable<readonly [name: string, row: FactField]> {
  for (const [name, row] of Object.entries(fields)) {
    yield [`${declared}.${name}`, row];
    if (row.type.fields !== undefined) yield* rowsByName(interfaceOf(row.type), row.type.fields);
  }
}

/** The name of the interface of an object, or of the objects in a list. */
function interfaceOf({ domain }: FactType<unknown>): string {
  const inner = domain.kind === "null or" || domain.kind === "list" ? domain.of : domain;
  if (inner.kind !== "object") throw new TypeError("a fact with a table is no object");
  return inner.declared;
}

/** The domain of each fact of a table that policies see. */
export function domainsOf(fields: FactFields): Readonly<Record<string, FactDomain>> {
  const seen = Object.entries(fields).filter(([, field]) => !("withheld" in field));
  return Object.fromEntries(seen.map(([name, field]) => [name, domainOf(field)]));
}

function domainOf(field: FactField | SubjectField): FactDomain {
  const { domain } = field.type;
  const canBeUnknown = "known" in field && whenUnknown(field) !== null;
  return canBeUnknown ? { kind: "unknown or", of: domain } : domain;
}

/** Reads the facts of a table: see {@link FactType.read}. `prefix` comes before the name of a missing fact. */
export function readFacts<F extends FactFields>(
  fields: F,
  value: unknown,
  prefix: string,
  missing: string[],
): FactsOf<F> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const facts: Record<string, unknown> = {};
  for (const [name, { type: kind }] of Object.entries(fields)) {
    if (!Object.hasOwn(value, name)) {
      missing.push(prefix + name);
      continue;
    }
    const fact = kind.read((value as Readonly<Record<string, unknown>>)[name], prefix + name, missing);
    if (fact === undefined) return undefined;
    facts[name] = fact;
  }
  return facts as FactsOf<F>;
}
