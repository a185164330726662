import { describe, expect, it } from "vitest";
import { explainText } from "../../../../src/cli/output/explain-text.js";
import type { Explanation, TraceEvent } from "../../../../src/workbench/explain/explanation.js";

const place = (line: number) => ({ file: "a.js", line, column: 3, source: `  return line${line};` });
const CALL = { event: "call", call: "verify_program", arguments: ["prog", '"k"'], result: -126 } as const;
const TRACE: readonly TraceEvent[] = [
  { event: "read", fact: "prog.name", value: "x" },
  {
    ...{ ...CALL, because: "it has expired", rule: "RFC 5280 6.1.3" },
    signers: [{ subject: "CN=S", key_id: "ab", serial: "01", issuer: "CN=CA" }],
    paths: [
      [
        { subject: "CN=CA", serial: "00", issuer: "CN=CA" },
        { subject: "CN=S", serial: "01", issuer: "CN=CA" },
      ],
    ],
  },
  { event: "branch", arm: "condition is true", ...place(4) },
  { event: "branch", arm: "left side is false", ...place(4) },
  { event: "return", ...place(5) },
  { event: "more", count: 3 },
];
const ATTACHMENT = {
  ...{ name: "a", policy: "a.js", digest: "d", mode: "enforce", in_scope: true, trace: TRACE, returned: place(5) },
  scope: [{ field: "uid", rule: "0", value: "0", matches: true }],
  answer: {
    ...{ verdict: -1, code: "DENIED_BY_POLICY", reason: "expired", fault: null, notes: ["seen"], steps: 7 },
    ...{
      unused_reasons: ["other"],
      writes: [
        { map: "m", key: "k", value: null },
        { map: "m", key: "l", value: "1" },
      ],
    },
  },
} as const;
const EXPLANATION = {
  ...{ id: "i", time: "t", judged_time: null, origin: "run", writer: null, hook: "bpf_prog_load", outcome: "denied" },
  ...{ mode: "enforce", verdict: -1, enforced_verdict: -1, denied_by: null, audit_denials: [], loader_probe: null },
  ...{ because: ["a: expired [DENIED_BY_POLICY]"], default: "allow", attachments: [ATTACHMENT] },
  subject: { kind: "program", name: "x", digest: "d", path: null },
  current: {
    ...{ comm: "tc", pid: 7, tid: 7, uid: 0, euid: 0, gid: 0, exe: null, cgroup: null, container: null },
  },
  executed: { result: "same", because: "", limits: [] },
  evidence: [
    {
      ...{ effect: "sends_signal", ends_read_only: true, insn: 3, text: "call x", source: "p.c:1", because: "calls" },
      code: [">     3: call x"],
    },
  ],
} as unknown as Explanation;

describe("an explanation as text", () => {
  it("has all of it, in the order in which it happened", () => {
    expect(explainText(EXPLANATION).split("\n")).toEqual([
      "denied -EPERM bpf_prog_load `x` for tc (pid 7, uid 0)",
      "  i, t, run",
      "  program d",
      "",
      "Why: a: expired [DENIED_BY_POLICY]",
      "",
      "Attachments",
      "  a (enforce, a.js) was asked",
      "    scope uid 0 matches 0",
      '    read prog.name: "x"',
      '    called verify_program(prog, "k") = -ENOKEY',
      "      because it has expired",
      "      rule RFC 5280 6.1.3",
      "      signer CN=S, key ab, certificate 01 issued by CN=CA",
      "      certificate path CN=CA (serial 00) → CN=S (serial 01)",
      "    branch a.js:4:3 condition is true",
      ...source(4),
      "    branch a.js:4:3 left side is false",
      "    … 3 more events",
      "    returned -EPERM at a.js:5:3",
      ...source(5),
      "    unused reason other",
      "    note seen",
      '    wrote m["k"] deleted',
      '    wrote m["l"] = 1',
      "",
      "Effects",
      "  sends_signal calls; at 3: call x (p.c:1)",
      "      >     3: call x",
      "",
      "executed again from the record: the same decision",
    ]);
  });

  it("has of an attachment out of scope only what keeps it out", () => {
    const scope = [...ATTACHMENT.scope, { field: "comm", rule: "sh", value: "tc", matches: false }];
    const one = { ...ATTACHMENT, answer: null, in_scope: false, scope, trace: [], returned: null };
    const text = explainText({ ...EXPLANATION, attachments: [one], evidence: [] });
    expect(text).toContain("  a (enforce, a.js) was not in scope\n    scope comm tc does not match sh\n");
    expect(text).not.toContain("uid 0 matches");
  });

  it("has the fault in the place of a line that returned", () => {
    const fault = { code: "POLICY_ERROR", message: "threw Error", place: "a.js:1:1" } as const;
    const answer = { ...ATTACHMENT.answer, fault };
    const text = explainText({ ...EXPLANATION, attachments: [{ ...ATTACHMENT, answer, returned: null }] });
    expect(text).toContain("    answered -EPERM\n    fault POLICY_ERROR: threw Error at a.js:1:1\n");
  });
});

function source(line: number): readonly string[] {
  const text = explainText({
    ...EXPLANATION,
    attachments: [{ ...ATTACHMENT, trace: [], returned: place(line) }],
  } as Explanation).split("\n");
  const at = text.findIndex((one) => one.includes(`returned -EPERM at a.js:${line}`));
  const lines = text.slice(at + 1, text.indexOf("    unused reason other"));
  expect(lines.join("\n")).toContain(`return line${line};`);
  return lines;
}
