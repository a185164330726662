import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../src/config/request.js";
import { CountersignError } from "../../../src/error.js";
import { own } from "../../support/workplace.js";

// Formats are an annotation in JSON Schema 2020-12
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const isRequest = ajv.compile(JSON.parse(readFileSync(own("schema/request.schema.json"), "utf8")));
const flaw = (request: unknown) => (isRequest(request) ? null : ajv.errorsText(isRequest.errors));

/** Why this version does not read a request; null if it does. */
function rejection(request: unknown): string | null {
  try {
    const read = readRequest("r.jsonl", 1, JSON.stringify(request));
    if (read.form === "recorded") read.requireFacts();
    return null;
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return error.message;
  }
}

/** The requests of documents: objects on a line of their own, and in the argument of `echo`. */
const documented = readdirSync(own("docs"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".md"))
  .flatMap((name) => {
    const text = readFileSync(own(`docs/${name}`), "utf8");
    const found = text.matchAll(/echo '(\{.*\})' \| countersign check|^```json\n(\{\s*"(?:hook|command)"[^`]*)^```$/gm);
    return [...found].map(([, echoed, line]) => [name, JSON.parse((echoed ?? line)!)] as const);
  });

/** Requests as the cases of the policies that ship ask them. */
const cases = readdirSync(own("policies"))
  .filter((name) => name.endsWith(".test.yaml"))
  .flatMap((name) => load(readFileSync(own(`policies/${name}`), "utf8")) as Record<string, unknown>[])
  .filter(({ file }) => file === undefined)
  .map(({ name, expect, reason, writes, deletes, helpers, ...request }) => request);

const SHA256 = "0a".repeat(32);
const BLOB = {
  hook: "blob_verify",
  subject: { kind: "blob", facts: { name: "b", digest: SHA256, data: { sha256: SHA256, length: 3 }, signature: null } },
  current: {
    ...{ pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "x", exe: null, cgroup: null },
    ...{ capabilities: ["CAP_BPF"], namespaces: { net: 4026531840 }, container: null },
  },
};
const CONTAINER = { id: "c", name: null, labels: { a: "b" }, annotations: null };

describe("schema/request.schema.json", () => {
  it("accepts the requests of the documents, as this version does", () => {
    expect(documented.length).toBeGreaterThan(2);
    expect(
      documented.flatMap(([name, one]) =>
        [flaw(one) ?? rejection(one)].flatMap((it) => it ?? []).map((it) => [name, it]),
      ),
    ).toEqual([]);
  });

  it("accepts what the cases of the policies that ship describe", () => {
    expect(cases.length).toBeGreaterThan(50);
    expect(cases.flatMap((one) => flaw(one) ?? rejection(one) ?? [])).toEqual([]);
  });

  it.each<[object]>([
    [BLOB],
    [{ ...BLOB, time: "2026-01-31T12:00:00Z", bytes: { [SHA256]: "AQID" }, maps: { m: { k: [1] } } }],
    [{ ...BLOB, current: { ...BLOB.current, container: CONTAINER } }],
    [{ ...BLOB, subject: { ...BLOB.subject, definition: "0a".repeat(16) } }],
  ])("accepts the recorded form: %j", (request) => {
    expect([flaw(request), rejection(request)]).toEqual([null, null]);
  });

  /** Mistakes in both forms. */
  it.each<[string, unknown]>([
    ["no object", []],
    ["no subject", { uid: 1 }],
    ["two subjects", { program: { type: "xdp" }, map: {} }],
    ["a file", { file: "a.o" }],
    ["a case's answer", { program: { type: "xdp" }, expect: "deny" }],
    ["an unknown key", { program: { type: "xdp", kind: "x" } }],
    ["a program without a type", { program: {} }],
    ["a count that is text", { program: { type: "xdp", insn_cnt: "4" } }],
    ["a count that is too large", { map: { key_size: 2 ** 32 } }],
    ["a helper alone", { program: { type: "xdp", helpers: "bpf_redirect" } }],
    ["an unknown command", { command: { name: "BPF_OBJ_PINS" } }],
    ["a fact that is computed", { command: { name: "BPF_OBJ_PIN", cmd: 6 } }],
    ["a token with facts", { token: { name: "x" } }],
    ["a blob without data", { blob: {} }],
    ["bytes that are no hex", { blob: { data: { hex: "0" } } }],
    ["an access that is none", { map: { access: "x" } }],
    ["an unknown fact that is always known", { module: { unknown: ["name"] } }],
    ["a hook that is none", { token: {}, hook: "bpf_token" }],
    ["a negative uid", { token: {}, uid: -1 }],
    ["a capability that is none", { token: {}, capabilities: ["bpf"] }],
    ["a label that is a number", { token: {}, labels: { a: 1 } }],
    ["an empty id of a container", { token: {}, container: { id: "" } }],
    ["contents of a map that are a list", { token: {}, maps: { m: [] } }],
    ["a recorded subject without facts", { ...BLOB, subject: { kind: "blob" } }],
    ["a recorded subject of no kind", { ...BLOB, subject: { ...BLOB.subject, kind: "files" } }],
    ["a missing fact", { ...BLOB, subject: { kind: "blob", facts: { ...BLOB.subject.facts, data: undefined } } }],
    ["a fact of another kind", { ...BLOB, subject: { kind: "blob", facts: { ...BLOB.subject.facts, tag: "x" } } }],
    ["a part of a caller", { ...BLOB, current: { uid: 1 } }],
    ["no caller", { ...BLOB, current: undefined }],
    ["both forms", { ...BLOB, token: {} }],
    ["bytes by no digest", { ...BLOB, bytes: { a: "AQID" } }],
    ["bytes that are no text", { ...BLOB, bytes: { [SHA256]: [1] } }],
    ["a definition that is none", { ...BLOB, subject: { ...BLOB.subject, definition: 1 } }],
  ])("refuses %s, and so does this version", (_, request) => {
    const written = JSON.parse(JSON.stringify(request));
    expect(flaw(written)).not.toBeNull();
    expect(rejection(written)).not.toBeNull();
  });
});
