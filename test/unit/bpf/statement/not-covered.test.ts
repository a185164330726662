import { describe, expect, it } from "vitest";
import { notCovered, statementOf } from "../../../../src/bpf/statement.js";
import { example } from "../../../support/examples.js";

const of = (name: string) => notCovered(statementOf(example(name)).statement.content);

describe("what a statement does not cover", () => {
  it("are variables that are written, maps, and where programs are attached", () => {
    expect(of("rate-limit")).toEqual([
      "initial contents of variables that programs or loaders write: .data, .bss",
      "contents of other maps: buckets",
      "where programs are attached after they are loaded: limit, measure",
      "names of maps and programs in the kernel, source lines, the verifier's log, kern_version and the token",
    ]);
  });

  it("are contents of program arrays, maps of maps and struct_ops tables", () => {
    expect(of("calm-tcp")).toContain("the values of struct_ops tables: calm");
    const arrays = ["tenant-quota", "xdp-steer"].flatMap(of).join("\n");
    expect(arrays).toContain("the inner maps of maps of maps: ");
  });

  it("is not the target of programs that name it when they are loaded", () => {
    expect(of("exec-guard").join("\n")).not.toContain("where programs are attached");
  });
});
