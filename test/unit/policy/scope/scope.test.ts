import "../../../support/work.js";
import { describe, expect, it } from "vitest";
import { Glob } from "../../../../src/policy/scope/glob.js";
import { Scope, type ScopeRules } from "../../../../src/policy/scope/scope.js";
import { growth, worked } from "../../../support/work.js";
import { task } from "../../../task.js";

const edge = task({ container: { id: "c0ffee", name: "web", labels: { tier: "edge" }, annotations: {} } });
const unknown = task({ container: { id: "c0ffee", name: null, labels: null, annotations: {} } });
const host = task({ uid: 1000, comm: "bpftrace", exe: "/usr/bin/bpftrace" });

const includes = (rules: ScopeRules, current = host) => new Scope(rules).includes(current);

describe("a scope", () => {
  it("without rules is for every task", () => {
    for (const current of [edge, unknown, host]) expect(includes({}, current)).toBe(true);
  });

  it("takes labels for container tasks only", () => {
    expect(includes({ labels: "tier in (edge, prod)" }, edge)).toBe(true);
    expect(includes({ labels: "tier=prod" }, edge)).toBe(false);
    expect(includes({ labels: "!debug" }, host)).toBe(false);
    expect(includes({ labels: "" }, host)).toBe(false);
  });

  it("holds where labels, the container's name or the executable are unknown", () => {
    expect(includes({ labels: "tier=prod" }, unknown)).toBe(true);
    expect(includes({ container: ["web*"] }, unknown)).toBe(true);
    expect(includes({ exe: ["/usr/bin/bpftool"] }, task({ exe: null }))).toBe(true);
  });

  it("takes ranges of uids with both ends", () => {
    const rules = { uid: [[0, 0] as const, [1000, 1999] as const] };
    for (const [uid, expected] of [
      [0, true],
      [1, false],
      [999, false],
      [1000, true],
      [1999, true],
      [2000, false],
    ] as const)
      expect(includes(rules, task({ uid }))).toBe(expected);
  });

  it("takes patterns for executables and names", () => {
    expect(includes({ exe: ["/usr/bin/*"] })).toBe(true);
    expect(includes({ exe: ["/usr/*"] })).toBe(false);
    expect(includes({ exe: ["/usr/**"], comm: ["bpf*"] })).toBe(true);
    expect(includes({ exe: ["/usr/**"], comm: ["tc"] })).toBe(false);
  });

  it("takes a container by name, by id, at all or not at all", () => {
    expect(includes({ container: ["web"] }, edge)).toBe(true);
    expect(includes({ container: ["c0ffee"] }, edge)).toBe(true);
    expect(includes({ container: ["db"] }, edge)).toBe(false);
    expect(includes({ container: ["*"] }, host)).toBe(false);
    expect(includes({ container: true }, edge)).toBe(true);
    expect(includes({ container: true }, host)).toBe(false);
    expect(includes({ container: false }, host)).toBe(true);
  });

  it("says which properties of a task it uses", () => {
    expect([...new Scope({ uid: [[0, 0]], labels: "a" }).looksAt]).toEqual(["uid", "labels"]);
  });
});

describe("a pattern", () => {
  it.each([
    ["*", "", true],
    ["*", "a/b", false],
    ["**", "a/b", true],
    ["/usr/**/bpf", "/usr/a/b/bpf", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["a?c", "a\u{1f980}c", true],
    ["a.c", "abc", false],
    ["[a]", "[a]", true],
    ["a", "a\n", false],
    ["", "", true],
    ["", "a", false],
    ["constructor", "constructor", true],
  ])("`%s` on `%s`", (pattern, text, expected) => {
    expect(new Glob(pattern).matches(text)).toBe(expected);
  });

  it("is not made slow by a text", { tags: ["deep"] }, () => {
    const matching = (length: number): number => {
      const { result, blocks } = worked(() => new Glob(`${"*a".repeat(40)}b`).matches("a".repeat(length)));
      expect(result).toBe(false);
      return blocks;
    };
    expect(growth(matching, 512, 4096)).toBeLessThan(2);
  });
});
