import { describe, expect, it } from "vitest";
import type { Explanation } from "../../../../src/workbench/explain/explanation.js";
import {
  attachmentWords,
  callText,
  conditionText,
  defaultText,
  executedText,
  headText,
  pathText,
  signerText,
  valueText,
} from "../../../../src/workbench/explain/words.js";

const call = (name: string, given: readonly string[], result: unknown) =>
  callText({ call: name, arguments: given, result } as never);

describe("the words of an explanation", () => {
  it.each([
    [call("verify_signature", ["blob.data", "null"], -61), "verify_signature(blob.data, null) = -ENODATA"],
    [call("verify_program", ["prog"], 0), "verify_program(prog) = 0"],
    [call("map_update", ['"m"'], -7), 'map_update("m") = -E2BIG'],
    [call("map_lookup", ['"m"', '"k"'], undefined), 'map_lookup("m", "k") = undefined: the map has no such key'],
    [call("map_lookup", ['"m"', '"k"'], -7), 'map_lookup("m", "k") = -7'],
    [call("read", ["blob.data", "0", "2"], undefined), "read(blob.data, 0, 2) = not recorded"],
    [call("verify_program prog: 0", [], undefined), "verify_program prog: 0"],
  ])("for a call: %s", (text, expected) => {
    expect(text).toBe(expected);
  });

  it.each([
    ["text", '"text"'],
    [null, "null"],
    [undefined, "undefined"],
    [[1, "a"], '[1,"a"]'],
    [{ sha256: "ab", length: 7 }, "7 bytes, SHA-256 ab"],
    ["[1… (9000 characters)", "[1… (9000 characters)"],
  ])("for the value %j", (value, expected) => {
    expect(valueText(value)).toBe(expected);
  });

  it("for a value are no longer than 301 characters", () => {
    expect(valueText("x".repeat(1000))).toHaveLength(301);
  });

  it("for a condition of a scope say whether it matches", () => {
    const uid = { field: "uid", rule: "0-999", value: "0" };
    expect(conditionText({ ...uid, matches: true })).toBe("uid 0 matches 0-999");
    expect(conditionText({ ...uid, matches: false })).toBe("uid 0 does not match 0-999");
    const labels = { field: "labels", rule: "tier=edge", value: "tier=web", matches: false };
    expect(conditionText(labels)).toBe("labels tier=web do not match tier=edge");
    const hook = { field: "hook", rule: "bpf_map", value: "bpf_prog_load", matches: false };
    expect(conditionText(hook)).toBe("it is attached to bpf_map, not to bpf_prog_load");
  });

  it("for a signer and a path name what is not known", () => {
    const none = { subject: null, serial: null, issuer: null };
    expect(signerText({ ...none, key_id: "ab" })).toBe("a key without a certificate, key ab");
    expect(signerText({ subject: "CN=a", serial: null, issuer: "CN=b", key_id: "ab" })).toBe(
      "CN=a, key ab, certificate without a serial issued by CN=b",
    );
    expect(pathText([none, { subject: "CN=a", serial: "01", issuer: "CN=b" }])).toBe(
      "a certificate without a subject (serial unknown) → CN=a (serial 01)",
    );
    expect(pathText([])).toBe("");
  });

  it("for an attachment say whether it was asked, and if not why", () => {
    const one = { mode: "enforce", policy: "a.js", answer: null, in_scope: true };
    expect(attachmentWords(one as never)).toBe("(enforce, a.js) was in scope and not asked");
    expect(attachmentWords({ ...one, in_scope: false } as never)).toBe("(enforce, a.js) was not in scope");
    expect(attachmentWords({ ...one, mode: null, policy: null, answer: {} } as never)).toBe("was asked");
  });

  it("name the default only if no enforcing attachment answered", () => {
    const text = (...attachments: readonly object[]) =>
      defaultText({ attachments, default: "deny", hook: "bpf_map", executed: { result: "same" } } as never);
    const answer = { verdict: 0, fault: null };
    expect(text()).toBe("no enforcing attachment answered: the default of bpf_map is deny");
    expect(text({ mode: "audit", answer })).not.toBeNull();
    expect(text({ mode: "enforce", answer: { ...answer, fault: {} } })).not.toBeNull();
    expect(text({ mode: "enforce", answer })).toBeNull();
    expect(text({ mode: "enforce", answer: { verdict: -1, fault: {} } })).toBeNull();
  });

  it("say how the decision was executed again", () => {
    expect(executedText({ result: "unknown", because: "the subject", limits: ["and this"] })).toEqual([
      "not executed again, since the log lacks the subject; this is what the record holds",
      "and this",
    ]);
    expect(executedText({ result: "unasked", because: "", limits: [] })).toEqual(["no policy was asked"]);
  });

  it("begin with what was decided and for whom, as far as it is known", () => {
    const nobody = { comm: null, pid: null, uid: null, euid: null, exe: null, cgroup: null, container: null };
    const bare = { id: null, time: null, judged_time: null, origin: null, writer: null, hook: null, mode: null };
    const subject = { kind: null, name: null, digest: null, path: null };
    expect(headText({ ...bare, subject, current: nobody } as unknown as Explanation)).toEqual([
      "(no hook) `` for a task ()",
      "(no id), (no time), (no origin)",
      "subject without a digest",
    ]);
    const container = { id: "c0", name: null, labels: {} };
    const current = { ...nobody, comm: "tc", pid: 7, uid: 0, euid: 5, exe: "/sbin/tc", container };
    const full = { ...bare, id: "i", hook: "bpf_map", judged_time: "then", mode: "audit", current };
    const lines = headText({ ...full, subject: { kind: "map", name: "m", digest: "d", path: "p" } } as never);
    expect(lines).toEqual([
      "bpf_map `m` for tc (pid 7, uid 0, container c0 without labels)",
      "i, (no time), (no origin); signatures as of then",
      "map d from p",
      "executable /sbin/tc, euid 5",
      "a dry run (`mode: audit`): nothing is denied",
    ]);
  });
});
