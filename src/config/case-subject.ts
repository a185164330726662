import * as z from "zod";

/** Subjects that a test describes in place of a file. Names in them are checked where the subjects are made. */

const count = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const text = z.string();
const NAME = text.default("test");
const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/, { error: "is not lower-case hex of whole bytes" });
/** Bytes as text, or `{ hex: "00ff" }`. */
const bytes = z.union([text, z.strictObject({ hex })]).transform((given) => {
  return typeof given === "string" ? Buffer.from(given, "utf8") : Buffer.from(given.hex, "hex");
});
const MAP = z.strictObject({
  name: NAME,
  type: text.default("hash"),
  key_size: count.default(8),
  value_size: count.default(8),
  max_entries: count.default(1),
  flags: count.default(0),
  contents: text.nullable().default(null),
});

export const PROGRAM = z.strictObject({
  name: NAME,
  type: text,
  expected_attach_type: text.nullable().default(null),
  attach_to: text.nullable().default(null),
  section: text.nullable().default(null),
  license: text.default("GPL"),
  helpers: z.array(text).default([]),
  kfuncs: z.array(text).default([]),
  maps: z.array(MAP).default([]),
  insn_cnt: count.optional(),
  returns: z
    .int()
    .min(-(2 ** 31))
    .max(2 ** 31 - 1)
    .optional(),
  effects: z.record(text, z.boolean()).default({}),
  signature: bytes.nullable().default(null),
  kernel_signature: bytes.nullable().default(null),
  kernel_keyring: text.nullable().default(null),
  statements: z
    .array(
      z.strictObject({
        sha256: text.default("0".repeat(64)),
        object_sha256: text.default("0".repeat(64)),
        name: text.optional(),
        type: text.optional(),
        settings: z
          .array(
            z.strictObject({
              name: text,
              kind: text.default("variable"),
              type: text.nullable().default(null),
              value: z.union([z.int(), text]),
              declared: z.union([z.int(), text]).nullable().default(null),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
  mismatches: z
    .array(z.strictObject({ statement: text.default("0".repeat(64)), property: text, expected: text, found: text }))
    .default([]),
  loaded: z
    .strictObject({
      tag: text.default("0".repeat(16)),
      verified_insns: count.default(0),
      xlated_size: count.default(0),
      jited_size: count.default(0),
      map_ids: z.array(count).default([]),
    })
    .nullable()
    .default(null),
  rewritten: z.boolean().default(false),
});

/** The subject of hooks `bpf_map_create` and `bpf_map`. */
export const MAP_SUBJECT = MAP.extend({ access: z.enum(["r", "w", "rw"]).nullable().optional() });

export const BLOB = z.strictObject({ name: NAME, data: bytes, signature: bytes.nullable().default(null) });

/** The kinds of subjects that a case can have: exactly one of them. */
export const SUBJECT_KEYS = ["file", "program", "map", "blob"] as const;

export type CaseProgram = z.output<typeof PROGRAM>;
export type CaseMap = z.output<typeof MAP_SUBJECT>;
export type CaseBlob = z.output<typeof BLOB>;

/** The subject of a case; `file` is a path relative to the test. */
export type CaseSubject =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "program"; readonly program: CaseProgram }
  | { readonly kind: "map"; readonly map: CaseMap }
  | { readonly kind: "blob"; readonly blob: CaseBlob };
