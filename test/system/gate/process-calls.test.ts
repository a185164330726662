import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ASKED, NAME_NO_PROCESS, ON_THE_GATE } from "./process-calls.js";
import { siteForTests } from "./site.js";

const HEADER = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
const POLICY = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.tag === "b11459a0e11ca14c" ? deny("is the forbidden program") : 0);
`;

describe("calls that name another process", () => {
  const site = siteForTests(POLICY, ["gcc", "setsid"]);
  const outcomes = (stdout: string) =>
    Object.fromEntries(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(": ") as [call: string, outcome: string]),
    );
  /** Calls with another outcome than the table says. `expected`: outcomes that differ from it. */
  const surprises = (said: Readonly<Record<string, string>>, expected: Readonly<Record<string, string>> = {}) =>
    Object.keys(ON_THE_GATE).filter((call) => {
      const allowed = call in expected ? [expected[call]!] : ON_THE_GATE[call]!.outcome;
      return !allowed.includes(said[call] ?? "");
    });

  it("are all tried, as long as the kernel has no call that is in no list", (context) => {
    if (!existsSync(HEADER)) context.skip("needs linux-libc-dev");
    const tried = new Set(Object.keys(ON_THE_GATE).map((call) => call.replace(/,.*/, "")));
    const calls = [...readFileSync(HEADER, "utf8").matchAll(/#define __NR_(\w+)/g)].map(([, name]) => name!);
    expect(calls.length).toBeGreaterThan(350);
    expect(calls.filter((name) => !tried.has(name) && !NAME_NO_PROCESS.has(name))).toEqual([]);
    expect([...tried].filter((name) => NAME_NO_PROCESS.has(name))).toEqual([]);
  });

  it("do not change the gate of a command, and it decides on", () => {
    const said = outcomes(site().run(site().attack("process-calls")).stdout);
    expect(Object.keys(said).sort()).toEqual([...Object.keys(ON_THE_GATE), "good", "bad"].sort());
    expect(surprises(said), JSON.stringify(said)).toEqual([]);
    expect([said.good, said.bad]).toEqual(["done", "EPERM"]);
    const rules = site().log.filter(({ denied_by }) => denied_by?.rule === "gate_target");
    expect(rules.map(({ subject }) => subject.name)).toContain("perf_event_open");
  });

  it("are not answered once the gate has ended, if it was asked about them", () => {
    const gate = site().words(site().attack("process-calls"), "outlived");
    // the shell that starts the gate is the target, and waits for the child that outlives the command
    const said = outcomes(site().bare("setsid", "--wait", "sh", "-c", '"$@" | cat', "sh", ...gate).stdout);
    const unanswered = Object.fromEntries(ASKED.map((call) => [call, "ENOSYS"]));
    expect(surprises(said, unanswered), JSON.stringify(said)).toEqual([]);
    expect([said.good, said.bad]).toEqual(["ENOSYS", "ENOSYS"]);
  });

  it("make performance events of a process that is not protected by a gate", () => {
    const said = outcomes(site().bare("sh", "-c", '"$0" events; true', site().attack("process-calls")).stdout);
    expect(said).toMatchObject({
      "perf_event_open, sigtrap": "done",
      "perf_event_open, sigtrap, a thread": "done",
      "perf_event_open, samples": "done",
    });
  });
});
