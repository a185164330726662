import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attachment } from "../../../src/policy/attachment.js";
import { AttachmentIndex } from "../../../src/policy/attachment-index.js";
import type { Current } from "../../../src/policy/model/current.js";
import { Scope, type ScopeRules } from "../../../src/policy/scope/scope.js";
import { task } from "../../task.js";

const attached = (name: string, rules: ScopeRules, hooks = ["bpf"]) =>
  ({ name, scope: new Scope(rules), hooks: new Set(hooks) }) as unknown as Attachment;
const names = (index: AttachmentIndex, current: Current, hook = "bpf") =>
  index.inScope(hook, current).map(({ name }) => name);
const inside = (labels: Record<string, string>) => ({ id: "c", name: null, labels, annotations: {} });

describe("an index of attachments", () => {
  it("gives attachments by hook, in order", () => {
    const index = new AttachmentIndex([
      attached("a", {}),
      attached("b", {}, ["bpf_map"]),
      attached("c", {}, ["bpf_map", "bpf"]),
    ]);
    expect(names(index, task())).toEqual(["a", "c"]);
    expect(names(index, task(), "bpf_map")).toEqual(["b", "c"]);
    expect(names(index, task(), "blob_verify")).toEqual([]);
  });

  it("sees that a container's labels have changed", () => {
    const index = new AttachmentIndex([attached("edge", { labels: "tier=edge" })]);
    const container = inside({ tier: "edge" });
    expect(names(index, task({ container }))).toEqual(["edge"]);
    container.labels.tier = "lab";
    expect(names(index, task({ container }))).toEqual([]);
  });

  it("never mistakes one kind of task for another, however their strings run together", () => {
    const index = new AttachmentIndex([attached("a", { comm: ["a 1:b"] }), attached("b", { exe: ["b"] })]);
    expect(names(index, task({ comm: "a 1:b", exe: "x" }))).toEqual(["a"]);
    expect(names(index, task({ comm: "a", exe: "b 1:x" }))).toEqual([]);
    expect(names(index, task({ comm: "a", exe: "b" }))).toEqual(["b"]);
  });

  it("answers what asking every scope would, for tasks seen and not seen before", { tags: ["deep"] }, () => {
    const text = fc.constantFrom("a", "b", "a b", "1:a", "");
    const labels = fc.dictionary(fc.constantFrom("tier", "debug"), fc.constantFrom("edge", "prod"));
    const rules: fc.Arbitrary<ScopeRules> = fc.oneof(
      fc.constantFrom({ labels: "tier=edge" }, { labels: "!debug" }, { container: true }, { container: ["a"] }, {}),
      fc.record({ uid: fc.constant([[0, 1] as const]), comm: fc.array(text, { minLength: 1, maxLength: 2 }) }),
      fc.record({ exe: fc.array(text, { minLength: 1, maxLength: 2 }) }),
    );
    const frozen = (its: Record<string, string> | null) =>
      Object.freeze({ ...inside({}), labels: its && Object.freeze(its) });
    const current = fc.record({
      uid: fc.nat(3),
      comm: text,
      exe: fc.option(text),
      container: fc.option(fc.oneof(labels.map(inside), fc.option(labels).map(frozen))),
    });
    fc.assert(
      fc.property(fc.array(rules, { maxLength: 8 }), fc.array(current, { maxLength: 10 }), (scopes, tasks) => {
        const all = scopes.map((scope, index) => attached(String(index), scope));
        const index = new AttachmentIndex(all);
        for (const given of [...tasks, ...tasks]) {
          const asked = all.filter(({ scope }) => scope.includes(task(given))).map(({ name }) => name);
          expect(names(index, task(given))).toEqual(asked);
        }
      }),
    );
  });
});
