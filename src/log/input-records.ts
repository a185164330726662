import type { HookDefault, HookName } from "../hooks/catalogue.js";
import type { Denial } from "../hooks/decision.js";
import type { MapSchemaRules } from "../policy/maps/map-schema.js";
import type { Mode } from "../policy/model/mode.js";
import type { Fault } from "../policy/model/outcome.js";
import type { DecisionRecord, RecordHead } from "./record.js";

/**
 * The records of a log with `level: inputs`, which has everything that a decision was made from. A decision refers to
 * its definitions by {@link Digest}, and each of them is in the same file before the first decision that needs it, or
 * in a stream at most {@link REPEATED} earlier.
 */
export type InputRecord =
  | StartRecord
  | ConfigurationRecord
  | SubjectRecord
  | CallerRecord
  | VerificationRecord
  | InputsDecisionRecord;

/** Milliseconds after which the definitions that decisions need are written to a stream again. */
export const REPEATED = 600_000;

/** The first 128 bits of the SHA-256 of a definition's `content` as JSON text without white space: 32 hex digits. */
export type Digest = string;

/** The writer of the records that follow in a file. */
export interface StartRecord extends RecordHead<"start"> {
  /** A UUID of version 7, which the writer's configurations name. */
  readonly writer: string;
  /** The version of Countersign. */
  readonly engine: string;
  readonly host: string;
  /** The release of the kernel, as `uname -r` prints it. */
  readonly kernel: string;
}

/** Part of a decision that several decisions have in common. */
export interface Definition<Type extends DefinitionType, Content> extends RecordHead<Type> {
  readonly digest: Digest;
  readonly content: Content;
  /** JSON pointers into `content` of values that `log.mask` left out; absent if there is none. */
  readonly masked?: readonly string[] | undefined;
}

export const DEFINITION_TYPES = ["configuration", "subject", "caller", "verification"] as const;
export type DefinitionType = (typeof DEFINITION_TYPES)[number];

export type ConfigurationRecord = Definition<"configuration", ConfigurationContent>;
export type SubjectRecord = Definition<"subject", SubjectContent>;
export type CallerRecord = Definition<"caller", CallerContent>;
export type VerificationRecord = Definition<"verification", VerificationContent>;

/** The configuration that a writer decides by. It changes with the generation of a keyring. */
export interface ConfigurationContent extends DecidedBy {
  /** See {@link StartRecord.writer}. */
  readonly writer: string;
}

/** What an engine decides by. */
export interface DecidedBy {
  readonly mode: Mode;
  readonly default: Readonly<Record<HookName, HookDefault>>;
  /** In the order of the configuration. */
  readonly attachments: readonly AttachmentOfRecord[];
  /** The linked policies, by the SHA-256 of their text. */
  readonly policies: Readonly<Record<string, PolicyOfRecord>>;
  readonly keyrings: Readonly<Record<string, KeyringOfRecord>>;
  readonly maps: Readonly<Record<string, MapOfRecord>>;
}

export interface AttachmentOfRecord {
  readonly name: string;
  /** The SHA-256 of the linked policy. */
  readonly policy: string;
  /** The hooks that it is attached to. */
  readonly hooks: readonly string[];
  readonly mode: Mode;
  /** As in the configuration file. */
  readonly scope: object;
  /** Steps, bytes of memory and of stack, and milliseconds. */
  readonly limits: {
    readonly steps: number;
    readonly memory: number;
    readonly stack: number;
    readonly timeout: number;
  };
  readonly domain: string;
  readonly on_fault: "deny" | "allow";
  readonly delegate: boolean;
  readonly freeze: boolean;
}

export interface PolicyOfRecord {
  /** Path relative to the configuration file. */
  readonly file: string;
  /** The linked text, which has all that the policy imports; null if the configuration is too large for a log. */
  readonly source: string | null;
  /** The texts of its own file and of those that it imports, by path; null if the configuration is too large. */
  readonly files: Readonly<Record<string, string>> | null;
  /** The hooks that the policy exports, in the order of their numbers in `source`. */
  readonly hooks: readonly string[];
  /** For each hook, whether its function takes no subject. */
  readonly blind: readonly boolean[];
}

export interface KeyringOfRecord {
  readonly generation: number;
  /** The SHA-256 of its rules and of the contents of its files. */
  readonly sha256: string;
}

export interface MapOfRecord {
  /** The SHA-256 of its file; null if it has none. */
  readonly sha256: string | null;
  /** The most entries and bytes of a map that policies write to; null for any other. */
  readonly writable: { readonly entries: number; readonly bytes: number } | null;
  /** The schema of its entries, as in the configuration file; absent if it has none. */
  readonly schema?: MapSchemaRules;
}

/**
 * Every fact of a subject, as src/hooks/subject.ts declares them for its kind. Bytes are {@link BytesOfRecord}.
 */
export interface SubjectContent {
  readonly kind: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Bytes of which the log has only the digest. */
export interface BytesOfRecord {
  readonly sha256: string;
  readonly length: number;
}

/** What the callers of several decisions have in common. */
export interface CallerContent {
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly exe: string | null;
  readonly cgroup: string | null;
  readonly capabilities: readonly string[];
  readonly namespaces: Readonly<Record<string, number>>;
  readonly container: {
    readonly id: string;
    readonly name: string | null;
    readonly labels: Readonly<Record<string, string>> | null;
    /** Null if no policy has read them. */
    readonly annotations: Readonly<Record<string, string>> | null;
  } | null;
}

/** The result of the check of one signature, or of the statements that a program matches. */
export interface VerificationContent {
  readonly keyring: string;
  readonly generation: number;
  /** The SHA-256 of the signed data; null for a program, whose digest the subject has. */
  readonly data: string | null;
  /** The SHA-256 of the signature; null if there is none, and for a program. */
  readonly signature: string | null;
  /** The type of the signature, such as `PKCS7`; null for a program. */
  readonly signature_type: string | null;
  /** 0 or a negative errno. */
  readonly verdict: number;
  readonly reason: string;
  /** The rule that failed, such as `RFC 5280 6.1.3 (a)(2)`; null if the signature is valid or no rule is known. */
  readonly rule: string | null;
  /** The index in the program's `statements` of the one that is verified; -1 if none is, null for a signature. */
  readonly statement: number | null;
  /** In the order of the message; empty if the signature is rejected. */
  readonly signers: readonly SignerOfRecord[];
  /**
   * The certificate path of each signer that has one, from the anchor to its certificate; for a rejected signature the
   * path that got furthest, if any was tried.
   */
  readonly paths: readonly (readonly CertificateOfRecord[])[];
}

export type CertificateOfRecord = Omit<SignerOfRecord, "key_id">;

export interface SignerOfRecord {
  readonly subject: string | null;
  readonly key_id: string;
  readonly serial: string | null;
  readonly issuer: string | null;
}

/**
 * A decision with references in the place of what its definitions have. `RecordReader` gives it the fields of a
 * {@link DecisionRecord}. A field that is absent has the value that its comment names.
 */
export interface InputsDecisionRecord
  extends RecordHead<"decision">,
    Pick<DecisionRecord, "id" | "judged_time" | "hook" | "verdict" | "loader_probe" | "grants" | "duration_us"> {
  /** Null if absent. */
  readonly operation?: string | undefined;
  /** `verdict` if absent. */
  readonly enforced_verdict?: number | undefined;
  /** Null if absent. */
  readonly denied_by?: Denial | undefined;
  /** Empty if absent. */
  readonly audit_denials?: readonly Denial[] | undefined;
  readonly configuration: Digest;
  readonly subject: SubjectReference | DecisionRecord["subject"];
  readonly current: CallerReference;
  /** Empty if absent: no policy was asked. */
  readonly answers?: readonly InputsAnswerOfRecord[] | undefined;
  readonly masked?: readonly string[] | undefined;
}

/** The name, and the definition, which also has the digest that policies see. */
export interface SubjectReference {
  readonly name: string;
  readonly definition: Digest;
}

/** What is different for each thread, and the definition of the rest. */
export interface CallerReference {
  readonly pid: number;
  /** `pid` if absent. */
  readonly tid?: number | undefined;
  readonly comm: string;
  readonly definition: Digest;
}

export interface InputsAnswerOfRecord {
  readonly attachment: string;
  readonly verdict: number;
  /** Absent if the verdict is 0, or if the record has a denial of this attachment, with the code and the reason. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  /** Null if absent. */
  readonly fault?: Fault | undefined;
  /** These are empty if absent. */
  readonly unused_reasons?: readonly string[] | undefined;
  readonly notes?: readonly string[] | undefined;
  readonly calls?: readonly CallOfRecord[] | undefined;
  /** Map, key and value of each change; the value is JSON text, or null if the key was deleted. */
  readonly writes?: DecisionRecord["answers"][number]["writes"] | undefined;
  readonly steps: number;
}

/**
 * A call of a helper that the engine answered. Calls that the sandbox itself answers from the facts are not here: a
 * signature that is null, or a program that matches no statement. `data` and `signature` are paths of facts of the
 * subject, such as `object.data`.
 */
export type CallOfRecord =
  | {
      readonly call: "map_lookup";
      readonly map: string;
      readonly key: string;
      /** Any JSON value; absent if the map does not have the key. */
      readonly value?: unknown;
    }
  | {
      readonly call: "map_update";
      readonly map: string;
      readonly key: string;
      readonly value: unknown;
      readonly result: number;
    }
  | { readonly call: "map_delete"; readonly map: string; readonly key: string; readonly result: number }
  | { readonly call: "hash"; readonly algorithm: string; readonly data: string; readonly result: string }
  | {
      readonly call: "read";
      readonly data: string;
      readonly offset: number;
      readonly length: number;
      /** Hexadecimal; absent if the policy has read more than 256 bytes in this decision. */
      readonly bytes?: string | undefined;
    }
  | {
      readonly call: "verify_signature" | "signer_of";
      readonly data: string;
      readonly signature: string | null;
      readonly keyring: string;
      readonly signature_type: string;
      readonly verification: Digest;
    }
  | {
      readonly call: "verify_program" | "statement_of" | "signer_of_program";
      readonly keyring: string;
      readonly verification: Digest;
    };
