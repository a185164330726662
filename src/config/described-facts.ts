import * as z from "zod";
import type { FactDomain, FactField, FactFields, FactType } from "../fact-type.js";
import { domainsOf } from "../fact-type.js";

/**
 * The schema of an object of facts that a person describes, made from the table of its facts. Null is the default of
 * each fact that can be null; other facts are required, unless `defaults` has them. Names are not checked.
 */
export function describedFacts<F extends FactFields>(fields: F, defaults: Defaults = {}) {
  return objectOf(domainsOf(fields), DESCRIBED, defaults) as z.ZodObject<Form<F>, z.core.$strict>;
}

/**
 * The schema of an object with all facts of a table, as a log records them: also those that policies do not see. Bytes
 * have their SHA-256 and their length, and a fact that can be unknown may be missing. Names are not checked.
 */
export function recordedFacts(fields: FactFields): z.ZodObject<Record<string, z.ZodType>, z.core.$strict> {
  const withheld = Object.entries(fields).filter(([, field]) => "withheld" in field);
  const all = withheld.map(([name, { type }]: [string, FactField]) => [name, type.domain] as const);
  return objectOf({ ...domainsOf(fields), ...Object.fromEntries(all) }, RECORDED);
}

type Form<F extends FactFields> = { [N in keyof F]: z.ZodType<F[N]["type"] extends FactType<infer T> ? T : never> };
type Defaults = Readonly<Record<string, unknown>>;

/** How facts are written. */
interface Writing {
  readonly bytes: z.ZodType;
  readonly orNull: (schema: z.ZodType) => z.ZodType;
  /** The defaults of the objects inside a subject, by the name of their interface in types/countersign.d.ts. */
  readonly defaults: Readonly<Record<string, Defaults>>;
}

function objectOf(domains: Readonly<Record<string, FactDomain>>, writing: Writing, defaults: Defaults = {}) {
  const shape = Object.entries(domains).map(([name, domain]) => {
    const schema = schemaOf(domain, writing);
    return [name, Object.hasOwn(defaults, name) ? schema.default(defaults[name]) : schema];
  });
  return z.strictObject(Object.fromEntries(shape) as Record<string, z.ZodType>);
}

function schemaOf(domain: FactDomain, writing: Writing): z.ZodType {
  switch (domain.kind) {
    case "flag":
      return z.boolean();
    case "count":
      return z.int().min(0).max(domain.most);
    case "amount":
      return z.number().min(0);
    case "text": {
      const { hex, values } = domain;
      if (values !== undefined) return z.enum(values);
      return hex === null ? z.string() : hexOf(hex);
    }
    case "integer or text":
      return z.union([z.int(), z.string()]);
    case "bytes":
      return writing.bytes;
    case "unknown or":
      return schemaOf(domain.of, writing).optional();
    case "null or":
      return writing.orNull(schemaOf(domain.of, writing));
    case "list":
      return z.array(schemaOf(domain.of, writing));
    case "object":
      return objectOf(domain.fields, writing, writing.defaults[domain.declared]);
    case "record":
      return z.record(z.string(), schemaOf(domain.of, writing));
  }
}

/** Lower-case hex of this many bytes. */
export function hexOf(bytes: number): z.ZodString {
  return z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), { error: `is not ${bytes} bytes in lower-case hex` });
}

const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/, { error: "is not lower-case hex of whole bytes" });

/** Bytes as text, or `{ hex: "00ff" }`. */
export const BYTES = z.union([z.string(), z.strictObject({ hex })]).transform((given) => {
  return typeof given === "string" ? Buffer.from(given, "utf8") : Buffer.from(given.hex, "hex");
});

const DESCRIBED: Writing = {
  bytes: BYTES,
  orNull: (schema) => schema.nullable().default(null),
  defaults: {
    ProgramReference: { name: "test", tag: "0".repeat(16) },
    MapReference: { name: "test", type: "hash" },
    AttachFacts: { flags: 0 },
    RunFacts: { repeat: 0, flags: 0, data_size_in: 0, data_size_out: 0, ctx_size_in: 0, ctx_size_out: 0 },
    BtfFacts: { size: 0, sha256: "0".repeat(64) },
  },
};

/** The most bytes that a fact can have: those of the largest file that is read. */
const MAX_BYTES = 2 ** 30;

const RECORDED: Writing = {
  bytes: z.strictObject({ sha256: hexOf(32), length: z.int().min(0).max(MAX_BYTES) }),
  orNull: (schema) => schema.nullable(),
  defaults: {},
};
