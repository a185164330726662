import * as z from "zod";
import { COMMAND_FIELDS } from "../bpf/model/command-fields.js";
import { COMMAND_NAMES, type CommandName } from "../bpf/model/commands.js";
import type { CommandSubject } from "../hooks/command.js";
import { OWN_FIELDS } from "../hooks/subject-fields.js";
import { BYTES, describedFacts } from "./described-facts.js";

/** Subjects that a test describes in place of a file. Names in them are checked where the subjects are made. */

const count = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const text = z.string();
const NAME = text.default("test");
const MAP = z.strictObject({
  name: NAME,
  type: text.default("hash"),
  key_size: count.default(8),
  value_size: count.default(8),
  max_entries: count.default(1),
  flags: count.default(0),
  contents: text.nullable().default(null),
});

const PROGRAM = z.strictObject({
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
  signature: BYTES.nullable().default(null),
  kernel_signature: BYTES.nullable().default(null),
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
const MAP_SUBJECT = MAP.extend({ access: z.enum(["r", "w", "rw"]).nullable().optional() });

/** Its digest follows from the rest. */
const BLOB = describedFacts(OWN_FIELDS.blob, { name: "test" }).omit({ digest: true });

/** The subject of hook `bpf`. Its number and its digest follow from the rest. */
const COMMAND = describedFacts(COMMAND_FIELDS)
  .omit({ cmd: true, digest: true })
  .extend({ name: z.enum(COMMAND_NAMES, { error: "is no command of bpf(2); spell it as in linux/bpf.h" }) });

/** The subject of hook `bpf_token_create`, which has no facts. */
const TOKEN = z.strictObject({});

/** A file. Its digests follow from its contents, and the purpose from the hook. */
const describedFile = (defaults: Readonly<Record<string, unknown>>) =>
  describedFacts(OWN_FIELDS.file, { name: "test", data: Buffer.alloc(0), ...defaults }).omit({
    ...{ sha256: true, digest: true, purpose: true },
  });

/** The subject of hook `kernel_read_file`: a kernel module. */
const MODULE = describedFile({ path: "test.ko", parameters: "" }).extend({
  parameters: text.default(""),
  /** The facts that are unknown in this case. */
  unknown: z.array(z.enum(["path", "parameters"])).default([]),
});

/** The subject of hook `bprm_check_security`. */
const EXECUTABLE = describedFile({})
  .omit({ parameters: true })
  .extend({ name: NAME, path: text.default("/usr/bin/test") });

/** The subjects that a case can describe, by the key that describes them. */
export const DESCRIBED = {
  program: PROGRAM,
  map: MAP_SUBJECT,
  command: COMMAND,
  token: TOKEN,
  module: MODULE,
  executable: EXECUTABLE,
  blob: BLOB,
};

/** The kinds of subjects that a case can have: exactly one of them. */
export const SUBJECT_KEYS = ["file", ...(Object.keys(DESCRIBED) as (keyof typeof DESCRIBED)[])] as const;

export type CaseProgram = z.output<typeof PROGRAM>;
export type CaseMap = z.output<typeof MAP_SUBJECT>;
export type CaseBlob = z.output<typeof BLOB>;
export type CaseCommand = Omit<CommandSubject, "cmd" | "digest" | "name"> & { readonly name: CommandName };
export type CaseModule = z.output<typeof MODULE>;

/** A subject that a case describes. */
export type DescribedSubject = {
  [K in keyof typeof DESCRIBED]: {
    readonly kind: K;
    readonly given: K extends "command" ? CaseCommand : z.output<(typeof DESCRIBED)[K]>;
  };
}[keyof typeof DESCRIBED];

/** The subject of a case; `file` is a path relative to the test. */
export type CaseSubject = { readonly kind: "file"; readonly file: string } | DescribedSubject;
