import { expect, it } from "vitest";
import type { ScanVerdict } from "../../../../src/cli/loaded/scan-verdicts.js";
import { titledText } from "../../../../src/cli/output/table.js";
import { verdictTable } from "../../../../src/cli/output/verdict-table.js";

const verdict = (id: number, hook: string, given: Partial<ScanVerdict>) =>
  ({ of: "program", id, name: "limit\u001b", hook, verdict: "allowed", reason: null, ...given }) as ScanVerdict;

it("has a row for the hooks with the same verdict, denials first, and counts them", () => {
  const verdicts = [
    verdict(1, "bpf_prog_load", {}),
    verdict(1, "bpf_prog", {}),
    verdict(2, "bpf_prog_load", { verdict: "not decided", reason: "read\nthat" }),
    verdict(2, "bpf_prog", { verdict: "nobody asked" }),
    verdict(3, "bpf_prog_load", { verdict: "denied", reason: "no", name: "" }),
  ];
  expect(titledText(verdictTable(verdicts)).split("\n")).toEqual([
    "OBJECT     NAME         HOOK                     VERDICT      REASON",
    "program 3  -            bpf_prog_load            denied       no",
    "program 2  limit\\u{1b}  bpf_prog_load            not decided  read that",
    "program 1  limit\\u{1b}  bpf_prog_load, bpf_prog  allowed      -",
    "",
    "1 denied, 1 not decided, 2 allowed; no policy in scope was asked about 1 more",
  ]);
});

it("only counts where nobody was asked", () => {
  expect(titledText(verdictTable([verdict(1, "bpf_prog", { verdict: "nobody asked" })]))).toBe(
    "0 denied, 0 not decided, 0 allowed; no policy in scope was asked about 1 more",
  );
});
