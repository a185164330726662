import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { metricsOf } from "../../../src/gate/metrics.js";
import { Tally } from "../../../src/gate/tally.js";

const measured = (tally: Tally) => metricsOf({ tally, listeners: 3, suspects: 1 });

describe("metrics", () => {
  it("are what is counted, each with its type and help", () => {
    const tally = new Tally();
    tally.add("stalls");
    tally.add("keyringFailures");
    tally.add("keyringFailures");
    tally.answered(30);
    const lines = measured(tally).split("\n");
    expect(lines).toContain("countersign_stalls_total 1");
    expect(lines).toContain("countersign_keyring_failures_total 2");
    expect(lines).toContain("# TYPE countersign_keyring_failures_total counter");
    expect(lines).toContain("countersign_suspects 1");
    expect(lines).toContain('countersign_answer_seconds_bucket{le="0.00005"} 1');
    const told = new Set(lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []));
    for (const line of lines.filter((line) => line !== "" && !line.startsWith("#")))
      expect(told).toContain(line.replace(/[{ ].*$/, "").replace(/_seconds_(bucket|sum|count)$/, "_seconds"));
  });

  it("are all in the guide", () => {
    const guide = readFileSync(new URL("../../../docs/agent.md", import.meta.url), "utf8");
    const names = [...measured(new Tally()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect([...guide.matchAll(/^\| `(countersign_\w+)/gm)].map(([, name]) => name).sort()).toEqual(names.sort());
  });
});
