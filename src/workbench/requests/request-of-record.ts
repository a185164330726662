import { lacksOfRequest } from "../../config/recorded-request.js";
import type { CountersignError } from "../../error.js";
import type { BytesOfRecord, InputsDecisionRecord } from "../../log/input-records.js";
import type { ReadLine, RecordReader } from "../../log/record-reader.js";
import { isUnasked, missing, recordedDecision, threadOf } from "../replay/recorded-decision.js";
import type { Contents } from "../replay/recorded-inputs.js";
import { absentBytes, RecordedSubject } from "../replay/recorded-subject.js";

/** The most base64 of a request, in characters: `check --request` takes lines of 2^20. */
const MAX_BASE64 = 2 ** 19;

/** The request that a record was made for. */
export interface RequestOfRecord {
  /** A request of the recorded form, as a value of JSON. */
  readonly request: object;
  /** The SHA-256 of bytes that were not found, by the fact that has them. */
  readonly absent: ReadonlyMap<string, string>;
}

/**
 * Makes a request of a decision in a log of level `inputs`, with the bytes of `contents` that fit into a line. Throws
 * INPUTS_MISSING, with what the log lacks, and for a decision that no policy made, such as a denial by the gate.
 */
export function requestOfRecord(line: ReadLine, reader: RecordReader, contents: Contents | null): RequestOfRecord {
  if (line.inputs !== null && line.damage !== "contradiction" && isUnasked(line.inputs)) throw unasked(line.inputs);
  const { inputs, subject, caller, masked } = recordedDecision(line, reader);
  if (!masked.isEmpty)
    throw missing(`the masked ${masked.all}`, "take it out of `log.mask`, for decisions from then on");
  const { uid, euid, gid, exe, cgroup, capabilities, namespaces, container } = caller.content;
  const { kind, facts } = subject.content;
  const { pid, tid, comm } = threadOf(inputs);
  const outline = {
    hook: inputs.hook,
    subject: { kind, definition: subject.digest, facts },
    current: { pid, tid, uid, euid, gid, comm, exe, cgroup, capabilities, namespaces, container },
    time: inputs.judged_time ?? inputs.time,
  };
  const lacks = lacksOfRequest(outline);
  if (lacks.length > 0)
    throw missing(`${lacks.join(", ")}, which the version that wrote the record did not have`, "record it again");
  return withBytes(outline, new Map(bytesIn(outline.subject)), contents);
}

/** The paths of the facts that are bytes, by the bytes; of several facts with the same bytes the first. */
function bytesIn(subject: { readonly kind: string; readonly facts: Readonly<Record<string, unknown>> }) {
  const found: [path: string, bytes: BytesOfRecord][] = [];
  new RecordedSubject(subject, (bytes, path) => {
    found.push([path, bytes]);
    return absentBytes(bytes, path);
  });
  return found;
}

/** Adds bytes as base64, as far as they fit; `check` finds others that are in `log.programs` by their digest. */
function withBytes(outline: object, all: ReadonlyMap<string, BytesOfRecord>, contents: Contents | null) {
  const bytes: Record<string, string> = {};
  const absent = new Map<string, string>();
  let left = MAX_BASE64;
  for (const [path, { sha256, length }] of all) {
    const found = length === 0 ? new Uint8Array(0) : (contents?.find(sha256) ?? null);
    if (found === null) absent.set(path, sha256);
    else if (4 * Math.ceil(length / 3) <= left) {
      bytes[sha256] = Buffer.from(found).toString("base64");
      left -= bytes[sha256].length;
    }
  }
  return { request: Object.keys(bytes).length === 0 ? outline : { ...outline, bytes }, absent };
}

/** The error for a decision without policies. */
function unasked({ denied_by, loader_probe }: InputsDecisionRecord): CountersignError {
  const why =
    denied_by !== undefined && denied_by !== null
      ? `the gate itself denied it, by its rule \`${denied_by.rule ?? denied_by.code}\``
      : loader_probe !== undefined
        ? `it is a probe of ${loader_probe}, which the gate allowed itself`
        : "no policy was asked";
  return missing(`the facts: ${why}`, "see docs/run.md for what the gate decides without policies");
}
