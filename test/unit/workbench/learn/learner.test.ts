import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inContainer, learnerOf, linesOf, observed } from "../../../support/learning.js";
import type { Workplace } from "../../../support/workplace.js";

let place: Workplace;
let lines: readonly string[];
beforeAll(async () => {
  place = await observed([["peek-tc"], ["exec-log", inContainer({ tier: "edge" })], ["exec-log"]], {
    signed: ["peek-tc"],
  });
  lines = linesOf(place);
});
afterAll(() => rmSync(place.folder, { recursive: true }));

/** The lines, with the decisions about a program changed. */
function changed(name: string, change: (decision: Record<string, unknown>) => object): readonly string[] {
  return lines.map((line) => {
    const record = JSON.parse(line);
    return record.type === "decision" && record.subject.name === name ? JSON.stringify(change(record)) : line;
  });
}

const names = (of: readonly string[], denied = false) =>
  learnerOf(of)
    .programs(denied)
    .map(({ name }) => name)
    .sort();

describe("a learner", () => {
  it("takes what a log says of each program that was loaded", () => {
    const programs = learnerOf(lines).programs(false);
    expect(programs.map(({ name, type, place }) => [name, type, place])).toEqual([
      ["peek", "sched_cls", null],
      ["log_exec", "tracepoint", null],
    ]);
    const [peek, exec] = programs;
    expect(peek?.effects).toEqual(["reads_kernel_memory", "reveals_addresses"]);
    expect(peek?.statements).toEqual([
      {
        keyring: "platform",
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        name: "peek",
        signer: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    expect(exec?.statements).toEqual([]);
    expect(learnerOf(lines).loads(false)).toBe(3);
  });

  it("tells places apart by a label", () => {
    const places = learnerOf(lines, "tier")
      .programs(false)
      .map(({ name, place }) => [name, place]);
    expect(places).toEqual([
      ["peek", "host"],
      ["log_exec", "tier=edge"],
      ["log_exec", "host"],
    ]);
  });

  it("takes a load that audit would have denied, and one that was denied only if asked", () => {
    const audited = changed("peek", (decision) => ({ ...decision, verdict: 0, enforced_verdict: -1 }));
    expect(names(audited)).toEqual(["log_exec", "peek"]);
    const denied = changed("peek", (decision) => ({ ...decision, verdict: -1 }));
    expect(names(denied)).toEqual(["log_exec"]);
    expect(names(denied, true)).toEqual(["log_exec", "peek"]);
    expect(learnerOf(denied).leftOut).toEqual({ denied: 1, probes: 0, unusable: {} });
  });

  it("takes a load as denied if another decision on its operation is, before or after it", () => {
    const load = changed("peek", (decision) => ({ ...decision, operation: "a1" }));
    const map = JSON.stringify({
      ...{ level: "warn", type: "decision", version: 2, time: "2026-01-01T00:00:00.000Z", origin: "run" },
      ...{ id: "m1", operation: "a1", hook: "bpf_map", verdict: -1, subject: { name: "events" }, current: {} },
    });
    expect(names(load)).toEqual(["log_exec", "peek"]);
    for (const log of [
      [map, ...load],
      [...load, map],
    ]) {
      expect(names(log)).toEqual(["log_exec"]);
      expect(learnerOf(log).leftOut.denied).toBe(1);
      expect(learnerOf(log).loads(false)).toBe(2);
    }
  });

  it("counts probes of loaders and denials by the gate", () => {
    const probe = changed("peek", (decision) => ({ ...decision, loader_probe: "libbpf 1.5" }));
    expect(learnerOf(probe).leftOut).toEqual({ denied: 0, probes: 1, unusable: {} });
    const gate = changed("peek", (decision) => ({ ...decision, verdict: -1, subject: { name: "", digest: "" } }));
    expect(learnerOf(gate).leftOut).toEqual({ denied: 1, probes: 0, unusable: {} });
    expect(names(gate, true)).toEqual(["log_exec"]);
    const dry = changed("peek", (decision) => ({ ...decision, subject: { name: "", digest: "" } }));
    expect(Object.keys(learnerOf(dry).leftOut.unusable)).toEqual([
      "the gate itself denies it when it enforces, and computed no facts",
    ]);
  });

  it("ignores other hooks, and a decision that is there twice", () => {
    expect(names(changed("peek", (decision) => ({ ...decision, hook: "bpf_prog" })))).toEqual(["log_exec"]);
    expect(learnerOf([...lines, lines.at(-1)!]).loads(false)).toBe(3);
  });
});
