import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadQuestions } from "../../../../src/engine/files/load-questions.js";
import { NO_SIGNATURES } from "../../../support/file-subjects.js";
import { own } from "../../../support/workplace.js";

const FILE = { path: "/tmp/a.o", data: Buffer.of(), sha256: "", signature: null };
/** Facts that libbpf changes when it fills in what only a kernel says. */
const FILLED_IN = ["insns", "raw_insns", "digest", "tag", "signature", "effects"];

/** The facts that are unknown offline, by the name of the program. */
function unknownOf(path: string): ReadonlyMap<string, readonly string[]> {
  const questions = loadQuestions([{ offset: 0, bytes: readFileSync(path) }], FILE, NO_SIGNATURES);
  const loads = questions.filter(({ hook }) => hook === "bpf_prog_load");
  return new Map(loads.map(({ subject, unknown }) => [subject.name!, unknown]));
}

it.each(["by_field", "by_enumerator", "by_kfunc", "by_variable", "by_symbol"])(
  "facts that libbpf fills in for a kernel are unknown offline: %s",
  (name) => {
    expect(unknownOf(own("test/unit/bpf/fixtures/guarded.o")).get(name)).toEqual(expect.arrayContaining(FILLED_IN));
  },
);

it("they are known of a program that names nothing of a kernel", () => {
  const unknown = unknownOf(own("examples/drop-telnet.o"));
  expect(unknown.size).toBe(1);
  for (const facts of unknown.values()) expect(FILLED_IN.filter((fact) => facts.includes(fact))).toEqual([]);
});
