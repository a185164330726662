// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { expect, it } from "vitest";
import { ExploredPolicy } from "../../../support/prove.js";

const confirmed = (body: string, hook: "bpf_prog_load" | "bpf_map_create" = "bpf_prog_load") => {
  const policy = ExploredPolicy.of(
    `import { deny, map_lookup } from "countersign";\nexport function ${hook}(its) { ${body} }`,
  );
  const found = policy.confirmations(policy.explore(hook)).map(({ status }) => status);
  policy.close();
  return found;
};

it("can be a program of more than 1,000,000 instructions", { tags: ["deep"] }, () => {
  expect(confirmed("return its.insn_cnt > 1_000_000 ? -1 : 0")).toEqual(["confirmed", "confirmed"]);
});

it("has values of maps under keys that are computed", () => {
  const body = "return map_lookup('program_budget', `bit ${its.insn_cnt & 4}`) === 1 ? -1 : 0";
  expect(new Set(confirmed(body))).toEqual(new Set(["confirmed"]));
});

it("has values of maps under keys with a product that is rounded", () => {
  const body = "return map_lookup('program_budget', `${its.memory * 3}`) === 1 && its.memory > 1 ? -1 : 0";
  expect(new Set(confirmed(body, "bpf_map_create"))).toEqual(new Set(["confirmed"]));
});
