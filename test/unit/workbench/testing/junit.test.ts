import { describe, expect, it } from "vitest";
import type { CaseResult } from "../../../../src/workbench/testing/case-result.js";
import { junit } from "../../../../src/workbench/testing/junit.js";

const result = (more: Partial<CaseResult>): CaseResult => ({
  attachment: "tc",
  place: "policies/tc.test.yaml:1:3",
  name: null,
  file: "program test",
  hook: "bpf_prog_load",
  expected: "allow",
  got: "allow",
  unused_reasons: [],
  unused_answers: [],
  passed: true,
  duration: 1.5,
  ...more,
});

describe("JUnit XML", () => {
  it("has a suite for each attachment and a case for each result", () => {
    const failed = { name: "n", attachment: "b", passed: false, got: "deny", unused_answers: ["verify_program"] };
    expect(junit([result({}), result(failed), result({})])).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="0" time="0.004500">
  <testsuite name="tc" tests="2" failures="0" errors="0" time="0.003000">
    <testcase classname="tc" name="policies/tc.test.yaml:1:3 program test" file="policies/tc.test.yaml:1:3" time="0.001500"/>
    <testcase classname="tc" name="policies/tc.test.yaml:1:3 program test" file="policies/tc.test.yaml:1:3" time="0.001500"/>
  </testsuite>
  <testsuite name="b" tests="1" failures="1" errors="0" time="0.001500">
    <testcase classname="b" name="n" file="policies/tc.test.yaml:1:3" time="0.001500">
      <failure message="expected allow, got deny; unused answers: verify_program">policies/tc.test.yaml:1:3</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it("escapes what would be markup, and replaces what no XML document can have", () => {
    const name = `<a href="x">&'\u0000\u001b[31m\ud800\ufffe\n]]>`;
    const xml = junit([result({ name })]);
    expect(xml).toContain(`name="&lt;a href=&quot;x&quot;&gt;&amp;'\ufffd\ufffd[31m\ufffd\ufffd&#10;]]&gt;"`);
  });
});
