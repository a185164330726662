import * as z from "zod";
import { HOOK_DEFAULTS, HOOK_NAMES } from "../hooks/catalogue.js";
import { KEYRING } from "./keyring.js";
import { KEYS, VALUES } from "./map-schema.js";
import { SEAL } from "./seal-rules.js";
import { DURATION, SIZE } from "./units.js";
import { path, paths } from "./values.js";

/** Pattern for names of keyrings, maps, domains and attachments. They appear in logs, reasons and policies. */
export const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

const NO_NAME = "is not a name; use at most 128 letters, digits, `_`, `.` and `-`, and neither `.` nor `-` first";
const filled = { error: "is empty; list one, or remove the key" };
const name = z.string().regex(NAME, { error: NO_NAME });
const mode = z.enum(["enforce", "audit"]);
const hook = z.enum(HOOK_NAMES as [(typeof HOOK_NAMES)[number]]);

const noSize = { error: "is not a size; write a number of bytes, or for example `8MiB` (B, KiB, MiB, GiB)" };
const noDuration = { error: "is not a duration; write for example `50ms` (ms, s, m, h)" };
const size = z
  .union([z.int().min(1, noSize), z.string().regex(SIZE, noSize)], noSize)
  .describe("Bytes as a number, or with a unit: B, KiB, MiB, GiB");
const duration = z.string(noDuration).regex(DURATION, noDuration).describe("With a unit: ms, s, m, h");

const uid = z.union(
  [
    z.int().min(0).max(4294967295),
    z.string().regex(/^[0-9]{1,10}(-[0-9]{1,10})?$/, {
      error: "is not a uid or a range of uids; write numbers, as `1000` or `1000-1999`",
    }),
  ],
  { error: "is not a uid; write a number, or a range such as `1000-1999`" },
);
const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1, filled)]);

export const SCHEMA = z
  .strictObject({
    version: z.literal(1).describe("Of this file's format"),
    mode: mode
      .default("enforce")
      .describe("`audit`: a dry run, in which every decision is recorded and nothing is denied"),
    default: z
      .partialRecord(hook, z.enum(HOOK_DEFAULTS))
      .default({})
      .describe(
        "The verdict at a hook if no enforcing attachment answers; `audit` allows and records a denial; `allow` " +
          "for hooks not named",
      ),
    keyrings: z.record(name, KEYRING).default({}),
    maps: z
      .record(
        name,
        z
          .strictObject({
            file: path.optional().describe("JSON or YAML: string keys to values"),
            writable: z.strictObject({ entries: z.int().min(1).max(1_000_000), bytes: size }).optional(),
            writers: z
              .array(name)
              .min(1, filled)
              .optional()
              .describe(
                "Attachments and domains that may write to it, each with an equal part of it; default: the one " +
                  "domain whose policies name it",
              ),
            values: VALUES.optional(),
            keys: KEYS.optional(),
            on_invalid: z
              .enum(["reset", "stop"])
              .optional()
              .describe(
                "If kept entries break the schema at a start: begin with the initial ones (default), or do not",
              ),
          })
          .refine((map) => map.on_invalid === undefined || map.values !== undefined || map.keys !== undefined, {
            error: "has `on_invalid`, but neither `values` nor `keys`; add one of them, or remove `on_invalid`",
          })
          .refine((map) => map.writers === undefined || map.writable !== undefined, {
            error: "has `writers`, but is not `writable`; remove `writers`, or add `writable`",
          })
          .refine((map) => map.file !== undefined || map.writable !== undefined, {
            error: "has neither `file` nor `writable`, and would always be empty; add one of them",
          }),
      )
      .default({}),
    attachments: z.array(
      z.strictObject({
        name: name.optional().describe("The policy file's name, without its ending, unless given"),
        policy: path.describe("An ES module, JavaScript or TypeScript"),
        hooks: z
          .array(hook)
          .min(1, filled)
          .optional()
          .describe("Those of the policy's hooks that are attached; all unless given"),
        mode: mode.default("enforce"),
        scope: z
          .strictObject({
            labels: z.string().optional().describe("Kubernetes label selector; for tasks in containers only"),
            uid: oneOrMore(uid).optional(),
            exe: oneOrMore(path).optional().describe("Paths; `*` within a folder, `**` across, `?` one character"),
            comm: oneOrMore(path).optional().describe("Task names, with the same patterns"),
            container: z
              .union([z.boolean(), oneOrMore(path)])
              .optional()
              .describe("Names or ids, with the same patterns; true: any container, false: none"),
          })
          .default({}),
        limits: z
          .strictObject({
            steps: z
              .int()
              .min(1)
              .optional()
              .describe(
                "Steps of one decision: function entries, loop rounds, and the weights of built-in functions, " +
                  "helpers and large subjects",
              ),
            memory: size.optional(),
            stack: size.optional(),
            timeout: duration.optional().describe("Time of one decision"),
          })
          .default({}),
        domain: name.default("default").describe("Policies of different domains share no memory"),
        delegate: z
          .boolean()
          .default(false)
          .describe("What it lets through is loaded for a task without CAP_BPF, with capabilities of the gate's"),
        freeze: z
          .boolean()
          .default(false)
          .describe("Read-only maps of a program that is loaded are frozen: user space cannot change them any more"),
        on_fault: z.enum(["deny", "allow"]).default("deny").describe("The verdict of a policy that failed"),
      }),
    ),
    signatures: paths
      .default([])
      .describe("Folders of program statements and of detached signatures, found by the digest of what they sign"),
    log: z
      .strictObject({
        file: path,
        rotate: size.default("100MiB").describe("A new file is begun when this one would grow past it"),
        keep: z.int().min(1).max(1000).default(5).describe("Rotated files that are kept"),
        level: z
          .enum(["decision", "inputs"])
          .default("decision")
          .describe("`inputs`: with everything that decisions are made from, so that `replay` can make them again"),
        on_error: z
          .enum(["deny", "continue"])
          .default("deny")
          .describe("`continue`: what cannot be logged is not denied; it is counted"),
        mask: z
          .array(
            z.string().regex(/^\/(?:subject|current)(?:\/(?:[^~/]|~[01])+)+$/, {
              error: "is no JSON pointer to a field of the subject or the caller, such as `/current/container/labels`",
            }),
          )
          .default([])
          .describe("JSON pointers (RFC 6901) to fields of the subject and the caller that the log leaves out"),
        programs: path
          .optional()
          .describe("A folder in which the instructions of programs are kept, each in a file named by its SHA-256"),
        programs_size: size
          .default("256MiB")
          .describe("Maximum size of `programs` on disk, in blocks of 4 KiB; the oldest files are removed to keep it"),
      })
      .optional()
      .describe("The decision log; none is written unless given"),
    shadow: path
      .optional()
      .describe("A second configuration, which decides beside this one without effect; its differences are logged"),
    sandbox: z
      .strictObject({
        memory: size
          .default("256MiB")
          .describe(
            "Memory for the runtimes of all policies, about 200 KB each. A runtime that was evicted is made again " +
              "when its policy is asked",
          ),
      })
      .prefault({})
      .describe("Limits of the sandbox as a whole"),
    gate: z
      .strictObject({
        existing: z
          .enum(["deny", "allow"])
          .default("deny")
          .describe("Whether BPF objects that were not handed out here are found by id or path"),
        rewritten: z
          .enum(["deny", "ask"])
          .default("deny")
          .describe("A program that the kernel rewrote while loading it (core_relos): denied, or `bpf_prog` is asked"),
        loader_runs: z
          .enum(["deny", "ask"])
          .default("deny")
          .describe(
            "To run a program that calls bpf(2), where `bpf` is served: denied, or `bpf` is asked and the kernel " +
              "looks again",
          ),
        keyrings: z
          .record(
            z.string().regex(/^(0|-?[1-9][0-9]{0,9})$/, {
              error: "is not the id of a kernel keyring; write it as `/proc/keys` or `keyctl` has it, in decimal",
            }),
            name,
          )
          .default({})
          .describe("Ids of the kernel's keyrings, as loads name them, to keyrings of this file"),
        map_memory: size.default("1GiB").describe("Of the maps of one container, or of one command"),
        program_releases: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(200)
          .describe("Loaded programs that may be released in a second; beyond it, loads of who closed them wait"),
        not_enforced: z
          .array(hook)
          .default([])
          .describe(
            "Hooks that may have attachments although the gate does not enforce them; these attachments are never " +
              "asked by a gate",
          ),
        stall: duration
          .default("250ms")
          .describe("How long a task may make the gate wait, for its memory, files or paths"),
      })
      .prefault({})
      .describe("How `run` and `agent` behave beside what policies say"),
    seal: SEAL,
  })
  .meta({ title: "Countersign configuration" });

export type ConfigInput = z.output<typeof SCHEMA>;
