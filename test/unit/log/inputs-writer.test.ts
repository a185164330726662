import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Decision } from "../../../src/hooks/decision.js";
import type { DecidedBy } from "../../../src/log/input-records.js";
import { MAX_CONFIGURATION } from "../../../src/log/inputs-writer.js";
import { DecisionLog } from "../../../src/log/log.js";
import { RecordReader } from "../../../src/log/record-reader.js";
import { RotatingFile } from "../../../src/log/rotating.js";
import type { Current } from "../../../src/policy/model/current.js";
import type { HelperCall } from "../../../src/policy/model/helper-call.js";
import { task } from "../../task.js";

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), "countersign-inputs-")), "decisions.jsonl");
});

const EMPTY = { default: {}, attachments: [], policies: {}, keyrings: {}, maps: {} };
const DECIDED_BY = { mode: "enforce", ...EMPTY } as unknown as DecidedBy;
const open = (more: object = {}) => {
  const options = { file, rotate: 2 ** 20, keep: 100, level: "inputs", ...more } as const;
  return new DecisionLog(options, "run", () => DECIDED_BY);
};
const SUBJECT = {
  ...{ name: "peek", digest: "ab".repeat(32), data: Buffer.from("1234"), signature: Buffer.from("signed") },
  object: { path: "a.o" },
};
let id = 0;
const decision = (current: Current = task(), calls: readonly HelperCall[] = [], annotated = false): Decision => ({
  ...{ id: String(++id), time: 1, judged_time: 1, hook: "blob_verify", operation: null, mode: "enforce", verdict: 0 },
  ...{ enforced_verdict: 0, denied_by: null, audit_denials: [], keyrings: {}, duration_us: 5, current },
  subject: { kind: "blob", name: "peek", digest: "ab".repeat(32), path: null },
  answers: [
    {
      ...{ attachment: "a", mode: "enforce", policy: "", verdict: 0, denial: null, fault: null, unused_reasons: [] },
      ...{ notes: [], helpers: [], writes: [], steps: 1, duration_us: 1, calls },
      ...(annotated ? { reads_annotations: true } : {}),
    },
  ],
});
const linesOf = (path = file) => readFileSync(path, "utf8").trimEnd().split("\n");
const records = (path = file) => linesOf(path).map((line) => JSON.parse(line));
const damages = (path: string) => {
  const reader = new RecordReader();
  return linesOf(path).flatMap((line) => reader.read(line).damage ?? []);
};
const container = (labels: Record<string, string>) => ({ id: "c0", name: "web", labels, annotations: { a: "b" } });

describe("definitions", () => {
  it("are written before the first decision that needs them, and once", () => {
    const log = open();
    for (const pid of [1, 2, 3]) log.write(decision(task({ pid, tid: pid + 10, comm: `c${pid}` })), SUBJECT);
    log.write(decision(task({ uid: 7 })), SUBJECT);
    log.write(decision(task({ uid: 7 })), { ...SUBJECT });
    log.write(decision(task({ uid: 7 })), { ...SUBJECT, name: "other" });
    expect(records().map(({ type }) => type)).toEqual([
      ...["start", "configuration", "caller", "subject", "decision", "decision", "decision", "caller", "decision"],
      ...["decision", "subject", "decision"],
    ]);
  });

  it.each<[string, Partial<Current>]>([
    ["uid", { uid: 1 }],
    ["euid", { euid: 1 }],
    ["gid", { gid: 1 }],
    ["exe", { exe: null }],
    ["cgroup", { cgroup: "/a" }],
    ["capabilities", { capabilities: ["CAP_BPF"] }],
    ["namespaces", { namespaces: { net: 1 } }],
    ["container", { container: container({}) }],
    ["labels", { container: container({ a: "1" }) }],
  ])("of callers differ by %s", (_, more) => {
    const log = open();
    const usual = task(more.container?.labels?.a === "1" ? { container: container({ a: "2" }) } : {});
    for (const current of [usual, task(more), usual, task(more)]) log.write(decision(current), SUBJECT);
    expect(records().filter(({ type }) => type === "caller")).toHaveLength(2);
  });

  it("have annotations only if a policy has read them", () => {
    const log = open();
    for (const annotated of [false, true])
      log.write(decision(task({ container: container({}) }), [], annotated), SUBJECT);
    const callers = records().filter(({ type }) => type === "caller");
    expect(callers.map(({ content }) => content.container.annotations)).toEqual([null, { a: "b" }]);
  });

  it("are there again in each rotated file, which can be read alone", () => {
    const log = open({ rotate: 3000 });
    for (let uid = 0; uid < 50; uid++) log.write(decision(task({ uid: uid % 5 })), SUBJECT);
    const files = [file, ...Array.from({ length: 60 }, (_, index) => `${file}.${index + 1}`)].filter(existsSync);
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap(damages)).toEqual([]);
    const ids = files.flatMap((path) => records(path).flatMap(({ type, id }) => (type === "decision" ? [id] : [])));
    expect(new Set(ids).size).toBe(50);
  });

  it("are those of each writer of a file", () => {
    const logs = [open({ rotate: 5000 }), open({ rotate: 5000 }), open({ rotate: 5000 })];
    for (let uid = 0; uid < 60; uid++) logs[uid % 3]!.write(decision(task({ uid: uid % 7 })), SUBJECT);
    const files = [file, ...Array.from({ length: 60 }, (_, index) => `${file}.${index + 1}`)].filter(existsSync);
    expect(files.flatMap(damages)).toEqual([]);
    expect(files.flatMap((path) => records(path).filter(({ type }) => type === "decision"))).toHaveLength(60);
  });

  it("are there again after the configuration has changed", () => {
    const log = open();
    const keyring = { keyring: "platform", generation: 2, error: null };
    log.write(decision(), SUBJECT);
    (DECIDED_BY as { keyrings: object }).keyrings = { platform: { generation: 2, sha256: "00" } };
    log.keyring(keyring);
    log.write(decision(), SUBJECT);
    const types = ["start", "configuration", "caller", "subject", "decision", "keyring", "configuration", "decision"];
    expect(records().map(({ type }) => type)).toEqual(types);
  });

  it.each([
    ["half of a file", 2 ** 20, 2 ** 19],
    ["the longest line", 2 ** 30, MAX_CONFIGURATION],
  ])("of a configuration have texts of policies up to %s", { tags: ["deep"] }, (_, rotate, most) => {
    const sourceOf = (length: number, files: Readonly<Record<string, string>> = {}) => {
      const policies = { ab: { file: "a.js", source: "é".repeat(length / 2), files, hooks: [], blind: [] } };
      const path = `${file}.${length}.${Object.keys(files)}`;
      new DecisionLog({ file: path, rotate, keep: 1, level: "inputs" }, "run", () => ({
        ...DECIDED_BY,
        policies,
      })).write(decision(), SUBJECT);
      expect(damages(path)).toEqual([]);
      return records(path)[1].content.policies.ab;
    };
    expect(sourceOf(most - 1000).source).toHaveLength(most / 2 - 500);
    expect(sourceOf(most - 1000, { "a.js": "x".repeat(2000) })).toMatchObject({
      source: "é".repeat(most / 2 - 500),
      files: null,
    });
    expect(sourceOf(most)).toEqual({ file: "a.js", source: null, files: null, hooks: [], blind: [] });
  });

  it("of more than 2^19 characters are left out", () => {
    const log = open({ rotate: 2 ** 24 });
    log.write(decision(), { ...SUBJECT, name: "x".repeat(2 ** 19) });
    expect(records().map(({ type }) => type)).toEqual(["start", "configuration", "caller", "decision"]);
    expect(damages(file)).toEqual(["missing"]);
  });
});

describe("calls of helpers", () => {
  const judgement = {
    generation: 1,
    verdict: -126,
    reason: "no",
    rule: "RFC 5280",
    statement: null,
    signers: [],
    paths: [],
  };
  const { data, signature } = SUBJECT;
  const CALLS: readonly [HelperCall, object][] = [
    [
      { call: "map_lookup", map: "m", key: 'a"', value: '{"b":[1]}' },
      { map: "m", key: 'a"', value: { b: [1] } },
    ],
    [
      { call: "map_lookup", map: "m", key: "a", value: null },
      { map: "m", key: "a" },
    ],
    [
      { call: "map_update", map: "m", key: "a", value: "null", result: -7 },
      { map: "m", key: "a", value: null, result: -7 },
    ],
    [
      { call: "map_delete", map: "m", key: "a", result: 0 },
      { map: "m", key: "a", result: 0 },
    ],
    [
      { call: "hash", algorithm: "sha256", data, result: "00" },
      { algorithm: "sha256", data: "data", result: "00" },
    ],
    [
      { call: "read", data, offset: 1, length: 2, bytes: Buffer.from([1, 255]) },
      { data: "data", offset: 1, length: 2, bytes: "01ff" },
    ],
    [
      { call: "read", data, offset: 1, length: 300, bytes: null },
      { data: "data", offset: 1, length: 300 },
    ],
    [
      { call: "verify_signature", data, signature: null, keyring: "k", type: "MODSIG", judgement },
      { data: "data", signature: null, keyring: "k", signature_type: "MODSIG", verification: expect.any(String) },
    ],
    [
      { call: "verify_signature", data, signature, keyring: "k", type: "PKCS7", judgement },
      { data: "data", signature: "signature", keyring: "k", signature_type: "PKCS7", verification: expect.any(String) },
    ],
    [
      { call: "signer_of", data, signature, keyring: "k", type: "PKCS7", judgement },
      { data: "data", signature: "signature", keyring: "k", signature_type: "PKCS7", verification: expect.any(String) },
    ],
    [
      { call: "verify_program", keyring: "k", judgement },
      { keyring: "k", verification: expect.any(String) },
    ],
  ];

  it.each(CALLS)("are recorded with arguments and result: %j", (call, fields) => {
    const log = open();
    log.write(decision(task(), [call]), SUBJECT);
    const [line] = records().slice(-1);
    expect(line.answers[0].calls).toEqual([{ call: call.call, ...fields }]);
    expect(damages(file)).toEqual([]);
  });

  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  it.each(["verify_signature", "signer_of"] as const)("have the digests of what was verified: %s", (call) => {
    const log = open();
    const more = Buffer.from("of no fact");
    for (const given of [signature, null, more])
      log.write(decision(task(), [{ call, data, signature: given, keyring: "k", type: "PKCS7", judgement }]), SUBJECT);
    const verifications = records().filter(({ type }) => type === "verification");
    expect(verifications.map(({ content }) => [content.data, content.signature, content.signature_type])).toEqual([
      [sha256(data), sha256(signature), "PKCS7"],
      [sha256(data), null, "PKCS7"],
    ]);
  });

  it("have their verification, once, before the decision", () => {
    const log = open();
    const call = { call: "verify_program", keyring: "k", judgement } as const;
    for (let again = 0; again < 2; again++) log.write(decision(task(), [call]), SUBJECT);
    const [verification, ...more] = records().filter(({ type }) => type === "verification");
    expect(more).toEqual([]);
    expect(verification.content).toMatchObject({ keyring: "k", generation: 1, verdict: -126, rule: "RFC 5280" });
  });
});

describe("masked values", () => {
  const mask = [
    "/subject/name",
    "/subject/object/path",
    "/current/container/labels/team",
    "/current/comm",
    "/subject/no",
  ];
  const caller = task({ comm: "secret", container: container({ team: "secret", tier: "edge" }) });

  it("are left out of definitions and decisions, and named", () => {
    const log = open({ mask });
    log.write(decision(caller), { ...SUBJECT, name: "secret", object: { path: "secret" } });
    expect(readFileSync(file, "utf8")).not.toContain("secret");
    const named = records().flatMap(({ masked = [] }) => masked);
    expect(named.sort()).toEqual([
      "/current/comm",
      "/current/container/labels/team",
      "/subject/name",
      "/subject/object/path",
    ]);
    expect(damages(file)).toEqual([]);
  });

  it("are left out of records of level `decision`", () => {
    const log = open({ mask, level: "decision" });
    log.write({ ...decision(caller), subject: { kind: "blob", name: "secret", digest: "", path: null } }, SUBJECT);
    expect(readFileSync(file, "utf8")).not.toContain("secret");
    const [{ masked, current }] = records();
    expect(masked).toEqual(["/subject/name", "/current/container/labels/team", "/current/comm"]);
    expect(current.container.labels).toEqual({ tier: "edge" });
  });
});

describe("the number of a file", () => {
  const numbers: number[] = [];
  const line = (number: number) => {
    numbers.push(number);
    return "x\n";
  };
  beforeEach(() => void numbers.splice(0));

  it("is another one after a failure, so that nothing counts as written", () => {
    const log = new RotatingFile({ file: "/dev/full", rotate: 100, keep: 1 });
    for (let again = 0; again < 2; again++) expect(() => log.compose(line)).toThrow("ENOSPC");
    expect(numbers).toEqual([0, 1]);
  });

  it("is another one in a stream after some time", () => {
    const log = new RotatingFile({ file: "/dev/null", rotate: 100, keep: 1, repeated: -1 });
    for (let again = 0; again < 2; again++) log.compose(line);
    expect(numbers).toEqual([1, 2]);
  });

  it("stays the same in a stream until then", () => {
    const log = new RotatingFile({ file: "/dev/null", rotate: 100, keep: 1, repeated: 1e9 });
    for (let again = 0; again < 3; again++) log.compose(line);
    expect(numbers).toEqual([0, 0, 0]);
  });
});
