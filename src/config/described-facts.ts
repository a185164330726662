import * as z from "zod";
import type { FactDomain, FactFields, FactType } from "../fact-type.js";
import { domainsOf } from "../fact-type.js";

/**
 * The schema of an object of facts that a person describes, made from the table of its facts. Null is the default of
 * each fact that can be null; other facts are required, unless `defaults` has them. Names are not checked.
 */
export function describedFacts<F extends FactFields>(fields: F, defaults: Readonly<Record<string, unknown>> = {}) {
  return objectOf(domainsOf(fields), defaults) as z.ZodObject<Form<F>, z.core.$strict>;
}

type Form<F extends FactFields> = { [N in keyof F]: z.ZodType<F[N]["type"] extends FactType<infer T> ? T : never> };

function objectOf(domains: Readonly<Record<string, FactDomain>>, defaults: Readonly<Record<string, unknown>>) {
  const shape = Object.entries(domains).map(([name, domain]) => {
    const schema = schemaOf(domain);
    return [name, Object.hasOwn(defaults, name) ? schema.default(defaults[name]) : schema];
  });
  return z.strictObject(Object.fromEntries(shape) as Record<string, z.ZodType>);
}

/** The defaults of the objects inside a subject, by the name of their interface in types/countersign.d.ts. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ProgramReference: { name: "test", tag: "0".repeat(16) },
  MapReference: { name: "test", type: "hash" },
  AttachFacts: { flags: 0 },
  RunFacts: { repeat: 0, flags: 0, data_size_in: 0, data_size_out: 0, ctx_size_in: 0, ctx_size_out: 0 },
  BtfFacts: { size: 0, sha256: "0".repeat(64) },
};

function schemaOf(domain: FactDomain): z.ZodType {
  switch (domain.kind) {
    case "flag":
      return z.boolean();
    case "count":
      return z.int().min(0).max(domain.most);
    case "amount":
      return z.number().min(0);
    case "text": {
      const { hex } = domain;
      if (hex === null) return z.string();
      return z.string().regex(new RegExp(`^[0-9a-f]{${2 * hex}}$`), { error: `is not ${hex} bytes in lower-case hex` });
    }
    case "integer or text":
      return z.union([z.int(), z.string()]);
    case "bytes":
      return BYTES;
    case "unknown or":
      return schemaOf(domain.of).optional();
    case "null or":
      return schemaOf(domain.of).nullable().default(null);
    case "list":
      return z.array(schemaOf(domain.of));
    case "object":
      return objectOf(domain.fields, DEFAULTS[domain.declared] ?? {});
    case "record":
      return z.record(z.string(), schemaOf(domain.of));
  }
}

const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/, { error: "is not lower-case hex of whole bytes" });

/** Bytes as text, or `{ hex: "00ff" }`. */
export const BYTES = z.union([z.string(), z.strictObject({ hex })]).transform((given) => {
  return typeof given === "string" ? Buffer.from(given, "utf8") : Buffer.from(given.hex, "hex");
});
